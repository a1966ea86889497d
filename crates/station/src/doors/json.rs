//! JSON bodies, in and out. Bodies are read as JSON whatever their content type says, because
//! installer scripts send it wrongly or not at all; what does not parse is the caller's error.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::Refusal;

/// Reads a body.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    wire::request::read(body)
}

/// A compact JSON answer: without spaces, because some installers search it as text.
pub fn answer<T: Serialize>(status: StatusCode, value: &T) -> Response<Body> {
    let (status, body) = match serde_json::to_vec(value) {
        Ok(body) => (status, body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            (StatusCode::INTERNAL_SERVER_ERROR, b"{}".to_vec())
        }
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The HTTP status of a refusal.
pub fn status_of(refusal: &Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The outcome of a call, as JSON either way.
pub struct Outcome<T>(pub Result<T, Refusal>);

impl<T: Serialize> IntoResponse for Outcome<T> {
    fn into_response(self) -> Response<Body> {
        match &self.0 {
            Ok(value) => answer(StatusCode::OK, value),
            Err(refusal) => answer(status_of(refusal), refusal),
        }
    }
}
