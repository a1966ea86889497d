//! The device API that existing installer scripts speak. Their field names, sensible status codes:
//! a board that has to wait is told 423 with the reason, and never a made-up name.

use super::{Rooms, error, sender};
use crate::doors::clock;
use crate::doors::json::{answer, read, status_of};
use crate::doors::listen::Ends;
use crate::doors::routes::{Access, Routes};
use crate::library::file_name;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::http::{Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::device::{ConfigReply, ConfigRequest};
use wire::query::{Answer, Query};
use wire::{Millis, Refusal};

/// Version of this API that installers look for.
const VERSION: &str = "3.0";

/// Largest request of an installer, in bytes.
const BODY: usize = 64 << 10;

pub(super) fn routes() -> Routes<Rooms> {
    Routes::new()
        .post("/api/config", Access::Board, config)
        .post("/api/status", Access::Board, status)
        .with(|router| router.layer(DefaultBodyLimit::max(BODY)))
}

async fn config(
    State(rooms): State<Rooms>,
    Extension(ends): Extension<Ends>,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    match body {
        Ok(body) => reply(configure(&rooms, ends, &body).await),
        Err(rejected) => refuse(&rejected),
    }
}

async fn configure(rooms: &Rooms, ends: Ends, body: &[u8]) -> Result<ConfigReply, Refusal> {
    let request: ConfigRequest = read_lenient(body)?;
    let own = ends
        .own
        .ok_or_else(|| Refusal::internal("The request came in on no address."))?;
    let assigned = rooms.engine.device_config(sender(ends), request).await?;
    let Answer::Images(images) = rooms.engine.query(Query::Images).await? else {
        return Err(Refusal::internal("The list of images did not come."));
    };
    let file = file_name(&assigned.image, &images);
    Ok(ConfigReply {
        server_ip: own.ip().to_string(),
        hostname: assigned.hostname.to_string(),
        product_type: assigned.product.to_string(),
        venue_code: assigned.venue.to_string(),
        // The address the request came in on is one the board can reach; no other is known to be.
        image_url: format!("http://{own}/images/{file}"),
        image_size: assigned.image.raw_bytes,
        image_checksum: assigned.image.sha256,
        version: VERSION.to_owned(),
        timestamp: clock::naive_local(Millis::now()),
        deployment_id: assigned.deployment,
    })
}

async fn status(
    State(rooms): State<Rooms>,
    Extension(ends): Extension<Ends>,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    let body = match body {
        Ok(body) => body,
        Err(rejected) => return refuse(&rejected),
    };
    let call = match read_lenient(&body) {
        Ok(request) => rooms.engine.device_status(sender(ends), request).await,
        Err(refusal) => Err(refusal),
    };
    reply(call)
}

fn refuse(rejected: &BytesRejection) -> Response<Body> {
    let words = match rejected.status() {
        StatusCode::PAYLOAD_TOO_LARGE => format!("The request is larger than {BODY} bytes."),
        _ => "The request broke off.".to_owned(),
    };
    error(rejected.status(), words)
}

/// Some installers send nothing at all where every field is optional.
fn read_lenient<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Refusal> {
    if body.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    // A list would pass for a structure whose fields may all be missing.
    let fields: serde_json::Map<String, serde_json::Value> = read(body)?;
    serde_json::from_value(fields.into()).map_err(|e| {
        Refusal::new(
            wire::refusal::Code::Invalid,
            format!("The request cannot be understood: {e}."),
        )
    })
}

fn reply<T: Serialize>(call: Result<T, Refusal>) -> Response<Body> {
    match call {
        Ok(value) => answer(StatusCode::OK, &value),
        Err(refusal) => error(status_of(&refusal), refusal.to_string()),
    }
}
