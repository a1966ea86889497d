//! An archive that a running station sends to a person: made while it goes out, so that there is no copy
//! of it. Only its snapshot of the database lies in the data folder meanwhile, and goes with it, however
//! it ends. What a crash leaves is removed at the next start.
//!
//! One goes out at a time: packs are large, and they are read for boards too.

use super::archive::{Contents, Source, WriteError, send};
use super::folder::stamp;
use crate::store::copies;
use bytes::Bytes;
use std::fmt;
use std::fs::{self, Permissions};
use std::io::{self, BufWriter};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;
use tokio_stream::Stream;
use wire::{Millis, Refusal};

/// How the folder of a snapshot begins.
const PREFIX: &str = ".archive-";
/// Bytes handed on in one go, and how many such pieces may wait.
const PIECE: usize = 256 << 10;
const PIECES: usize = 4;
/// Whoever takes nothing for so long is taken for gone.
const PATIENCE: Duration = Duration::from_mins(5);

/// Where archives are made. Clones are the same place.
#[derive(Debug, Clone)]
pub struct Archives {
    data_dir: PathBuf,
    place: Arc<Semaphore>,
}

/// An archive that can be sent. Dropped, it leaves nothing behind.
pub struct Outgoing {
    contents: Contents,
    /// When its database was copied.
    made: Millis,
    // In this order: when nothing is left of this one, the next may begin.
    _place: OwnedSemaphorePermit,
    _snapshot: TempDir,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").finish_non_exhaustive()
    }
}

impl Archives {
    /// The place in a data folder, cleared of what was cut off.
    pub fn open(data_dir: PathBuf) -> io::Result<Self> {
        for entry in fs::read_dir(&data_dir)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        let place = Arc::new(Semaphore::new(1));
        Ok(Self { data_dir, place })
    }

    /// Copies the database as it is now and looks at what goes with it. Refused while another is on its
    /// way.
    pub async fn begin(&self, settings: Option<PathBuf>, packs: bool) -> Result<Outgoing, Refusal> {
        let place = Arc::clone(&self.place).try_acquire_owned().map_err(|_| {
            Refusal::conflict("An archive is being downloaded already.")
                .next("Wait for its end, or break it off.")
        })?;
        let data_dir = self.data_dir.clone();
        let work = move || -> Result<_, WriteError> {
            let folder = tempfile::Builder::new()
                .prefix(PREFIX)
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(&data_dir)
                .map_err(|error| WriteError::File {
                    file: data_dir.clone(),
                    act: "written",
                    error,
                })?;
            let (snapshot, made) = (folder.path().join("snapshot"), Millis::now());
            copies::copy(&data_dir, &snapshot, &|_, _| {})?;
            let contents = Contents::of(&Source {
                snapshot: &snapshot,
                made,
                data_dir: &data_dir,
                settings: settings.as_deref(),
                packs,
            })?;
            Ok(Outgoing {
                contents,
                made,
                _place: place,
                _snapshot: folder,
            })
        };
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.map_err(|gone| Refusal::internal(format!("It broke off: {gone}.")))?;
        done.map_err(|why| {
            Refusal::conflict(format!("No archive can be made: {why}."))
                .next("Make room on the station's disk, or see what is wrong with that file.")
        })
    }
}

impl Outgoing {
    /// A name for the file.
    pub fn file_name(&self) -> String {
        format!("punnet-{}.punnet", stamp(self.made))
    }

    /// Its bytes, made as they are taken. Ends with an error unless it came to its end; dropped before,
    /// it leaves nothing behind.
    pub fn stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (line, end) = mpsc::channel(PIECES);
        tokio::task::spawn_blocking(move || {
            // Whole, so that its snapshot lasts as long.
            let outgoing = self;
            let gone = line.clone();
            let pieces = Pieces {
                line,
                runtime: Handle::current(),
            };
            let buffer = BufWriter::with_capacity(PIECE, &pieces);
            let sent = send(&outgoing.contents, buffer, &|| !gone.is_closed());
            // Before its reader sees the end.
            drop(outgoing);
            let sent = sent.and_then(|()| pieces.hand(Piece::End).map_err(WriteError::Sent));
            if let Err(why) = sent {
                tracing::warn!(%why, "an archive was broken off");
            }
        });
        futures_lite::stream::unfold(Some(end), |end| async move {
            let mut end = end?;
            match end.recv().await {
                Some(Piece::Bytes(bytes)) => Some((Ok(bytes), Some(end))),
                Some(Piece::End) => None,
                // A body that just ends would be taken for a whole one.
                None => Some((Err(io::ErrorKind::UnexpectedEof.into()), None)),
            }
        })
    }
}

enum Piece {
    Bytes(Bytes),
    /// It is whole.
    End,
}

/// Hands on what is written, and waits while too much is on its way.
struct Pieces {
    line: mpsc::Sender<Piece>,
    runtime: Handle,
}

impl Pieces {
    fn hand(&self, piece: Piece) -> io::Result<()> {
        let handed = timeout(PATIENCE, self.line.send(piece));
        let handed = self.runtime.block_on(handed);
        handed
            .map_err(|_| io::ErrorKind::TimedOut)?
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl io::Write for &Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hand(Piece::Bytes(Bytes::copy_from_slice(bytes)))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
