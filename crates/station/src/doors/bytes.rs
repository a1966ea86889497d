//! Serves a long run of bytes over HTTP: whole or a range of it, resumable, at line rate.
//!
//! Range, If-Range, ETag, If-None-Match and HEAD as RFC 9110 §13 and §14 say. What lies in a file goes
//! out of it without a copy, where the connection can do that ([`mod@super::sendfile`]). Else bytes
//! are read in large pieces. Whatever waits for a disk does so on blocking threads, one piece ahead of
//! the one being sent, so that disk and wire work at the same time and a slow client costs two pieces
//! of memory and no thread.

use super::sendfile::{Files, Stretch, Tally};
use crate::traffic::{Download, Traffic};
use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use delivery::range::{Asked, parse};
use http_body_util::StreamBody;
use hyper::body::Frame;
use std::io;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Bytes read at once. Large enough that a piece costs more to send than to fetch, small enough that
/// it is still in the processor's cache when it is sent.
const PIECE: u64 = 256 << 10;

/// Something that is served by ranges.
pub trait Source: Send + Sync + 'static {
    /// Its length in bytes.
    fn length(&self) -> u64;
    /// Exactly the bytes of `range`, which lies within the length and is at most one piece long.
    /// May block.
    fn read(&self, range: Range<u64>) -> io::Result<Bytes>;
    /// Where the first bytes of `range`, which is not empty, lie in a file by now. Answers at once.
    fn lies(&self, _range: Range<u64>) -> Option<Stretch> {
        None
    }
    /// Sees to it that [`Source::lies`] knows a place for the byte `at`, where there can be one.
    /// May block.
    fn lay(&self, _at: u64) {}
}

impl Tally for Download {
    fn sent(&self, bytes: u64) {
        Download::sent(self, bytes);
    }
}

/// Who gets it, and where that is noted.
pub struct Receiver<'t> {
    /// The board's address.
    pub ip: Ipv4Addr,
    /// What it gets, in a word.
    pub what: String,
    /// Where it is noted.
    pub traffic: &'t Traffic,
    /// What sends files on its connection, when that can.
    pub files: Option<Files>,
}

/// How a source is labelled.
#[derive(Debug, Clone)]
pub struct Label {
    /// Strong entity tag, without quotes: changes when the bytes do.
    pub tag: String,
    /// Name offered for saving.
    pub file_name: String,
}

/// Answers a GET or HEAD for `source`.
pub fn respond(
    method: &Method,
    headers: &HeaderMap,
    label: &Label,
    source: Arc<dyn Source>,
    to: Receiver<'_>,
) -> Response<Body> {
    let length = source.length();
    let tag = format!("\"{}\"", label.tag);
    let mut response = Response::new(Body::empty());
    let out = response.headers_mut();
    let put = |out: &mut HeaderMap, name, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            out.insert(name, value);
        }
    };
    put(out, ETAG, tag.clone());
    out.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if !precondition_holds(headers, &tag) {
        *response.status_mut() = StatusCode::PRECONDITION_FAILED;
        return response;
    }
    if names_tag(headers, IF_NONE_MATCH, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let range = match asked(method, headers, &tag, length) {
        Asked::Whole => 0..length,
        Asked::Part(range) => {
            let shown = format!("bytes {}-{}/{length}", range.start, range.end - 1);
            put(response.headers_mut(), CONTENT_RANGE, shown);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            range
        }
        Asked::Unsatisfiable => {
            put(
                response.headers_mut(),
                CONTENT_RANGE,
                format!("bytes */{length}"),
            );
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            return response;
        }
    };
    let out = response.headers_mut();
    out.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    put(
        out,
        CONTENT_DISPOSITION,
        format!("attachment; filename=\"{}\"", plain(&label.file_name)),
    );
    put(out, CONTENT_LENGTH, (range.end - range.start).to_string());
    if method != Method::HEAD {
        let total = range.end - range.start;
        let download = to.traffic.download(to.ip, to.what, total);
        let pieces = Pieces {
            source,
            left: range,
            ahead: None,
            files: to.files,
            download: Arc::new(download),
        };
        *response.body_mut() = Body::new(StreamBody::new(pieces.stream()));
    }
    response
}

