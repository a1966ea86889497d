//! `punnet alert`.

use crate::common::Common;
use crate::print::{Table, say};
use crate::trouble::Trouble;
use clap::Subcommand;
use serde::Serialize;
use station::alerts::{Message, ways};

/// Verbs of alerts.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Verb {
    /// Send a message over every way that is configured, and say what became of it.
    Test,
}

/// What became of a message on one way.
#[derive(Debug, Serialize)]
struct Outcome {
    way: String,
    sent: bool,
    why: Option<String>,
}

/// Does a verb of alerts.
pub(crate) fn run(common: &Common, verb: &Verb) -> Result<(), Trouble> {
    let Verb::Test = verb;
    let ways = ways(&common.configuration()?.alerts);
    if ways.is_empty() {
        return Err(Trouble::words(
            "no alert is configured. Set webhook, or smtp_host with mail_from and mail_to, under \
             [alerts] in station.toml",
        ));
    }
    let message = Message::test();
    let results: Vec<Outcome> = ways
        .into_iter()
        .map(|way| {
            let outcome = way.send(&message);
            Outcome {
                way: way.name,
                sent: outcome.is_ok(),
                why: outcome.err(),
            }
        })
        .collect();
    say(common.json, &results, |results| table(results))?;
    if results.iter().all(|result| result.sent) {
        Ok(())
    } else {
        Err(Trouble::Said)
    }
}

fn table(results: &[Outcome]) -> String {
    let mut table = Table::new(&["way", "result"], "");
    for result in results {
        let words = result.why.as_ref().map(|why| format!("not sent: {why}"));
        table.row([
            result.way.clone(),
            words.unwrap_or_else(|| "sent".to_owned()),
        ]);
    }
    table.to_string()
}
