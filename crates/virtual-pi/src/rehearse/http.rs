//! The operator's verbs over HTTP, for a station that runs in another process.

use super::station::Operator;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader};
use wire::Refusal;
use wire::command::{Command, Receipt};
use wire::query::{Answer, Query};
use wire::refusal::Code;
use wire::update::{Snapshot, Update};

/// A station's operator door.
#[derive(Debug)]
pub struct HttpOperator {
    client: ureq::Agent,
    verbs: String,
    token: Option<String>,
}

/// Longest first line of a watch, in bytes.
const MOST: u64 = 64 << 20;

impl HttpOperator {
    /// The door at `base`, e.g. `http://127.0.0.1:5000`. Commands need the `token` that the
    /// station keeps in its data folder.
    pub fn new(base: &str, token: Option<String>) -> Self {
        Self {
            client: delivery::http::client(None),
            verbs: format!("{}/api/v1", base.trim_end_matches('/')),
            token,
        }
    }

    /// The verbs of the rehearsal beside that station.
    #[must_use]
    pub fn rehearsal(mut self) -> Self {
        self.verbs.push_str("/rehearsal");
        self
    }

    fn post<A: Serialize, R: DeserializeOwned>(&self, verb: &str, body: &A) -> Result<R, Refusal> {
        let mut request = self.client.post(format!("{}/{verb}", self.verbs));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut answer = request.send_json(body).map_err(|e| away(&e))?;
        if answer.status().is_success() {
            return answer.body_mut().read_json().map_err(|e| away(&e));
        }
        let refusal: Result<Refusal, _> = answer.body_mut().read_json();
        Err(refusal.unwrap_or_else(|_| {
            Refusal::new(
                Code::Unknown,
                format!("it answered with status {}", answer.status()),
            )
        }))
    }
}

fn away(e: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(
        Code::Unavailable,
        format!("the station cannot be reached: {e}"),
    )
}

impl Operator for HttpOperator {
    fn command(&self, command: Command) -> Result<Receipt, Refusal> {
        self.post("command", &command)
    }

    fn query(&self, query: Query) -> Result<Answer, Refusal> {
        self.post("query", &query)
    }

    fn snapshot(&self) -> Result<Snapshot, Refusal> {
        let request = self.client.get(format!("{}/watch", self.verbs));
        let answer = request.call().map_err(|e| away(&e))?;
        let body = answer.into_body().into_with_config().limit(MOST).reader();
        let mut line = String::new();
        BufReader::new(body)
            .read_line(&mut line)
            .map_err(|e| away(&e))?;
        match serde_json::from_str(&line) {
            Ok(Update::Snapshot(all)) => Ok(*all),
            Ok(_) | Err(_) => Err(away(&"its watch does not begin with a snapshot")),
        }
    }
}
