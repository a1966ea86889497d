//! The station's door as a board sees it: JSON calls, the manifest, ranges of a pack.
//!
//! Blocking and without TLS: the door serves one wire between one laptop and its boards, packs are
//! for whoever has a job there, and the manifest carries a signature. Every answer is bounded; an
//! error says what happened, and trying again is the caller's business.

mod connect;

use crate::plan::Fetch;
use crate::{Sink, Transport, TransportError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Read;
use std::net::Ipv4Addr;
use std::time::Duration;
use ureq::http::{Response, StatusCode};
use ureq::typestate::WithoutBody;
use ureq::{Agent, Body, RequestBuilder};
use wire::agent::{SESSION_HEADER, SIGNATURE_HEADER};
use wire::image::ImageId;
use wire::manifest::SignedManifest;
use wire::refusal::Refusal;

/// Largest JSON answer read.
const MOST_JSON: u64 = 1 << 20;
/// Largest manifest read: some 150 000 chunks, or 600 GB of image.
const MOST_MANIFEST: u64 = 16 << 20;
/// Bytes taken from the connection at once.
const INPUT_BUFFER: usize = 256 << 10;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody answered, or the connection broke.
    #[error("{url} cannot be reached: {why}")]
    Unreachable {
        /// What was called.
        url: String,
        /// What happened.
        why: String,
    },
    /// The station refused, in its own words.
    #[error("{0}")]
    Refused(Refusal),
    /// An answer that is not the station's.
    #[error("{url} answered {status}, which is not how a station answers: {why}")]
    Strange {
        /// What was called.
        url: String,
        /// Its status.
        status: u16,
        /// What is strange about it.
        why: String,
    },
}

/// The HTTP client beneath: connections come from `source` when one is given, hosts are addresses,
/// a connection that is silent for ten seconds counts as broken, and every status is an answer.
pub fn client(source: Option<Ipv4Addr>) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .user_agent(concat!("punnet-agent/", env!("CARGO_PKG_VERSION")))
        .input_buffer_size(INPUT_BUFFER)
        .timeout_connect(Some(Duration::from_secs(5)))
        .timeout_send_request(Some(Duration::from_secs(10)))
        .timeout_send_body(Some(Duration::from_secs(10)))
        .timeout_recv_response(Some(Duration::from_secs(15)))
        .timeout_per_read(Some(Duration::from_secs(10)))
        .build();
    Agent::with_parts(config, connect::From { source }, connect::Literal)
}

/// A station's door for boards.
#[derive(Debug, Clone)]
pub struct Station {
    agent: Agent,
    base: String,
    session: Option<String>,
}

impl Station {
    /// The door at `base`, e.g. `http://192.168.151.1:5001`; the host is an address. Connections
    /// come from `source` when one is given.
    pub fn new(base: &str, source: Option<Ipv4Addr>) -> Self {
        Self {
            agent: client(source),
            base: base.trim_end_matches('/').to_owned(),
            session: None,
        }
    }

    /// The same, for what only a board with this job may fetch.
    #[must_use]
    pub fn in_session(&self, deployment: &str, secret: &str) -> Self {
        Self {
            session: Some(format!("{deployment}:{secret}")),
            ..self.clone()
        }
    }

    fn get(&self, url: &str) -> RequestBuilder<WithoutBody> {
        let request = self.agent.get(url);
        match &self.session {
            Some(session) => request.header(SESSION_HEADER, session),
            None => request,
        }
    }

    /// Its address, as given.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Posts JSON to a path of the door and reads JSON.
    pub fn post<Q: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        question: &Q,
    ) -> Result<A, HttpError> {
        let url = format!("{}{path}", self.base);
        self.post_url(&url, question)
    }

    /// Posts JSON to a whole URL and reads JSON.
    pub fn post_url<Q: Serialize, A: DeserializeOwned>(
        &self,
        url: &str,
        question: &Q,
    ) -> Result<A, HttpError> {
        let sent = self.agent.post(url).send_json(question);
        let mut answer = sent.map_err(|e| unreachable(url, &e))?;
        check(url, &mut answer, StatusCode::OK)?;
        let bytes = body(url, &mut answer, MOST_JSON)?;
        serde_json::from_slice(&bytes).map_err(|e| strange(url, &answer, e))
    }

    /// The manifest of an image with its signature. It has been checked to hash to `image`;
    /// whoever has the station's key checks the signature.
    pub fn manifest(&self, image: ImageId) -> Result<SignedManifest, HttpError> {
        let url = format!("{}/agent/v1/packs/{image}/manifest", self.base);
        let got = self.get(&url).call();
        let mut answer = got.map_err(|e| unreachable(&url, &e))?;
        check(&url, &mut answer, StatusCode::OK)?;
        let header = answer.headers().get(SIGNATURE_HEADER);
        let text = header.map_or("", |h| h.to_str().unwrap_or_default());
        let signature = signature(text)
            .ok_or_else(|| strange(&url, &answer, "its signature is not 128 hex digits"))?;
        let bytes = body(&url, &mut answer, MOST_MANIFEST)?;
        Ok(SignedManifest {
            bytes,
            signature,
            id: image,
        })
    }

    /// The frames of one pack, by ranges.
    pub fn pack(&self, image: ImageId) -> HttpPack {
        HttpPack {
            url: format!("{}/agent/v1/packs/{image}", self.base),
            station: self.clone(),
        }
    }
}

