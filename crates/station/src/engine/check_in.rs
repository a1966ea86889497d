//! An agent introduces its board and is told what to do.

use super::admit::{Admitted, Asking, admit};
use super::effect::Effect;
use super::turn::Turn;
use crate::batches::rules;
use crate::bench::admission::Wants;
use crate::bench::attempt::{Attempt, Via};
use crate::bench::identity;
use crate::bench::seat::{Arch, MAX_MACS, Machine, Seat};
use crate::bench::stages::{Heard, Note, line};
use crate::bench::trust::{self, Bearer, Doubt, Token};
use crate::store;
use std::net::Ipv4Addr;
use wire::agent::{After, CheckIn, HelloCall, Inventory, Job, Order, Personalise};
use wire::board::{Hold, Mac};
use wire::image::Image;
use wire::refusal::{Code, Refusal};
use wire::revision::Family;
use wire::{BoardId, Stage};

/// A waiting board asks again after this time.
const AGAIN_MS: u32 = 3000;
const MOST_DISKS: usize = 64;
const MOST_TEXT: usize = 120;
const TEN_MINUTES: i64 = 10 * 60 * 1000;

/// Answers a check-in.
pub(super) fn run(
    turn: &mut Turn<'_>,
    from: Ipv4Addr,
    check_in: CheckIn,
) -> Result<Order, Refusal> {
    let CheckIn {
        agent,
        token,
        mut inventory,
        ..
    } = check_in;
    bound(&mut inventory)?;
    identity::check(&inventory).map_err(|e| Refusal::invalid("inventory", format!("{e}.")))?;
    let id = inventory.board;
    turn.fetch(id)?;
    let boot = vouch_for(turn, from, token, &inventory)?;
    if let Some(why) = turn
        .seat(id)
        .and_then(|s| identity::conflict(s, inventory.serial))
    {
        return conflict(turn, id, &inventory, why);
    }
    settle_provisional(turn, id, &inventory)?;
    turn.welcome(id, inventory.mac)?;
    learn(turn, from, &agent, &inventory);
    turn.hear(id, Heard::CheckedIn)?;
    let asking = Asking {
        board: id,
        via: Via::Agent,
        boot,
        machine: machine_of(&inventory),
        disks: Some(inventory.disks.clone()),
        wants: Wants::NOTHING,
    };
    let admitted = admit(turn, &asking)?;
    would_use(turn, id, &admitted);
    Ok(match admitted {
        Admitted::Wait { hold, words } => wait(turn, id, hold, words),
        Admitted::GoHome { hostname } => Order::BootFromDisk { hostname },
        Admitted::Go { attempt, image } => Order::Provision(Box::new(job(turn, &attempt, &image))),
    })
}

fn bound(inventory: &mut Inventory) -> Result<(), Refusal> {
    if inventory.disks.len() > MOST_DISKS || inventory.macs.len() > MAX_MACS {
        return Err(Refusal::invalid(
            "inventory",
            format!("A board has at most {MOST_DISKS} disks and {MAX_MACS} addresses."),
        ));
    }
    inventory.model = line(&inventory.model, MOST_TEXT);
    for disk in &mut inventory.disks {
        disk.path = line(&disk.path, MOST_TEXT);
        disk.model = line(&disk.model, MOST_TEXT);
        disk.serial = line(&disk.serial, MOST_TEXT);
    }
    Ok(())
}

/// The token that the board shows, when it is believed. A board without one is turned away: anybody
/// on the wire could claim to be it.
fn vouch_for(
    turn: &Turn<'_>,
    from: Ipv4Addr,
    token: Option<String>,
    inventory: &Inventory,
) -> Result<Option<String>, Refusal> {
    let board = inventory.board;
    let doubt = match &token {
        Some(token) => doubt(turn, from, token, inventory)?,
        None => Some(Doubt::Missing),
    };
    match doubt {
        None => {
            if let Some(token) = &token {
                store::tokens::used(turn.tx, token, turn.now)?;
            }
            Ok(token)
        }
        Some(doubt) if turn.config.require_token => {
            tracing::warn!(%board, %from, %doubt, "a check-in was refused");
            let words = format!("Board {board} {doubt}.");
            Err(Refusal::new(Code::Forbidden, words)
                .next("Power-cycle it, so that it boots from this station."))
        }
        Some(_) => Ok(token.map(|t| line(&t, MOST_TEXT))),
    }
}

fn doubt(
    turn: &Turn<'_>,
    from: Ipv4Addr,
    token: &str,
    inventory: &Inventory,
) -> Result<Option<Doubt>, Refusal> {
    let known = store::tokens::shown(turn.tx, token, inventory.board)?;
    let seat = turn.seat(inventory.board);
    let foreign = |token: &Token| {
        seat.is_some_and(|seat| identity::is_foreign_mac(seat, token.mac, turn.now))
    };
    let mut macs = inventory.macs.clone();
    macs.push(inventory.mac);
    let bearer = Bearer {
        board: inventory.board,
        macs: &macs,
        from,
        leased: turn.bench.leased(from),
        settled: seat.is_some_and(Seat::is_settled),
        foreign: known.as_ref().is_some_and(foreign),
    };
    Ok(trust::check(known.as_ref(), &bearer, turn.now).err())
}

/// The seat under which the board was known while only its address was makes way for its own.
pub(super) fn settle_provisional(
    turn: &mut Turn<'_>,
    id: BoardId,
    inventory: &Inventory,
) -> Result<(), Refusal> {
    let macs: Vec<Mac> = inventory
        .macs
        .iter()
        .copied()
        .chain([inventory.mac])
        .collect();
    for mac in macs {
        take_over(turn, id, mac)?;
    }
    Ok(())
}

