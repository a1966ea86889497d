//! How fit the station is: what the shell tells of its servers and the wire, and what the engine
//! knows itself.

use super::ask::Engine;
use super::fitness;
use super::room;
use super::turn::Turn;
use crate::batches::places;
use crate::bench::stages::Note;
use crate::config::Deployment;
use crate::names::pattern::{Pattern, Source};
use crate::net::findings::check;
use crate::store;
use crate::store::events::About;
use wire::ImageId;
use wire::batch::{Batch, BatchState};
use wire::event::Level;
use wire::health::{Finding, ServerState, ServerStatus, Subsystem};
use wire::refusal::Refusal;
use wire::update::Update;

/// Below this the disk of the data folder counts as full: 256 MiB.
const LEAST_FREE: u64 = 256 << 20;

/// What one turn says about the plans.
struct Planned {
    image: Subsystem,
    /// The images that boards of active batches get.
    images: Vec<ImageId>,
    pool: Subsystem,
    /// Where the station stands; nothing in a rehearsal, and while no station runs.
    standing: Option<Deployment>,
}

impl Engine {
    /// A server of the deployment side changed its state.
    pub fn server_changed(&self, status: ServerStatus) {
        self.post(|turn| server(turn, status));
    }

    /// What the wire checks found, all of it.
    pub fn findings_changed(&self, found: Vec<Finding>) {
        self.post(|turn| findings(turn, |check| check != check::BACKUP, found));
    }

    /// What is to be said of backups.
    pub(crate) fn backup_finding(&self, found: Option<Finding>) {
        let found = found.into_iter().collect();
        self.post(|turn| findings(turn, |check| check == check::BACKUP, found));
    }

    /// How fit each part of the station is: database, disk, network card, wire, image, pool, and each
    /// server as it was last told.
    pub async fn subsystems(&self) -> Vec<Subsystem> {
        let free = room::free(self.folder());
        let written = self.work(move |turn| {
            if let Ok(free) = free {
                let least = turn.preferences().disk_low;
                room::watch(turn, free, least)?;
            }
            // The one setting that is only there to be written.
            store::settings::set(turn.tx, "last_ready_check", &turn.now.0.to_string())?;
            let standing = turn.config.standing.as_ref().map(|s| s.deployment.clone());
            Ok(Planned {
                image: image(turn),
                images: images(turn),
                pool: pool(turn)?,
                standing: standing.filter(|_| !turn.config.rehearsal),
            })
        });
        let mut all = Vec::new();
        match written.await {
            Ok(planned) => {
                let sound = "can be read and written".to_owned();
                all.push(subsystem("database", true, sound));
                all.push(disk(free));
                all.extend(self.card(planned.standing).await);
                all.push(self.on_disk(planned.image, planned.images).await);
                all.push(planned.pool);
            }
            Err(refusal) => {
                all.push(subsystem("database", false, refusal.to_string()));
                all.push(disk(free));
            }
        }
        all.push(self.published().read(|now| fitness::wire(&now.findings)));
        self.published().read(|snapshot| {
            for server in &snapshot.servers {
                let listen = server.listen.as_deref().unwrap_or("its address");
                let (ready, detail) = match &server.state {
                    ServerState::Serving => (true, format!("serving on {listen}")),
                    ServerState::Stopped => (false, "stopped".to_owned()),
                    ServerState::WaitingForLink => (false, "waiting for the link".to_owned()),
                    ServerState::Probing => (false, "looking for rivals on the wire".to_owned()),
                    ServerState::Restarting { why, .. } => (false, format!("restarting: {why}")),
                    ServerState::Refused { why } => (false, why.clone()),
                    ServerState::Unknown => {
                        (false, "in a state this version does not know".to_owned())
                    }
                };
                all.push(subsystem(server.server.as_str(), ready, detail));
            }
        });
        all
    }
}

/// A server changed its state.
fn server(turn: &mut Turn<'_>, status: ServerStatus) -> Result<(), Refusal> {
    let before = turn.published.read(|snapshot| {
        let mut servers = snapshot.servers.iter();
        servers.find(|s| s.server == status.server).cloned()
    });
    if before.as_ref() == Some(&status) {
        return Ok(());
    }
    let name = status.server.as_str().to_uppercase();
    let note = match &status.state {
        ServerState::Refused { why } => Some(Note::error(
            "server.refused",
            format!("{name} does not serve: {why}"),
        )),
        ServerState::Restarting { why, .. } => Some(Note::warning(
            "server.restarted",
            format!("{name} ended and is started again: {why}"),
        )),
        ServerState::Serving => {
            let on = status.listen.as_deref().unwrap_or("its address");
            Some(Note::info(
                "server.serving",
                format!("{name} serves on {on}."),
            ))
        }
        ServerState::Stopped => Some(Note::info("server.stopped", format!("{name} is stopped."))),
        ServerState::WaitingForLink | ServerState::Probing | ServerState::Unknown => None,
    };
    let moved = before.is_none_or(|b| b.state != status.state);
    if let Some(note) = note.filter(|_| moved) {
        turn.note(&About::default(), note)?;
    }
    turn.tell(Update::Server(status));
    Ok(())
}

