//! The far side: HTTP over the daemon's Unix socket, one connection per call. A call is rare next to
//! what it costs, and a fresh connection is never a stale one.

use super::{Archive, Updates};
use crate::config::SERVICE_SOCKET;
use bytes::{Buf as _, Bytes, BytesMut};
use futures_lite::StreamExt as _;
use http_body_util::{BodyDataStream, BodyExt as _, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use hyper::http::request::Builder;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::error::Error;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::fs::File;
use tokio::net::UnixStream;
use tokio_util::io::ReaderStream;
use wire::Refusal;
use wire::backup::Download;
use wire::refusal::Code;
use wire::update::Update;

/// Largest answer taken: a full history fits many times over.
const MOST: usize = 256 << 20;
/// A file is sent in pieces of this size.
const PIECE: usize = 256 << 10;

/// Nobody answers on a station's socket.
#[derive(Debug, thiserror::Error)]
#[error("no station answers at {socket}: {why}")]
pub struct Unreachable {
    /// The socket.
    pub socket: PathBuf,
    /// Why.
    pub why: io::Error,
}

impl Unreachable {
    /// Somebody is there, and this user may not come in.
    pub fn is_closed(&self) -> bool {
        self.why.kind() == io::ErrorKind::PermissionDenied
    }

    /// What a person can do who may not come in.
    pub fn advice(&self) -> &'static str {
        if self.socket == Path::new(SERVICE_SOCKET) {
            "Join the group punnet (`sudo usermod -aG punnet \"$USER\"`, then log out and in), or name \
             a data folder of your own with --data-dir."
        } else {
            "Use it as the person it belongs to, or choose another data folder."
        }
    }
}

/// A station in another process.
#[derive(Debug, Clone)]
pub struct There {
    socket: Arc<Path>,
    /// Where its verbs are.
    verbs: &'static str,
}

/// The verbs of a station, and those of the rehearsal beside it.
const OWN: &str = "/api/v1";
const REHEARSAL: &str = "/api/v1/rehearsal";

impl There {
    /// Checks that somebody listens on `socket`.
    pub(super) async fn connect(socket: &Path) -> Result<Self, Unreachable> {
        match UnixStream::connect(socket).await {
            Ok(_) => Ok(Self {
                socket: socket.into(),
                verbs: OWN,
            }),
            Err(why) => Err(Unreachable {
                socket: socket.to_owned(),
                why,
            }),
        }
    }

    /// The rehearsal beside it; one of a rehearsal has none.
    pub(super) fn rehearsal(&self) -> Option<Self> {
        (self.verbs == OWN).then(|| Self {
            socket: Arc::clone(&self.socket),
            verbs: REHEARSAL,
        })
    }

    /// One call: JSON there, JSON back, a refusal as the station wrote it.
    pub(super) async fn call<Q: Serialize, A: DeserializeOwned>(
        &self,
        verb: &str,
        question: &Q,
    ) -> Result<A, Refusal> {
        let body = serde_json::to_vec(question).map_err(|e| lost(&e))?;
        let response = self.send(Method::POST, verb, body).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        serde_json::from_slice(&whole(response).await?).map_err(|e| lost(&e))
    }

    /// Follows everything.
    pub(super) async fn watch(&self) -> Result<Updates, Refusal> {
        let response = self.send(Method::GET, "watch", Vec::new()).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let lines = Lines {
            body: response.into_body(),
            rest: BytesMut::new(),
            searched: 0,
        };
        Ok(Box::pin(futures_lite::stream::unfold(
            lines,
            |mut lines| async move {
                let update = lines.next().await?;
                Some((update, lines))
            },
        )))
    }

    /// Does it belong to another user, who may not be able to read what this one can?
    pub(super) fn is_anothers(&self) -> bool {
        let owner = std::fs::metadata(&self.socket).map(|file| file.uid());
        self.verbs == OWN && owner.is_ok_and(|owner| owner != nix::unistd::geteuid().as_raw())
    }

