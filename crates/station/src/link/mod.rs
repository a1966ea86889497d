//! The one handle through which everything outside the engine speaks to it: the window, the command
//! line, tests. Whether the engine is in this process ([`Station::Here`]) or in a daemon behind its
//! Unix socket ([`Station::There`]) is decided once, where the handle is made; nobody asks again.

mod there;

pub use there::{There, Unreachable};

use crate::engine::Engine;
use crate::rehearsal::none_runs;
use bytes::Bytes;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use tokio::fs::File;
use tokio_stream::Stream;
use wire::Refusal;
use wire::command::{Command, Receipt};
use wire::query::{Answer, Query};
use wire::request::{self, Question};
use wire::update::Update;

/// A stream of updates: a snapshot first, then changes. It ends when the station does.
pub type Updates = Pin<Box<dyn Stream<Item = Update> + Send>>;

/// An archive on its way.
pub struct Archive {
    /// A name for its file.
    pub file_name: String,
    /// Its bytes. They end with an error unless they came to their end.
    pub bytes: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
}

/// A station, here or there.
#[derive(Debug, Clone)]
pub enum Station {
    /// The engine is in this process.
    Here(Engine),
    /// The engine is in another process of this machine.
    There(There),
}

impl Station {
    /// Attaches to the station that owns `socket`, when one answers there.
    pub async fn attach(socket: &Path) -> Result<Self, Unreachable> {
        There::connect(socket).await.map(Self::There)
    }

    /// Attaches to the first station that answers. A station that does not let us in is told of
    /// before one that is not there, because it is what the person means.
    pub async fn attach_first(sockets: &[PathBuf]) -> Result<Self, Unreachable> {
        let mut nobody = None;
        for socket in sockets {
            match Self::attach(socket).await {
                Ok(station) => return Ok(station),
                Err(why) if why.is_closed() => return Err(why),
                Err(why) => nobody = nobody.or(Some(why)),
            }
        }
        Err(nobody.unwrap_or_else(|| Unreachable {
            socket: PathBuf::new(),
            why: io::ErrorKind::NotFound.into(),
        }))
    }

    /// The station of the rehearsal beside this one, to be watched and commanded like any other.
    /// Refused while there is none; the handle goes stale with the rehearsal, so ask for each use.
    pub fn rehearsal(&self) -> Result<Self, Refusal> {
        let found = match self {
            Self::Here(engine) => engine.rehearsal().map(Self::Here),
            // Whether there is one is known there, and said when it is used.
            Self::There(there) => there.rehearsal().map(Self::There),
        };
        found.ok_or_else(none_runs)
    }

    /// Changes something. An image of this user's is sent along to a station of another user, which
    /// may not be able to read it where it lies.
    pub async fn command(&self, mut command: Command) -> Result<Receipt, Refusal> {
        match self {
            Self::Here(engine) => engine.command(command).await,
            Self::There(there) => {
                if let Command::ImageAdd { path, .. } = &mut command
                    && there.is_anothers()
                    && let Ok(file) = File::open(&*path).await
                {
                    let name = Path::new(&*path).file_name().unwrap_or_default();
                    *path = there.send_file(file, &name.to_string_lossy()).await?;
                }
                there.call("command", &command).await
            }
        }
    }

    /// Asks something.
    pub async fn query(&self, query: Query) -> Result<Answer, Refusal> {
        match self {
            Self::Here(engine) => engine.query(query).await,
            Self::There(there) => there.call("query", &query).await,
        }
    }

    /// Changes something, as a page says it. What cannot be read is refused with its field.
    pub async fn command_json(&self, command: &serde_json::Value) -> Result<Receipt, Refusal> {
        self.command(request::command(command)?).await
    }

    /// Asks something, as a page says it. What cannot be read is refused with its field.
    pub async fn query_json(&self, query: &serde_json::Value) -> Result<Answer, Refusal> {
        match request::question(query)? {
            Question::Ask(query) => self.query(*query).await,
            Question::Known(answer) => Ok(*answer),
        }
    }

    /// Everything in one file, as it is made. It holds the station's secrets.
    pub async fn archive(&self, packs: bool) -> Result<Archive, Refusal> {
        match self {
            Self::Here(engine) => {
                let archive = engine.archive(packs).await?;
                Ok(Archive {
                    file_name: archive.file_name(),
                    bytes: Box::pin(archive.stream()),
                })
            }
            Self::There(there) => there.archive(packs).await,
        }
    }

    /// Follows everything.
    pub async fn watch(&self) -> Result<Updates, Refusal> {
        match self {
            Self::Here(engine) => Ok(Box::pin(engine.watch())),
            Self::There(there) => there.watch().await,
        }
    }
}
