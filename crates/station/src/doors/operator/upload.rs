//! `POST /api/v1/upload?file_name=…`: a browser sends an image; the answer is its path on the station,
//! for the command `image_add`.

use crate::doors::json::Outcome;
use crate::library::uploads::Uploads;
use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{DefaultBodyLimit, Query as Params, State};
use axum::http::Response;
use axum::response::IntoResponse as _;
use axum::routing::post;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio_stream::StreamExt as _;
use wire::Refusal;
use wire::refusal::Code;

/// The path of the route.
pub(super) const PATH: &str = "/api/v1/upload";

#[derive(Deserialize)]
struct Named {
    file_name: String,
}

/// Where the file lies now.
#[derive(Serialize)]
struct Uploaded {
    path: String,
}

/// The route. It stands outside the limits of the others: an image is large and takes its time.
pub fn router(uploads: Uploads) -> Router {
    Router::new()
        .route(PATH, post(upload))
        .layer(DefaultBodyLimit::disable())
        .with_state(uploads)
}

async fn upload(
    State(uploads): State<Uploads>,
    Params(named): Params<Named>,
    body: Body,
) -> Response<Body> {
    Outcome(take(&uploads, &named.file_name, body).await).into_response()
}

async fn take(uploads: &Uploads, name: &str, body: Body) -> Result<Uploaded, Refusal> {
    let mut arriving = uploads.begin(name, body.size_hint().exact()).await?;
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|e| {
            Refusal::new(Code::Invalid, format!("{name} did not arrive whole: {e}."))
                .next("Send it again.")
        })?;
        let wrote = arriving.file.write_all(&chunk).await;
        wrote.map_err(|e| kept(name, &e))?;
    }
    arriving.file.flush().await.map_err(|e| kept(name, &e))?;
    let path = arriving.whole().await.map_err(|e| kept(name, &e))?;
    Ok(Uploaded {
        path: path.to_string_lossy().into_owned(),
    })
}

fn kept(name: &str, why: &std::io::Error) -> Refusal {
    Refusal::conflict(format!("{name} cannot be kept on the station: {why}."))
        .next("Make room on the station's disk, then send it again.")
}
