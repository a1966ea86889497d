//! `/images/{file}`: the whole image for installers that know nothing of packs. What is served is
//! the reconstruction: free space as zeros, exactly the bytes of the image's SHA-256.

use super::{Rooms, error, sender};
use crate::doors::bytes::{Label, Receiver, Source, respond};
use crate::doors::json::status_of;
use crate::doors::listen::Ends;
use crate::library::{file_name, find};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Response};
use imaging::pack::{Image, Pack};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use wire::Refusal;
use wire::query::{Answer, Query};

pub(super) async fn image(
    State(rooms): State<Rooms>,
    Path(file): Path<String>,
    Extension(ends): Extension<Ends>,
    method: Method,
    headers: HeaderMap,
) -> Response<Body> {
    match open(&rooms, &file).await {
        Ok((label, pack)) => {
            let whole = Reconstruction::new(&pack);
            let to = Receiver {
                ip: sender(ends),
                what: pack.id().short(),
                traffic: &rooms.traffic,
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

/// The image as it was, read out of its pack.
struct Reconstruction {
    length: u64,
    image: Mutex<Image>,
}

impl Reconstruction {
    fn new(pack: &Pack) -> Self {
        let image = pack.image();
        Self {
            length: image.len(),
            image: Mutex::new(image),
        }
    }
}

impl Source for Reconstruction {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, range: Range<u64>) -> io::Result<bytes::Bytes> {
        let mut image = self.image.lock().unwrap_or_else(PoisonError::into_inner);
        image.seek(SeekFrom::Start(range.start))?;
        let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
        let mut piece = vec![0; length];
        image.read_exact(&mut piece)?;
        Ok(piece.into())
    }
}
