//! Documents as plain GETs, for browsers and scripts: the bytes that the query *document* carries in
//! Base64. A browser shows what can be shown, and saves tables under their names.

use super::plain::{Filter, Key, bare, path, sound};
use crate::doors::routes::{Access, Caller, Routes};
use crate::engine::Engine;
use crate::papers::{self, Paper};
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Response};
use wire::batch::BatchId;
use wire::document::{DocumentKind, LabelSheet};
use wire::query::{Answer, HistoryFilter, NameFilter, Query};
use wire::{BoardId, Refusal};

pub(super) fn routes() -> Routes<Engine> {
    Routes::new()
        .get("/api/v1/history.csv", Access::Look, history_csv)
        .get("/api/v1/history.json", Access::Look, history_json)
        .get("/api/v1/names.csv", Access::Look, names_csv)
        .get("/api/v1/packets.pcap", Access::Look, packets)
        .get("/api/v1/labels.pdf", Access::Look, labels)
        .get("/api/v1/boards/{board}/log.txt", Access::Look, board_log)
        .get(
            "/api/v1/boards/{board}/bundle.zip",
            Access::Look,
            board_bundle,
        )
        .get(
            "/api/v1/batches/{batch}/certificate.pdf",
            Access::Look,
            |e, c, k| of_batch(e, c, k, |batch| DocumentKind::CertificatePdf { batch }),
        )
        .get(
            "/api/v1/batches/{batch}/certificate.html",
            Access::Look,
            |e, c, k| of_batch(e, c, k, |batch| DocumentKind::CertificateHtml { batch }),
        )
        .get(
            "/api/v1/batches/{batch}/certificate.csv",
            Access::Look,
            |e, c, k| of_batch(e, c, k, |batch| DocumentKind::CertificateCsv { batch }),
        )
}

/// All rows, or the part that was asked for.
async fn history_csv(
    State(engine): State<Engine>,
    Extension(caller): Extension<Caller>,
    filter: Filter<HistoryFilter>,
) -> Response<Body> {
    let filter = match sound(filter) {
        Ok(filter) if filter.limit == 0 && filter.offset == 0 => {
            return document(&engine, &caller, Ok(DocumentKind::HistoryCsv(filter))).await;
        }
        Ok(filter) => filter,
        Err(refusal) => return bare(Err(refusal)),
    };
    let rows = match engine.query(Query::History(filter)).await {
        Ok(Answer::History(rows)) => rows,
        other => return bare(other),
    };
    papers::history(&rows).map_or_else(|refusal| bare(Err(refusal)), send)
}

async fn history_json(
    State(engine): State<Engine>,
    Extension(caller): Extension<Caller>,
    filter: Filter<HistoryFilter>,
) -> Response<Body> {
    document(
        &engine,
        &caller,
        sound(filter).map(DocumentKind::HistoryJson),
    )
    .await
}

async fn names_csv(
    State(engine): State<Engine>,
    Extension(caller): Extension<Caller>,
    filter: Filter<NameFilter>,
) -> Response<Body> {
    document(&engine, &caller, sound(filter).map(DocumentKind::NamesCsv)).await
}

async fn board_log(
    State(engine): State<Engine>,
    Extension(caller): Extension<Caller>,
    key: Key<BoardId>,
) -> Response<Body> {
    let kind = path(key).map(|board| DocumentKind::BoardLog { board });
    document(&engine, &caller, kind).await
}

async fn board_bundle(
    State(engine): State<Engine>,
    Extension(caller): Extension<Caller>,
    key: Key<BoardId>,
) -> Response<Body> {
    let kind = path(key).map(|board| DocumentKind::BoardBundle { board });
    document(&engine, &caller, kind).await
}

async fn packets(
    State(engine): State<Engine>,
    Extension(caller): Extension<Caller>,
) -> Response<Body> {
    document(&engine, &caller, Ok(DocumentKind::Packets)).await
}

async fn of_batch(
    State(engine): State<Engine>,
    Extension(caller): Extension<Caller>,
    key: Key<BatchId>,
    kind: fn(BatchId) -> DocumentKind,
) -> Response<Body> {
    document(&engine, &caller, path(key).map(kind)).await
}

/// `?batch=7&sheet=a4x24`, or `?board=…&board=…`, or `?board=…,…`.
async fn labels(
    State(engine): State<Engine>,
    Extension(caller): Extension<Caller>,
    words: Filter<Vec<(String, String)>>,
) -> Response<Body> {
    document(
        &engine,
        &caller,
        sound(words).and_then(|words| wanted(&words)),
    )
    .await
}

fn wanted(words: &[(String, String)]) -> Result<DocumentKind, Refusal> {
    let mut batch = None;
    let mut boards = Vec::new();
    let mut sheet = LabelSheet::default();
    for (name, value) in words {
        let wrong = |why: &dyn std::fmt::Display| Refusal::invalid(name, format!("{why}."));
        match name.as_str() {
            "batch" => batch = Some(value.parse::<BatchId>().map_err(|e| wrong(&e))?),
            "board" => {
                for id in value.split(',').filter(|id| !id.is_empty()) {
                    boards.push(id.parse::<BoardId>().map_err(|e| wrong(&e))?);
                }
            }
            "sheet" => {
                let word = serde_json::Value::String(value.clone());
                sheet = serde_json::from_value(word).map_err(|e| wrong(&e))?;
            }
            _ => {
                return Err(wrong(&format_args!("There is no parameter {name:?}"))
                    .next("There are batch, board and sheet."));
            }
        }
    }
    Ok(DocumentKind::Labels {
        batch,
        boards,
        sheet,
    })
}

async fn document(
    engine: &Engine,
    Caller { who, .. }: &Caller,
    kind: Result<DocumentKind, Refusal>,
) -> Response<Body> {
    let paper = match kind {
        Ok(kind) => engine.document_by(who, kind).await,
        Err(refusal) => Err(refusal),
    };
    paper.map_or_else(|refusal| bare(Err(refusal)), send)
}

fn send(paper: Paper) -> Response<Body> {
    let saved = [
        "text/csv",
        "application/zip",
        "application/vnd.tcpdump.pcap",
    ];
    let shown = !saved.iter().any(|kind| paper.media_type.starts_with(kind));
    let manner = if shown { "inline" } else { "attachment" };
    let save = format!("{manner}; filename=\"{}\"", paper.file_name);
    let mut response = Response::new(Body::from(paper.bytes));
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(CONTENT_TYPE, paper.media_type);
    set(CONTENT_DISPOSITION, &save);
    // A document runs nothing and fetches nothing.
    set(
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(words: &[(&str, &str)]) -> Result<DocumentKind, Refusal> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        wanted(&words.iter().map(own).collect::<Vec<_>>())
    }

    #[test]
    fn boards_are_listed_either_way() {
        let kind = asked(&[
            ("board", "00000001,00000002"),
            ("board", "3"),
            ("sheet", "a4x65"),
        ]);
        assert_eq!(kind.unwrap_err().field.as_deref(), Some("board"));
        let kind = asked(&[
            ("board", "00000001,00000002"),
            ("board", "00000003"),
            ("sheet", "a4x65"),
        ]);
        assert_eq!(
            kind.unwrap(),
            DocumentKind::Labels {
                batch: None,
                boards: [1, 2, 3].map(BoardId::Pi).to_vec(),
                sheet: LabelSheet::A4x65,
            }
        );
        assert!(
            asked(&[("bacth", "1")])
                .unwrap_err()
                .message
                .contains("\"bacth\"")
        );
    }
}
