//! Questions and their answers.

use super::ask::Engine;
use crate::papers::{self, Occasion, Paper};
use crate::store;
use crate::who::{Who, rules};
use wire::Millis;
use wire::document::DocumentKind;
use wire::health::Ready;
use wire::query::{Answer, Certificate, Query};
use wire::refusal::Refusal;
use wire::request::Question;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Engine {
    /// Answers a question.
    pub async fn query(&self, query: Query) -> Result<Answer, Refusal> {
        match query {
            Query::Boards => Ok(self.published().read(|s| Answer::Boards(s.boards.clone()))),
            Query::Images => Ok(self.published().read(|s| Answer::Images(s.images.clone()))),
            Query::Ready => Ok(Answer::Ready(self.ready().await)),
            Query::Board { board } => {
                let on_bench = self.published().read(|snapshot| {
                    let mut boards = snapshot.boards.iter();
                    boards.find(|b| b.id == board).cloned()
                });
                match on_bench {
                    Some(tile) => Ok(Answer::Board(Box::new(tile))),
                    None => self.read(move |conn| remembered(conn, board)).await,
                }
            }
            Query::Sheet { board } => Ok(Answer::Sheet(Box::new(self.sheet(board).await?))),
            Query::Try { of } => Ok(Answer::Try(self.try_out(*of).await?)),
            Query::Document(kind) => {
                let paper = self.document_by(&Who::here(), kind).await?;
                Ok(Answer::Document(paper.into()))
            }
            Query::Nics => self.nics().await,
            Query::Settings => self.settings().await,
            Query::Works => self.works().await,
            Query::Operators => {
                let now = self.now();
                self.read(move |conn| Ok(Answer::Operators(store::operators::all(conn, now)?)))
                    .await
            }
            Query::Backups => self.backups().await,
            Query::Configuration => self.configuration().await,
            Query::SelfTest => Ok(Answer::SelfTest(Box::new(self.self_test().await?))),
            other => self.read(move |conn| read(conn, other)).await,
        }
    }

    /// Answers a question as it was read.
    pub async fn question(&self, question: Question) -> Result<Answer, Refusal> {
        match question {
            Question::Ask(query) => self.query(*query).await,
            Question::Known(answer) => Ok(*answer),
        }
    }

    /// Draws up a document for somebody: the answer to [`Query::Document`] for whoever wants its bytes.
    /// What only administrators may read is left out for others.
    pub async fn document_by(&self, who: &Who, kind: DocumentKind) -> Result<Paper, Refusal> {
        match kind {
            DocumentKind::BoardBundle { board } => {
                let needed = rules::needed_to_ask(&Query::Configuration);
                self.bundle(board, who.may(needed).is_ok()).await
            }
            DocumentKind::Packets => self.packets(),
            kind => {
                let draw = move |conn: &_| papers::draw(conn, kind, &Occasion::now());
                self.read(draw).await
            }
        }
    }

    pub(super) async fn ready(&self) -> Ready {
        let subsystems = self.subsystems().await;
        Ready {
            ready: subsystems.iter().all(|s| s.ready),
            subsystems,
            at: Millis::now(),
        }
    }
}

/// A board that left the bench.
fn remembered(conn: &store::Connection, id: wire::BoardId) -> Result<Answer, Refusal> {
    match store::boards::get(conn, id)? {
        Some(seat) => Ok(Answer::Board(Box::new(seat.tile))),
        None => Err(no_board(id)),
    }
}

/// Nobody has heard of that board.
pub(super) fn no_board(id: wire::BoardId) -> Refusal {
    Refusal::not_found(format!("There is no board {id}.")).at("board")
}

fn read(conn: &store::Connection, query: Query) -> Result<Answer, Refusal> {
    Ok(match query {
        Query::Products => Answer::Products(store::products::all(conn)?),
        Query::Venues => Answer::Venues(store::venues::all(conn)?),
        Query::Names(filter) => Answer::Names(store::names::list(conn, &filter)?),
        Query::Batches => Answer::Batches(store::batches::all(conn)?),
        Query::Batch { batch } => Answer::Batch(Box::new(find(conn, batch)?)),
        Query::History(filter) => Answer::History(store::history::list(conn, &filter)?),
        Query::HistoryCount(filter) => Answer::HistoryCount(store::history::count(conn, &filter)?),
        Query::Events(filter) => Answer::Events(store::events::list(conn, &filter)?),
        Query::Profiles => Answer::Profiles(store::profiles::all(conn)?),
        Query::Leases => Answer::Leases(store::leases::all(conn)?),
        Query::Stats => Answer::Stats(store::figures::stats(conn, Millis::now().plus(-DAY_MS))?),
        Query::Certificate { batch } => Answer::Certificate(Box::new(Certificate {
            batch: find(conn, batch)?,
            images: store::images::of_batch(conn, batch)?,
            boards: store::history::finished_in(conn, batch)?,
            at: Millis::now(),
        })),
        Query::Deeds(filter) => Answer::Deeds(store::deeds::list(conn, &filter)?),
        Query::Boards
        | Query::Operators
        | Query::Images
        | Query::Board { .. }
        | Query::Ready
        | Query::Sheet { .. }
        | Query::Nics
        | Query::Settings
        | Query::Works
        | Query::Backups
        | Query::Configuration
        | Query::SelfTest
        | Query::Try { .. }
        | Query::Document(_) => {
            return Err(Refusal::internal("A question went the wrong way."));
        }
        Query::Unknown => {
            return Err(Refusal::invalid(
                "query",
                "This version does not know that question.",
            ));
        }
    })
}

fn find(
    conn: &store::Connection,
    batch: wire::batch::BatchId,
) -> Result<wire::batch::Batch, Refusal> {
    store::batches::get(conn, batch)?
        .ok_or_else(|| Refusal::not_found(format!("There is no batch {batch}.")).at("batch"))
}