/// One of those who look around found this. What others found stays; `own` says whose a finding is.
fn findings(
    turn: &mut Turn<'_>,
    own: fn(&str) -> bool,
    mut findings: Vec<Finding>,
) -> Result<(), Refusal> {
    let before = turn.published.read(|snapshot| snapshot.findings.clone());
    findings.extend(before.iter().filter(|f| !own(&f.check)).cloned());
    if before == findings {
        return Ok(());
    }
    let is_new = |finding: &&Finding| {
        let same = |old: &Finding| old.check == finding.check && old.text == finding.text;
        finding.level > Level::Info && !before.iter().any(same)
    };
    for finding in findings.iter().filter(is_new) {
        let next = finding.next.as_deref().unwrap_or("");
        let note = Note {
            level: finding.level,
            kind: kind_of(finding),
            text: format!("{} {next}", finding.text).trim_end().to_owned(),
        };
        turn.note(&About::default(), note)?;
    }
    turn.tell(Update::Findings(findings));
    Ok(())
}

/// The kind of event that a finding is.
fn kind_of(finding: &Finding) -> &'static str {
    match finding.check.as_str() {
        check::RIVAL => "dhcp.rival",
        check::DUPLICATE => "wire.duplicate_address",
        check::BACKUP => "backup.old",
        _ => "wire.finding",
    }
}

fn subsystem(name: &str, ready: bool, detail: String) -> Subsystem {
    Subsystem {
        name: name.to_owned(),
        ready,
        detail,
    }
}

fn disk(free: Result<u64, nix::errno::Errno>) -> Subsystem {
    match free {
        Ok(free) => {
            let detail = format!("{} MiB free", free >> 20);
            subsystem("disk", free >= LEAST_FREE, detail)
        }
        Err(errno) => subsystem("disk", false, format!("cannot be asked: {errno}")),
    }
}

fn taking<'a>(turn: &Turn<'a>) -> impl Iterator<Item = &'a Batch> + use<'a> {
    let batches = turn.plans.batches.iter();
    batches.filter(|b| b.state == BatchState::Active)
}

fn images(turn: &Turn<'_>) -> Vec<ImageId> {
    taking(turn)
        .filter_map(|batch| Some(turn.plans.image_of(&batch.plan)?.id))
        .collect()
}

/// Every batch that takes boards needs an image to write.
fn image(turn: &Turn<'_>) -> Subsystem {
    let mut wanted = taking(turn).filter_map(|b| turn.plans.image_of(&b.plan));
    if let Some((image, fault)) = wanted.find_map(|image| Some((image, image.pack_fault?))) {
        let detail = format!(
            "the pack of {} {} is {}: import {} again",
            image.product,
            image.version,
            fault.as_str(),
            image.file_name
        );
        return subsystem("image", false, detail);
    }
    let mut without = taking(turn).filter(|b| turn.plans.image_of(&b.plan).is_none());
    match (
        without.next(),
        turn.plans.images.iter().filter(|i| i.active).count(),
    ) {
        (Some(batch), _) => {
            let detail = format!(
                "batch {} has no image: activate one for {}",
                batch.id, batch.plan.product
            );
            subsystem("image", false, detail)
        }
        (None, 0) => subsystem("image", true, "no image yet".to_owned()),
        (None, n) => subsystem("image", true, format!("{n} active")),
    }
}

/// Every batch that takes boards needs a name for each board to come.
fn pool(turn: &Turn<'_>) -> Result<Subsystem, Refusal> {
    for batch in taking(turn) {
        let plan = &batch.plan;
        let product = store::products::get(turn.tx, &plan.product)?;
        let pattern = product.and_then(|p| p.pattern.parse::<Pattern>().ok());
        if pattern.is_none_or(|p| p.source() == Source::Board) {
            continue;
        }
        let to_come = places::free(&batch.counters);
        let there = store::names::count_claimable(turn.tx, plan, batch.id)?;
        if there < to_come {
            let detail = format!(
                "batch {} is short of {} names: import more {} names for {}",
                batch.id,
                to_come - there,
                plan.product,
                plan.venue
            );
            return Ok(subsystem("pool", false, detail));
        }
    }
    Ok(subsystem(
        "pool",
        true,
        "every batch has its names".to_owned(),
    ))
}
