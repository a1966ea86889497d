//! The agent's calls: thin, one engine call each. Packs go out by ranges.

use super::{Rooms, sender, visitor};
use crate::doors::bytes::{Label, Receiver, Source, respond};
use crate::doors::json::{Outcome, read};
use crate::doors::listen::Ends;
use crate::doors::sendfile::{Files, Stretch};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::http::{HeaderMap, Method, Response};
use axum::response::IntoResponse;
use imaging::pack::Pack;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use wire::agent::{SESSION_HEADER, SIGNATURE_HEADER};
use wire::{ImageId, Refusal};

pub(super) async fn check_in(
    State(rooms): State<Rooms>,
    Extension(ends): Extension<Ends>,
    body: Bytes,
) -> impl IntoResponse {
    let call = match read(&body) {
        Ok(check_in) => rooms.engine.check_in(sender(ends), check_in).await,
        Err(refusal) => Err(refusal),
    };
    Outcome(call)
}

pub(super) async fn report(State(rooms): State<Rooms>, body: Bytes) -> impl IntoResponse {
    let call = match read(&body) {
        Ok(report) => rooms.engine.report(report).await,
        Err(refusal) => Err(refusal),
    };
    Outcome(call)
}

pub(super) async fn hello(State(rooms): State<Rooms>, body: Bytes) -> impl IntoResponse {
    let call = match read(&body) {
        Ok(hello) => rooms.engine.hello(hello).await,
        Err(refusal) => Err(refusal),
    };
    Outcome(call)
}

pub(super) async fn manifest(
    State(rooms): State<Rooms>,
    Path(image): Path<String>,
    Extension(ends): Extension<Ends>,
    headers: HeaderMap,
) -> Response<Body> {
    let pack = match open(&rooms, &image, ends, &headers).await {
        Ok(pack) => pack,
        Err(refusal) => return Outcome::<()>(Err(refusal)).into_response(),
    };
    let signed = pack.signed();
    let headers = [
        (SIGNATURE_HEADER, hex::encode(signed.signature)),
        (CONTENT_TYPE.as_str(), "application/json".to_owned()),
        (ETAG.as_str(), format!("\"{}\"", signed.id)),
    ];
    (headers, Bytes::copy_from_slice(&signed.bytes)).into_response()
}

pub(super) async fn pack(
    State(rooms): State<Rooms>,
    Path(image): Path<String>,
    Extension(ends): Extension<Ends>,
    files: Option<Extension<Files>>,
    method: Method,
    headers: HeaderMap,
) -> Response<Body> {
    match open(&rooms, &image, ends, &headers).await {
        Ok(pack) => {
            let label = Label {
                tag: pack.id().to_string(),
                file_name: format!("{}.pack", pack.id()),
            };
            let to = Receiver {
                ip: sender(ends),
                what: pack.id().short(),
                traffic: &rooms.traffic,
                files: files.map(|Extension(files)| files),
            };
            respond(&method, &headers, &label, Arc::new(PackBytes(pack)), to)
        }
        Err(refusal) => Outcome::<()>(Err(refusal)).into_response(),
    }
}

/// The pack, for whoever has a session for it.
async fn open(
    rooms: &Rooms,
    image: &str,
    ends: Ends,
    headers: &HeaderMap,
) -> Result<Pack, Refusal> {
    let id: ImageId = image
        .parse()
        .map_err(|e: wire::board::IdError| Refusal::invalid("image", format!("{e}.")))?;
    let session = headers.get(SESSION_HEADER).and_then(|h| h.to_str().ok());
    if !visitor::may_fetch(rooms, ends, session, id) {
        rooms.engine.may_fetch(sender(ends), session, id)?;
    }
    rooms.library.pack(id).await
}

/// A pack file as it lies.
struct PackBytes(Pack);

impl Source for PackBytes {
    fn length(&self) -> u64 {
        self.0.length()
    }

    fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.0
            .read_packed(range)
            .map(Into::into)
            .map_err(io::Error::other)
    }

    fn lies(&self, range: Range<u64>) -> Option<Stretch> {
        Some(Stretch::new(self.0.file(), range))
    }
}
