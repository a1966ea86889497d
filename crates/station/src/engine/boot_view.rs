//! The answer to every request for a boot file or a range of a pack, at once: a view of the bench
//! that the engine refreshes after each commit and the boot servers read without waiting for it.

use super::plans::Plans;
use super::report::same;
use crate::batches::rules::Sight;
use crate::bench::admission::{Question, Wants};
use crate::bench::boards::Bench;
use crate::bench::boots::{self, BootAnswer, Install};
use crate::bench::identity;
use crate::bench::seat::{Boot, Seat};
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{PoisonError, RwLock};
use wire::board::Mac;
use wire::refusal::{Code, Refusal};
use wire::{BoardId, ImageId};

/// Who asks for a boot file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootClient {
    /// Its address.
    pub ip: Ipv4Addr,
    /// The board whose folder it asks in.
    pub board: Option<BoardId>,
}

/// The view.
#[derive(Debug, Default)]
pub(super) struct BootView(RwLock<Inner>);

#[derive(Debug, Default)]
struct Inner {
    answers: HashMap<BoardId, BootAnswer>,
    boots: HashMap<BoardId, Boot>,
    sessions: HashMap<BoardId, Session>,
    by_ip: HashMap<Ipv4Addr, BoardId>,
    leased: HashMap<Ipv4Addr, Mac>,
    leased_to: HashMap<Ipv4Addr, BoardId>,
    /// Tokens are required, so they go nowhere but to the address that they are bound to.
    strict: bool,
}

/// What the check-in of a board has opened. A board that is finished may read again what it was given.
#[derive(Debug)]
struct Session {
    deployment: String,
    secret: String,
    image: ImageId,
}

impl BootView {
    /// What to serve.
    pub(super) fn answer(&self, who: BootClient) -> BootAnswer {
        let view = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match view.answer(who) {
            BootAnswer::Install(install)
                if view.strict && view.leased.get(&who.ip) != Some(&install.mac) =>
            {
                BootAnswer::Unknown
            }
            answer => answer,
        }
    }

    /// May the session be served this pack?
    pub(super) fn may_fetch(
        &self,
        from: Ipv4Addr,
        session: Option<&str>,
        image: ImageId,
    ) -> Result<(), Refusal> {
        let view = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if !view.strict {
            return Ok(());
        }
        let refusal = |words: &str| {
            Err(Refusal::new(Code::Forbidden, words).next(
                "Power-cycle the board, so that it boots from this station and asks for a job.",
            ))
        };
        let Some((deployment, secret)) = session.and_then(|s| s.split_once(':')) else {
            return refusal(
                "Packs are served to boards at work, and this request shows no session.",
            );
        };
        let mut sessions = view.sessions.iter();
        let found = sessions.find(|(_, s)| s.deployment == deployment && same(&s.secret, secret));
        let Some((board, session)) = found else {
            return refusal("The session of this request is none, or is over.");
        };
        if view.leased_to.get(&from) != Some(board) {
            return refusal("The session of this request belongs to a board at another address.");
        }
        if session.image != image {
            return refusal("The session of this request is for another image.");
        }
        Ok(())
    }

    /// Has DHCP given this address to a board?
    pub(super) fn has_leased(&self, address: Ipv4Addr) -> bool {
        let view = self.0.read().unwrap_or_else(PoisonError::into_inner);
        view.leased.contains_key(&address)
    }

    /// Takes over the bench: the boards named, or all of them.
    pub(super) fn refresh(
        &self,
        bench: &Bench,
        plans: &Plans,
        only: Option<&[BoardId]>,
        strict: bool,
    ) {
        let mut view = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(ids) = only {
            for id in ids {
                view.take(*id, bench.seat(*id), plans);
            }
        } else {
            view.answers.clear();
            view.boots.clear();
            view.sessions.clear();
            for seat in bench.seats() {
                view.take(seat.tile.id, Some(seat), plans);
            }
        }
        view.by_ip = bench.addresses().collect();
        view.leased.clone_from(bench.leases());
        let board = |(ip, mac): (&Ipv4Addr, &Mac)| bench.by_mac(*mac).map(|id| (*ip, id));
        view.leased_to = bench.leases().iter().filter_map(board).collect();
        view.strict = strict;
    }
}