/// A signature from its header; an absent one is that of a station without a key, all zero.
fn signature(text: &str) -> Option<[u8; 64]> {
    let mut out = [0; 64];
    if text.is_empty() {
        return Some(out);
    }
    let digits = text.as_bytes();
    if digits.len() != 128 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

fn unreachable(url: &str, why: &dyn std::fmt::Display) -> HttpError {
    HttpError::Unreachable {
        url: url.to_owned(),
        why: why.to_string(),
    }
}

fn strange(url: &str, answer: &Response<Body>, why: impl std::fmt::Display) -> HttpError {
    HttpError::Strange {
        url: url.to_owned(),
        status: answer.status().as_u16(),
        why: why.to_string(),
    }
}

fn body(url: &str, answer: &mut Response<Body>, most: u64) -> Result<Vec<u8>, HttpError> {
    let read = answer.body_mut().with_config().limit(most).read_to_vec();
    read.map_err(|e| unreachable(url, &e))
}

/// Turns every status but `wanted` into an error, in the station's words where it has any.
fn check(url: &str, answer: &mut Response<Body>, wanted: StatusCode) -> Result<(), HttpError> {
    if answer.status() == wanted {
        return Ok(());
    }
    let bytes = body(url, answer, MOST_JSON).unwrap_or_default();
    if let Ok(refusal) = serde_json::from_slice::<Refusal>(&bytes) {
        return Err(HttpError::Refused(refusal));
    }
    let text: String = String::from_utf8_lossy(&bytes).chars().take(200).collect();
    Err(strange(url, answer, text))
}

/// The pack of one image behind a station's door.
#[derive(Debug, Clone)]
pub struct HttpPack {
    station: Station,
    url: String,
}

impl Transport for HttpPack {
    fn name(&self) -> &'static str {
        "http"
    }

    fn fetch(&self, fetch: &Fetch, sink: &mut dyn Sink) -> Result<(), TransportError> {
        let last = fetch.range.end.saturating_sub(1);
        let range = format!("bytes={}-{last}", fetch.range.start);
        let got = self.station.get(&self.url).header("range", range);
        let got = got.call();
        let mut answer = got.map_err(|e| broken(&self.url, &e))?;
        check(&self.url, &mut answer, StatusCode::PARTIAL_CONTENT).map_err(|e| match e {
            HttpError::Unreachable { .. } => TransportError::Broken(e.to_string()),
            other => TransportError::Refused(other.to_string()),
        })?;
        let told = answer.headers().get("content-range");
        let told = told.map_or("", |h| h.to_str().unwrap_or_default());
        if !told.starts_with(&format!("bytes {}-{last}/", fetch.range.start)) {
            return Err(TransportError::Refused(format!(
                "{} sent {told:?} where bytes {} to {last} were asked for",
                self.url, fetch.range.start
            )));
        }
        let mut reader = answer.body_mut().as_reader();
        for (chunk, bytes) in &fetch.frames {
            let Some(mut frame) = sink.room(*chunk, *bytes) else {
                return Err(TransportError::Unwanted);
            };
            frame.resize(*bytes, 0);
            reader
                .read_exact(&mut frame)
                .map_err(|e| broken(&self.url, &e))?;
            sink.frame(*chunk, frame);
        }
        // Reading on to the end lets the connection be used again.
        match reader.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(broken(&self.url, &"more bytes than asked for")),
            Err(e) => Err(broken(&self.url, &e)),
        }
    }
}

fn broken(url: &str, why: &dyn std::fmt::Display) -> TransportError {
    TransportError::Broken(format!("{url}: {why}"))
}