/// The range that is asked for, unless `If-Range` names other bytes than these. Only GET has ranges.
fn asked(method: &Method, headers: &HeaderMap, tag: &str, length: u64) -> Asked {
    let range = headers.get(RANGE).and_then(|v| v.to_str().ok());
    let Some(range) = range.filter(|_| method == Method::GET) else {
        return Asked::Whole;
    };
    // A date in If-Range cannot match: no Last-Modified is ever sent.
    let same = headers.get(IF_RANGE).is_none_or(|v| v == tag);
    if same {
        parse(range, length)
    } else {
        Asked::Whole
    }
}

fn precondition_holds(headers: &HeaderMap, tag: &str) -> bool {
    !headers.contains_key(IF_MATCH) || names_tag(headers, IF_MATCH, tag)
}

/// True when a list of entity tags in the header `name` holds `tag` or is `*`.
fn names_tag(headers: &HeaderMap, name: axum::http::HeaderName, tag: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

/// A file name that can stand in quotes in a header.
fn plain(name: &str) -> String {
    name.chars()
        .map(|c| {
            if matches!(c, ' '..='~') && c != '"' && c != '\\' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// The rest of a range, with the next piece on its way.
struct Pieces {
    source: Arc<dyn Source>,
    left: Range<u64>,
    /// The next piece, once somebody looked for it.
    ahead: Option<Ahead>,
    files: Option<Files>,
    download: Arc<Download>,
}

/// Where the next piece is.
enum Ahead {
    AtHand(Stretch),
    OnItsWay(JoinHandle<io::Result<Piece>>),
}

/// What is sent at once.
enum Piece {
    Read(Bytes),
    InFile(Stretch),
}

impl Pieces {
    /// Finds out where the next piece is, and has it brought when it is not at hand.
    fn look_ahead(&self) -> Ahead {
        let stretch = self
            .files
            .as_ref()
            .and_then(|_| self.source.lies(self.left.clone()));
        match stretch.filter(Stretch::is_warm) {
            Some(stretch) => Ahead::AtHand(stretch),
            None => Ahead::OnItsWay(self.bring()),
        }
    }

    /// Lets a blocking thread bring the next piece.
    fn bring(&self) -> JoinHandle<io::Result<Piece>> {
        let (source, left) = (Arc::clone(&self.source), self.left.clone());
        let in_file = self.files.is_some();
        tokio::task::spawn_blocking(move || {
            if in_file {
                source.lay(left.start);
                if let Some(stretch) = source.lies(left.clone()) {
                    return stretch.warm().map(|()| Piece::InFile(stretch));
                }
            }
            let end = left.end.min(left.start + PIECE);
            source.read(left.start..end).map(Piece::Read)
        })
    }

    async fn next(&mut self) -> io::Result<Bytes> {
        let ahead = self.ahead.take().unwrap_or_else(|| self.look_ahead());
        let piece = match ahead {
            Ahead::OnItsWay(piece) => piece.await.map_err(io::Error::other)??,
            Ahead::AtHand(stretch) => Piece::InFile(stretch),
        };
        let length = match &piece {
            Piece::Read(bytes) => bytes.len() as u64,
            Piece::InFile(stretch) => stretch.length,
        };
        self.left.start += length;
        if !self.left.is_empty() {
            self.ahead = Some(self.look_ahead());
        }
        Ok(match (piece, &self.files) {
            (Piece::InFile(stretch), Some(files)) => {
                files.send(&stretch, Arc::clone(&self.download) as Arc<dyn Tally>)
            }
            (Piece::Read(bytes), _) => {
                self.download.sent(length);
                bytes
            }
            (Piece::InFile(_), None) => return Err(io::Error::other("no way to send a file")),
        })
    }

    fn stream(self) -> impl tokio_stream::Stream<Item = io::Result<Frame<Bytes>>> + Send {
        futures_lite::stream::unfold(self, |mut pieces| async move {
            if pieces.left.is_empty() {
                return None;
            }
            let next = pieces.next().await;
            if let Err(error) = &next {
                // The length was promised already, so the client sees a short answer and asks again.
                tracing::error!(%error, "reading for a board failed");
                pieces.left = 0..0;
            }
            Some((next.map(Frame::data), pieces))
        })
    }
}