impl Inner {
    /// Takes over one board.
    fn take(&mut self, id: BoardId, seat: Option<&Seat>, plans: &Plans) {
        keep(&mut self.answers, id, seat.map(|seat| answer(seat, plans)));
        keep(&mut self.boots, id, seat.and_then(|seat| seat.boot.clone()));
        let last = seat.and_then(|seat| seat.last.as_ref());
        let lasts = last.filter(|a| a.is_open() || a.stage.is_finished());
        let session = lasts.map(|attempt| Session {
            deployment: attempt.id.clone(),
            secret: attempt.secret.clone(),
            image: attempt.image,
        });
        keep(&mut self.sessions, id, session);
    }

    fn answer(&self, who: BootClient) -> BootAnswer {
        let view = self;
        let of = |id: BoardId| {
            view.answers
                .get(&id)
                .cloned()
                .unwrap_or(BootAnswer::Unknown)
        };
        // What DHCP gave is known better than what anybody says.
        let leased_to = view.leased_to.get(&who.ip);
        let by_ip = leased_to.or_else(|| view.by_ip.get(&who.ip)).copied();
        match (who.board, by_ip) {
            (None, Some(holder)) => of(holder),
            (Some(board), None) => of(board),
            (Some(board), Some(holder)) if board == holder => of(board),
            (Some(board), Some(holder)) if identity::is_provisional(holder) => {
                // Until now only its address was known; its folder says who it is. The token stays
                // the one of this boot, whatever the board was told in another.
                match (view.answers.get(&board), of(holder)) {
                    (Some(BootAnswer::Install(known)), _) => {
                        let mut install = known.clone();
                        if let Some(boot) = view.boots.get(&holder) {
                            install.token.clone_from(&boot.token);
                            install.mac = boot.mac;
                        }
                        BootAnswer::Install(install)
                    }
                    (Some(known), _) => known.clone(),
                    (None, BootAnswer::Install(install)) => {
                        BootAnswer::Install(Install { board, ..install })
                    }
                    (None, other) => other,
                }
            }
            // Nobody we know; or another board: the files of one hold its token.
            (None, None) | (Some(_), Some(_)) => BootAnswer::Unknown,
        }
    }
}

fn keep<T>(all: &mut HashMap<BoardId, T>, id: BoardId, now: Option<T>) {
    match now {
        Some(value) => all.insert(id, value),
        None => all.remove(&id),
    };
}

fn answer(seat: &Seat, plans: &Plans) -> BootAnswer {
    if seat.is_settled() {
        return BootAnswer::Decline;
    }
    let Some(boot) = &seat.boot else {
        return BootAnswer::Unknown;
    };
    let home = seat.last.as_ref().map(|a| a.batch);
    let candidates = plans.candidates(seat, home);
    let model = seat.tile.model.as_str();
    let question = Question {
        sight: Sight {
            board: seat.tile.id,
            models: &[model],
            ram_mib: seat.tile.ram_mib,
            disks: None,
        },
        machine: seat.machine,
        standing: seat.standing(),
        same_boot: false,
        permit: seat.permit,
        withheld: seat.withheld,
        owns: None,
        meant_for: &[],
        wants: &Wants::NOTHING,
        batches: &candidates,
    };
    match boots::image_for(&question, seat, &plans.images) {
        Some(image) => BootAnswer::Install(Install {
            board: seat.tile.id,
            mac: boot.mac,
            token: boot.token.clone(),
            image,
            machine: seat.machine,
        }),
        None => BootAnswer::Unknown,
    }
}
