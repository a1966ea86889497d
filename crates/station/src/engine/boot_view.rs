//! The answer to every request for a boot file, at once: a view of the bench that the engine
//! refreshes after each commit and the boot servers read without waiting for it.

use super::plans::Plans;
use crate::batches::rules::Sight;
use crate::bench::admission::Question;
use crate::bench::boards::Bench;
use crate::bench::boots::{self, BootAnswer, Install};
use crate::bench::identity;
use crate::bench::seat::Seat;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{PoisonError, RwLock};
use wire::BoardId;

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
    by_ip: HashMap<Ipv4Addr, BoardId>,
}

impl BootView {
    /// What to serve.
    pub(super) fn answer(&self, who: BootClient) -> BootAnswer {
        let view = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let of = |id: BoardId| {
            view.answers
                .get(&id)
                .cloned()
                .unwrap_or(BootAnswer::Unknown)
        };
        let by_ip = view.by_ip.get(&who.ip).copied();
        match (who.board, by_ip) {
            (None, Some(holder)) => of(holder),
            (Some(board), None) => of(board),
            (Some(board), Some(holder)) if board == holder => of(board),
            (Some(board), Some(holder)) if identity::is_provisional(holder) => {
                // Until now only its address was known; its folder says who it is.
                match (view.answers.get(&board), of(holder)) {
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

    /// Takes over the bench: the boards named, or all of them.
    pub(super) fn refresh(&self, bench: &Bench, plans: &Plans, only: Option<&[BoardId]>) {
        let mut view = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(ids) = only {
            for id in ids {
                match bench.seat(*id) {
                    Some(seat) => view.answers.insert(*id, answer(seat, plans)),
                    None => view.answers.remove(id),
                };
            }
        } else {
            let all = bench.seats();
            view.answers = all
                .map(|seat| (seat.tile.id, answer(seat, plans)))
                .collect();
        }
        view.by_ip = bench.addresses().collect();
    }
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
        owns: None,
        meant_for: &[],
        wants: None,
        batches: &candidates,
    };
    match boots::image_for(&question, seat, &plans.images) {
        Some(image) => BootAnswer::Install(Install {
            board: seat.tile.id,
            mac: seat.tile.mac,
            token: boot.token.clone(),
            image,
            machine: seat.machine,
        }),
        None => BootAnswer::Unknown,
    }
}
