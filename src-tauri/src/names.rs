//! `punnet names`.

use crate::desk::{Desk, Work, unexpected};
use crate::print::{Table, or_dash};
use crate::trouble::Trouble;
use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use std::io::Read as _;
use std::path::Path;
use wire::batch::NameState;
use wire::command::{Command, NameSource, NamesReport, Receipt, Verdict};
use wire::query::{Answer, NameFilter, Query};
use wire::{BoardId, Hostname, ProductCode, VenueCode};

/// Verbs of names.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Verb {
    /// Import names from numbers and ranges (1-50,77) or from a CSV file.
    Import {
        /// The venue they belong to.
        venue: VenueCode,
        /// Numbers and ranges, or the name of a CSV file, or - for CSV from standard input.
        source: String,
        /// The product they belong to.
        #[arg(long)]
        product: ProductCode,
        /// Only show what would happen.
        #[arg(long)]
        dry_run: bool,
    },
    /// Add single numbers.
    Add {
        /// The venue they belong to.
        venue: VenueCode,
        /// The numbers.
        #[arg(required = true)]
        numbers: Vec<String>,
        /// The product they belong to.
        #[arg(long)]
        product: ProductCode,
    },
    /// List names.
    List {
        /// Of this product.
        #[arg(long)]
        product: Option<ProductCode>,
        /// Of this venue.
        #[arg(long)]
        venue: Option<VenueCode>,
        /// In this state.
        #[arg(long)]
        state: Option<State>,
        /// Containing this text.
        #[arg(long)]
        text: Option<String>,
    },
    /// Take a name from its board and make it available again.
    Release {
        /// Which.
        hostname: Hostname,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
    },
    /// Never use a name again.
    Retire {
        /// Which.
        hostname: Hostname,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
    },
    /// Make a retired name available again.
    Reinstate {
        /// Which.
        hostname: Hostname,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
    },
    /// Give a name to a new board.
    Replace {
        /// Which.
        hostname: Hostname,
        /// The board that gets it.
        #[arg(long)]
        board: BoardId,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
    },
    /// Delete an available name that was never used.
    Delete {
        /// Which.
        hostname: Hostname,
    },
}

/// The states of a name, as they are typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum State {
    /// Free.
    Available,
    /// Promised to a batch.
    Reserved,
    /// Owned by a board.
    Assigned,
    /// Not to be used.
    Retired,
}

impl From<State> for NameState {
    fn from(state: State) -> Self {
        match state {
            State::Available => Self::Available,
            State::Reserved => Self::Reserved,
            State::Assigned => Self::Assigned,
            State::Retired => Self::Retired,
        }
    }
}

/// Does a verb of names.
pub(crate) fn run(verb: &Verb) -> impl Work + use<> {
    let verb = verb.clone();
    async move |desk: &Desk| {
        let command = match verb {
            Verb::Import {
                venue,
                source,
                product,
                dry_run,
            } => {
                let source = read(&source)?;
                return import(desk, product, venue, source, dry_run).await;
            }
            Verb::Add {
                venue,
                numbers,
                product,
            } => {
                let text = numbers.join(",");
                return import(desk, product, venue, NameSource::Spec { text }, false).await;
            }
            Verb::List {
                product,
                venue,
                state,
                text,
            } => {
                let filter = NameFilter {
                    product,
                    venue,
                    state: state.map(NameState::from),
                    text,
                };
                return list(desk, filter).await;
            }
            Verb::Release { hostname, reason } => {
                desk.sure(&format!(
                    "{hostname} is taken from its board and may go to another one."
                ))?;
                Command::NameRelease { hostname, reason }
            }
            Verb::Retire { hostname, reason } => Command::NameRetire { hostname, reason },
            Verb::Reinstate { hostname, reason } => Command::NameReinstate { hostname, reason },
            Verb::Replace {
                hostname,
                board,
                reason,
            } => Command::NameReplace {
                hostname,
                board,
                reason,
            },
            Verb::Delete { hostname } => Command::NameDelete { hostname },
        };
        desk.change(command, |receipt| match receipt {
            Receipt::Name(name) => {
                let owner = name.board.map(|b| format!(", board {b}"));
                let state = name.state.as_str();
                format!("{} is {state}{}.", name.hostname, owner.unwrap_or_default())
            }
            Receipt::Done { text } => text.clone(),
            other => format!("{other:?}"),
        })
        .await
    }
}

/// A specification, or the text of a CSV file.
fn read(source: &str) -> Result<NameSource, Trouble> {
    if source == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(NameSource::Csv { text });
    }
    let path = Path::new(source);
    let is_csv = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    if !is_csv && !path.is_file() {
        return Ok(NameSource::Spec {
            text: source.to_owned(),
        });
    }
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {source}"))
        .map_err(Trouble::Failed)?;
    Ok(NameSource::Csv { text })
}

async fn import(
    desk: &Desk,
    product: ProductCode,
    venue: VenueCode,
    source: NameSource,
    dry_run: bool,
) -> Result<(), Trouble> {
    let command = Command::NamesImport {
        product,
        venue,
        source,
        dry_run,
    };
    let receipt = desk.command(command).await?;
    let Receipt::Names(report) = receipt else {
        return Err(unexpected());
    };
    desk.say(&report, words)?;
    if report.errors > 0 {
        return Err(Trouble::Said);
    }
    Ok(())
}

fn words(report: &NamesReport) -> String {
    let mut text = String::new();
    let wrong = report.lines.iter().filter(|l| l.verdict == Verdict::Error);
    for line in wrong {
        let why = line.message.as_deref().unwrap_or("it is wrong");
        text += &format!(
            "line {}, column {}: {:?}: {why}\n",
            line.line, line.column, line.token
        );
    }
    if report.dry_run {
        let mut table = Table::new(&["entry", "name", "verdict"], "");
        for line in &report.lines {
            let verdict = match line.verdict {
                Verdict::Add => "would be added",
                Verdict::Duplicate => "exists already",
                Verdict::Error => "wrong",
            };
            let name = or_dash(line.hostname.as_ref());
            table.row([line.token.clone(), name, verdict.to_owned()]);
        }
        text += &table.to_string();
    }
    let added = match (report.dry_run, report.errors) {
        (true, _) => "to add",
        (false, 0) => "added",
        (false, _) => "right",
    };
    let n = |count: u32, word: &str| format!("{count} {word}");
    let counts = [
        n(report.added, added),
        n(report.duplicates, "there already"),
        n(report.errors, "wrong"),
    ];
    text += &counts.join(", ");
    if report.errors > 0 {
        text += ". Nothing was imported.";
    }
    text
}

async fn list(desk: &Desk, filter: NameFilter) -> Result<(), Trouble> {
    let Answer::Names(names) = desk.query(Query::Names(filter)).await? else {
        return Err(unexpected());
    };
    desk.say(&names, |names| {
        let mut table = Table::new(
            &[
                "name", "product", "venue", "state", "batch", "board", "note",
            ],
            "There are no such names. Import some with `punnet names import`.",
        );
        for name in names {
            table.row([
                name.hostname.to_string(),
                name.product.to_string(),
                name.venue.to_string(),
                name.state.as_str().to_owned(),
                or_dash(name.batch),
                or_dash(name.board),
                name.note.clone(),
            ]);
        }
        table.to_string()
    })
}
