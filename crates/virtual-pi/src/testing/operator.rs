//! The operator's verbs of the station for tests: it writes down what it is told and has one image.

use super::station::Desk;
use crate::rehearse::Operator;
use wire::batch::{Batch, BatchId, BatchState, Counters};
use wire::board::{Board, Stage};
use wire::command::{Command, Import, ImportState, Receipt};
use wire::image::{Image, ImageContents};
use wire::query::{Answer, Query};
use wire::refusal::Code;
use wire::update::Snapshot;
use wire::{Mac, Millis, Refusal};

impl Operator for Desk {
    fn command(&self, command: Command) -> Result<Receipt, Refusal> {
        self.told.lock().unwrap().push(command.clone());
        match command {
            // As a station that was rehearsed with before.
            Command::VenueAdd { .. } => Err(Refusal::conflict("it exists")),
            Command::ProductAdd { .. }
            | Command::NamesImport { .. }
            | Command::BatchStart { .. } => Ok(Receipt::Done {
                text: String::new(),
            }),
            Command::ImageAdd { .. } => Ok(Receipt::Import {
                import: "I1".to_owned(),
            }),
            Command::BatchCreate(plan) => Ok(Receipt::Batch(Batch {
                id: BatchId(1),
                plan,
                state: BatchState::Pending,
                rank: 1,
                counters: Counters::default(),
                created: Millis(0),
                started: None,
                ended: None,
                rehearsal: true,
            })),
            other => Err(Refusal::new(Code::Internal, format!("{other:?}"))),
        }
    }

    fn query(&self, query: Query) -> Result<Answer, Refusal> {
        match query {
            Query::Names(_) => Ok(Answer::Names(Vec::new())),
            Query::Boards => Ok(Answer::Boards(self.boards())),
            other => Err(Refusal::new(Code::Internal, format!("{other:?}"))),
        }
    }

    fn snapshot(&self) -> Result<Snapshot, Refusal> {
        let image = self.image();
        Ok(Snapshot {
            imports: vec![Import {
                id: "I1".to_owned(),
                file_name: image.file_name.clone(),
                read: 1,
                total: 1,
                state: ImportState::Done { image: image.id },
                started: Millis(0),
            }],
            images: vec![image],
            ..Snapshot::default()
        })
    }
}

impl Desk {
    fn boards(&self) -> Vec<Board> {
        let books = self.inner.books();
        let boards = books.boards.iter().map(|(id, entry)| Board {
            id: *id,
            serial: None,
            mac: Mac([0; 6]),
            ip: None,
            revision: None,
            model: String::new(),
            ram_mib: None,
            stage: match entry {
                e if e.greeted => Stage::FirstBootConfirmed,
                e if e.failure.is_some() => Stage::Failed,
                e if e.outcome.is_some() => Stage::Done,
                _ => Stage::CheckedIn,
            },
            stage_since: Millis(0),
            last_seen: Millis(0),
            hostname: entry.hostname().parse().ok(),
            batch: Some(BatchId(1)),
            deployment: None,
            attempt: 1,
            progress: None,
            hold: None,
            failure: entry.failure.clone(),
            stalled: None,
            disk: None,
            detail: None,
            place: None,
            rehearsal: true,
        });
        boards.collect()
    }

    fn image(&self) -> Image {
        let manifest = self.inner.pack.manifest();
        Image {
            id: self.inner.pack.id(),
            product: "RHRSL".parse().unwrap(),
            file_name: "rehearsal.img".to_owned(),
            version: "rehearsal".to_owned(),
            description: String::new(),
            raw_bytes: manifest.raw_bytes,
            data_bytes: manifest.written_bytes(),
            pack_bytes: self.inner.pack.length(),
            sha256: String::new(),
            contents: ImageContents::default(),
            pack_fault: None,
            active: true,
            imported: Millis(0),
        }
    }
}
