//! `POST /api/v1/upload?file_name=…`: a browser sends an image; the answer is its path on the station,
//! for the command `image_add`.

use crate::doors::json::Outcome;
use crate::doors::routes::{Access, Caller, Routes};
use crate::engine::Engine;
use crate::library::uploads::Uploads;
use axum::body::{Body, HttpBody as _};
use axum::extract::{DefaultBodyLimit, Extension, Query as Params, State};
use axum::http::Response;
use axum::response::IntoResponse as _;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio_stream::StreamExt as _;
use wire::Refusal;
use wire::operator::Role;
use wire::refusal::Code;

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
pub fn routes(engine: Engine, uploads: Uploads) -> Routes {
    Routes::new()
        .post("/api/v1/upload", Access::Role(Role::Operator), upload)
        .with(|router| {
            router
                .layer(DefaultBodyLimit::disable())
                .with_state(Rooms { engine, uploads })
        })
}

#[derive(Clone)]
struct Rooms {
    engine: Engine,
    uploads: Uploads,
}

async fn upload(
    State(Rooms { engine, uploads }): State<Rooms>,
    Extension(caller): Extension<Caller>,
    Params(named): Params<Named>,
    body: Body,
) -> Response<Body> {
    let taken = take(&uploads, &named.file_name, body).await;
    engine
        .record(
            &caller.who,
            "upload",
            &named.file_name,
            taken.as_ref().err(),
        )
        .await;
    Outcome(taken).into_response()
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