    /// Sends a file to the station; where it lies there.
    pub(super) async fn send_file(&self, file: File, name: &str) -> Result<String, Refusal> {
        #[derive(Deserialize)]
        struct Uploaded {
            path: String,
        }
        let length = file.metadata().await.map_err(|e| lost(&e))?.len();
        let mut escaped = String::new();
        for byte in name.bytes() {
            escaped += &format!("%{byte:02X}");
        }
        let body = ReaderStream::with_capacity(file, PIECE);
        let body = StreamBody::new(body.map(|piece| piece.map(Frame::data)));
        let request = self
            .request(Method::POST, &format!("upload?file_name={escaped}"))
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, length)
            .body(body);
        let response = self.exchange(request).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let uploaded: Uploaded =
            serde_json::from_slice(&whole(response).await?).map_err(|e| lost(&e))?;
        Ok(uploaded.path)
    }

    /// An archive, as the station makes it.
    pub(super) async fn archive(&self, packs: bool) -> Result<Archive, Refusal> {
        let begun: Download = self.call("archive", &json!({"packs": packs})).await?;
        let verb = format!("archive/{}", begun.key);
        let response = self.send(Method::GET, &verb, Vec::new()).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let bytes = BodyDataStream::new(response.into_body());
        Ok(Archive {
            file_name: begun.file_name,
            bytes: Box::pin(bytes.map(|piece| piece.map_err(io::Error::other))),
        })
    }

    async fn send(
        &self,
        method: Method,
        verb: &str,
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, Refusal> {
        let request = self
            .request(method, verb)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)));
        self.exchange(request).await
    }

    fn request(&self, method: Method, verb: &str) -> Builder {
        Request::builder()
            .method(method)
            .uri(format!("{}/{verb}", self.verbs))
            .header(HOST, "localhost")
    }

    async fn exchange<B>(
        &self,
        request: hyper::http::Result<Request<B>>,
    ) -> Result<Response<Incoming>, Refusal>
    where
        B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let request = request.map_err(|e| lost(&e))?;
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|e| lost(&e))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| lost(&e))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection to the station ended");
            }
        });
        sender.send_request(request).await.map_err(|e| lost(&e))
    }
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, Refusal> {
    let body = http_body_util::Limited::new(response.into_body(), MOST);
    let body = body.collect().await.map_err(|e| lost(&e))?;
    Ok(body.to_bytes())
}

/// A refusal as the station wrote it.
async fn refusal(response: Response<Incoming>) -> Refusal {
    let status = response.status();
    match whole(response).await {
        Ok(body) => serde_json::from_slice(&body).unwrap_or_else(|_| {
            let text = String::from_utf8_lossy(&body);
            Refusal::internal(format!("The station answered {status}: {text}"))
        }),
        Err(lost) => lost,
    }
}

fn lost(why: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(
        Code::Unavailable,
        format!("The station did not answer: {why}."),
    )
    .next("See whether it still runs, and try again.")
}

/// Updates out of a body of lines. Empty lines are heartbeats.
struct Lines {
    body: Incoming,
    rest: BytesMut,
    /// How much of `rest` holds no line end, so that it is searched once.
    searched: usize,
}

impl Lines {
    async fn next(&mut self) -> Option<Update> {
        loop {
            let fresh = self.rest.get(self.searched..)?;
            if let Some(end) = fresh.iter().position(|b| *b == b'\n') {
                let line = self.rest.split_to(self.searched + end);
                self.rest.advance(1);
                self.searched = 0;
                if line.is_empty() {
                    continue;
                }
                // An update this build cannot read at all is one it does not know.
                return Some(serde_json::from_slice(&line).unwrap_or(Update::Unknown));
            }
            self.searched = self.rest.len();
            if self.rest.len() > MOST {
                return None;
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.rest.extend_from_slice(&data);
            }
        }
    }
}
