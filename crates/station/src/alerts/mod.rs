//! Alerts: what a person has to know, sent to where that person is when nobody looks at the page.
//!
//! The same [`crate::notices`] that a desktop shows, gathered for longer, go out by [`webhook`] and by
//! [`mail`]. Each way is an [`outlet`] with a thread and a queue of its own: a receiver that is slow or
//! away holds up nobody, least of all a board, and gets everything that waited in one message.

mod handshake;
mod mail;
mod message;
mod outlet;
mod secret;
mod webhook;

pub use message::{Message, Said};
pub use outlet::{Outlet, Patience};

use crate::config::Alerts;
use crate::engine::Engine;
use crate::notices::{Manner, Rule, notice};
use std::time::Instant;
use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use wire::update::Update;

/// Sends one message; the error says what happened and what to do.
type Sending = dyn Fn(&Message) -> Result<(), String> + Send;

/// One way to somebody.
pub struct Way {
    /// What it is, for people.
    pub name: String,
    send: Box<Sending>,
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Way")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Way {
    /// Sends a message; blocks for as long as a receiver may take. The error says what happened and
    /// what to do.
    pub fn send(&self, message: &Message) -> Result<(), String> {
        (self.send)(message)
    }
}

/// The ways that are configured.
pub fn ways(alerts: &Alerts) -> Vec<Way> {
    let mut ways = Vec::new();
    let of_mail = alerts.authority.clone();
    let of_webhook = alerts.authority.clone();
    if let Some(webhook) = alerts.webhook.clone() {
        ways.push(Way {
            name: format!("webhook {}", webhook.shown()),
            send: Box::new(move |message| webhook::send(&webhook, of_webhook.as_ref(), message)),
        });
    }
    if let Some(mail) = alerts.mail.clone() {
        ways.push(Way {
            name: format!("e-mail to {}", mail.to.join(", ")),
            send: Box::new(move |message| mail::send(&mail, of_mail.as_ref(), message)),
        });
    }
    ways
}

/// Sends alerts of what happens from this call on, until `stop`, to whoever is named at the time.
pub fn run(
    engine: &Engine,
    mut alerts: watch::Receiver<Alerts>,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send + use<> {
    let engine = engine.clone();
    let begin = move |alerts: &Alerts| {
        let outlets = ways(alerts)
            .into_iter()
            .map(|way| Outlet::open(way, Patience::default()))
            .collect();
        Box::pin(run_with(&engine, alerts, outlets, stop.clone()))
    };
    let mut alerting = begin(&alerts.borrow_and_update());
    async move {
        loop {
            tokio::select! {
                () = &mut alerting => return,
                Ok(()) = alerts.changed() => alerting = begin(&alerts.borrow_and_update()),
            }
        }
    }
}

/// The same, over outlets that are open.
pub fn run_with(
    engine: &Engine,
    alerts: &Alerts,
    outlets: Vec<Outlet>,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send + use<> {
    let rule = Rule::new(Manner {
        gather: alerts.gather,
        heeds_quiet: false,
        beside: false,
    });
    let watch = engine.watch();
    async move {
        let alerting = follow(rule, watch, outlets);
        stop.run_until_cancelled_owned(alerting).await;
    }
}

async fn follow(
    mut rule: Rule,
    mut watch: impl Stream<Item = Update> + Unpin,
    outlets: Vec<Outlet>,
) {
    loop {
        let due = rule.due();
        let wait = due.map(|at| at.saturating_duration_since(Instant::now()));
        tokio::select! {
            update = watch.next() => match update {
                Some(update) => rule.take(&update, Instant::now()),
                None => return,
            },
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {
                let said = rule.ready(Instant::now());
                let said = said.iter().map(|group| Said::of(group, notice(group))).collect();
                let message = Message::now(said);
                for outlet in &outlets {
                    outlet.post(message.clone());
                }
            }
        }
    }
}