/// Moves what is known under an address to the board that turned out to have it.
pub(super) fn take_over(turn: &mut Turn<'_>, id: BoardId, mac: Mac) -> Result<(), Refusal> {
    let provisional = identity::by_mac(mac);
    let Some(known) = turn.seat(provisional).cloned() else {
        return Ok(());
    };
    turn.welcome(id, mac)?;
    if let Some(seat) = turn.seat_mut(id) {
        seat.boot = known.boot.or(seat.boot.take());
        seat.tile.ip = known.tile.ip.or(seat.tile.ip);
        seat.machine = seat.machine.or(known.machine);
        if !known.way.is_empty() {
            seat.way = known.way;
            seat.files = known.files;
        }
        seat.tile.place = seat.tile.place.take().or(known.tile.place);
        seat.tile.mac = mac;
        seat.learn_mac(mac);
        if seat.tile.stage == Stage::Seen && known.tile.stage != Stage::NotOurs {
            seat.tile.stage = known.tile.stage;
            seat.tile.stage_since = known.tile.stage_since;
        }
    }
    turn.dismiss(provisional)?;
    Ok(())
}

fn conflict(
    turn: &mut Turn<'_>,
    id: BoardId,
    inventory: &Inventory,
    why: String,
) -> Result<Order, Refusal> {
    let whom = inventory.serial.map(|s| s.to_string()).unwrap_or_default();
    tell_conflict(turn, id, whom, &why)?;
    let hold = Hold::IdentityConflict { why };
    let words = hold.to_string();
    Ok(Order::Wait {
        hold,
        words,
        again_ms: AGAIN_MS,
        identify_s: 0,
    })
}

/// Puts on the record, seldom, that `whom` goes by the id of another board.
pub(super) fn tell_conflict(
    turn: &mut Turn<'_>,
    id: BoardId,
    whom: String,
    why: &str,
) -> Result<(), Refusal> {
    let note = Note::error("identity.conflict", format!("Refused: {why}."));
    Ok(turn.note_seldom(&turn.about(id), whom, TEN_MINUTES, note)?)
}

/// Takes over what the board says of itself.
fn learn(turn: &mut Turn<'_>, from: Ipv4Addr, agent: &str, inventory: &Inventory) {
    let id = inventory.board;
    let Some(seat) = turn.seat_mut(id) else {
        return;
    };
    let tile = &mut seat.tile;
    tile.mac = inventory.mac;
    tile.ip = Some(from);
    tile.serial = inventory.serial.or(tile.serial);
    tile.revision = inventory.revision.or(tile.revision);
    tile.ram_mib = Some(inventory.ram_mib);
    if !inventory.model.is_empty() {
        tile.model.clone_from(&inventory.model);
    }
    seat.machine = machine_of(inventory).or(seat.machine);
    seat.agent = Some(line(agent, MOST_TEXT));
    let known_before = seat.checked_in;
    seat.checked_in = true;
    let mut new = Vec::new();
    for mac in inventory.macs.iter().copied().chain([inventory.mac]) {
        if !seat.macs.contains(&mac) || !known_before {
            new.push(mac);
        }
        seat.learn_mac(mac);
    }
    seat.inventory = Some(Box::new(inventory.clone()));
    turn.give(from, inventory.mac);
    for mac in new {
        turn.effect(Effect::Vouch(mac));
    }
}

fn machine_of(inventory: &Inventory) -> Option<Machine> {
    match inventory.board {
        BoardId::Pi(_) => Some(Machine::Pi {
            family: inventory
                .revision
                .map_or(Family::Unknown, wire::revision::Revision::family),
        }),
        BoardId::Uuid(_) => Arch::of_agent(&inventory.arch).map(|arch| Machine::Uefi { arch }),
    }
}

/// A waiting board shows the disk that it would use, when that is the reason it waits.
fn would_use(turn: &mut Turn<'_>, id: BoardId, admitted: &Admitted) {
    let Admitted::Wait { hold, .. } = admitted else {
        return;
    };
    let (Hold::DiskHoldsSystem { disk, .. } | Hold::ImageTooBig { disk, .. }) = hold else {
        return;
    };
    if let Some(seat) = turn.seat_mut(id) {
        let disks = seat.inventory.iter().flat_map(|i| &i.disks);
        let found = disks.into_iter().find(|d| d.path == *disk).cloned();
        seat.tile.disk = found;
    }
}

fn wait(turn: &mut Turn<'_>, id: BoardId, hold: Hold, words: String) -> Order {
    let identify_s = turn
        .seat_mut(id)
        .map_or(0, |seat| std::mem::take(&mut seat.identify_s));
    Order::Wait {
        hold,
        words,
        again_ms: AGAIN_MS,
        identify_s,
    }
}

fn job(turn: &Turn<'_>, attempt: &Attempt, image: &Image) -> Job {
    let plan = turn.plans.batch(attempt.batch).map(|b| &b.plan);
    let url = turn.config.station_url.as_deref();
    let hello = url.map(|url| HelloCall {
        url: format!("{}/agent/v1/hello", url.trim_end_matches('/')),
        secret: attempt.hello.clone(),
    });
    Job {
        deployment: attempt.id.clone(),
        secret: attempt.secret.clone(),
        hostname: attempt.hostname.clone(),
        image: attempt.image,
        disks: plan.map(rules::disks).unwrap_or_default(),
        disk: attempt
            .disk
            .as_ref()
            .map(|d| d.path.clone())
            .unwrap_or_default(),
        // Once writing has begun, what lies on the disk is this deployment's own.
        overwrite: attempt.overwrite || attempt.touched,
        personalise: Personalise {
            grow: image.contents.grow,
            fresh_machine_id: true,
            fresh_ssh_keys: true,
            hello,
        },
        after: After::Reboot,
    }
}
