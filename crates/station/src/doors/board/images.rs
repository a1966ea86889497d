//! `/images/{file}`: the whole image for installers that know nothing of packs. What is served is
//! the reconstruction: free space as zeros, exactly the bytes of the image's SHA-256.

use super::{Rooms, error, sender};
use crate::doors::bytes::{Label, Receiver, Source, respond};
use crate::doors::json::status_of;
use crate::doors::listen::Ends;
use crate::doors::sendfile::{Files, Stretch};
use crate::library::{file_name, find};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Response};
use imaging::pack::{Image, Pack, Unpacked};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use wire::Refusal;
use wire::manifest::ChunkClass;
use wire::query::{Answer, Query};

pub(super) async fn image(
    State(rooms): State<Rooms>,
    Path(file): Path<String>,
    Extension(ends): Extension<Ends>,
    files: Option<Extension<Files>>,
    method: Method,
    headers: HeaderMap,
) -> Response<Body> {
    match open(&rooms, &file).await {
        Ok((label, pack)) => {
            let whole = Reconstruction::new(&pack, rooms.library.unpacked(&pack));
            let to = Receiver {
                ip: sender(ends),
                what: pack.id().short(),
                traffic: &rooms.traffic,
                files: files.map(|Extension(files)| files),
            };
            respond(&method, &headers, &label, Arc::new(whole), to)
        }
        Err(refusal) => error(status_of(&refusal), refusal.to_string()),
    }
}

async fn open(rooms: &Rooms, file: &str) -> Result<(Label, Pack), Refusal> {
    let Answer::Images(images) = rooms.engine.query(Query::Images).await? else {
        return Err(Refusal::internal("The list of images did not come."));
    };
    let image = find(&images, file)?;
    let label = Label {
        tag: image.sha256.clone(),
        file_name: file_name(image, &images),
    };
    Ok((label, rooms.library.pack(image.id).await?))
}

/// The image as it was, out of its pack.
struct Reconstruction {
    pack: Pack,
    /// Where there is room for it, chunks are unpacked into a file that all who fetch share.
    unpacked: Option<Arc<Unpacked>>,
    /// Where there is none, or it fails, each unpacks for itself.
    image: Mutex<Image>,
}

impl Reconstruction {
    fn new(pack: &Pack, unpacked: Option<Arc<Unpacked>>) -> Self {
        Self {
            pack: pack.clone(),
            unpacked,
            image: Mutex::new(pack.image()),
        }
    }

    fn chunk_of(&self, at: u64) -> usize {
        (at / u64::from(self.pack.manifest().chunk_bytes)) as usize
    }

    fn is_data(&self, index: usize) -> bool {
        let chunk = self.pack.manifest().chunks.get(index);
        chunk.is_some_and(|c| c.class == ChunkClass::Data)
    }
}

impl Source for Reconstruction {
    fn length(&self) -> u64 {
        self.pack.manifest().raw_bytes
    }

    fn read(&self, range: Range<u64>) -> io::Result<bytes::Bytes> {
        let mut image = self.image.lock().unwrap_or_else(PoisonError::into_inner);
        image.seek(SeekFrom::Start(range.start))?;
        let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
        let mut piece = vec![0; length];
        image.read_exact(&mut piece)?;
        Ok(piece.into())
    }

    fn lies(&self, range: Range<u64>) -> Option<Stretch> {
        let chunk = self.chunk_of(range.start);
        let end = range.end.min(self.pack.manifest().start(chunk + 1));
        if self.is_data(chunk) {
            let unpacked = self.unpacked.as_ref()?;
            let there = unpacked.is_there(chunk);
            there.then(|| Stretch::new(unpacked.file(), range.start..end))
        } else {
            Stretch::zeros(end - range.start)
        }
    }

    fn lay(&self, at: u64) {
        let Some(unpacked) = &self.unpacked else {
            return;
        };
        let chunk = self.chunk_of(at);
        // The one after it meanwhile: unpacking is slower than sending.
        if self.is_data(chunk + 1) && !unpacked.is_there(chunk + 1) {
            let unpacked = Arc::clone(unpacked);
            tokio::task::spawn_blocking(move || unpacked.unpack(chunk + 1));
        }
        if let Err(error) = unpacked.unpack(chunk) {
            tracing::warn!(%error, "a chunk is not unpacked for all");
        }
    }
}
