//! Counts the answers of a door.

use crate::counts::{Counts, Door};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};

/// The router, with its answers counted as those of `door`.
pub fn counted(router: Router, door: Door, counts: Counts) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| {
        let counts = counts.clone();
        async move {
            let answer = next.run(request).await;
            counts.answered(door, answer.status().as_u16());
            answer
        }
    }))
}
