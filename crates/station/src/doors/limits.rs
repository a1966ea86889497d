//! How many requests one address may make of a door: a bucket of tokens for each.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, Response, StatusCode};
use netboot::limits::Buckets;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use wire::Millis;

/// The buckets of a door. Clones share them.
#[derive(Debug, Clone)]
pub struct Limits(Arc<Mutex<Buckets<IpAddr>>>);

impl Limits {
    /// Each address may make `burst` requests at once and `rate` a second for ever.
    pub fn new(burst: u32, rate: u32) -> Self {
        Self(Arc::new(Mutex::new(Buckets::new(burst, rate))))
    }

    /// Counts a request; false when it is one too many.
    pub fn take(&self, address: IpAddr) -> bool {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.take(address, 1, Millis::now())
    }
}

/// Makes an answer one to a request too many.
pub fn too_many<B>(mut answer: Response<B>) -> Response<B> {
    *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let headers = answer.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}
