//! Labels for boards: the name large, who the board is, and the same for a scanner.
//!
//! [`Stock`] is the paper, [`Label`] is what is said; `lay` decides where it goes, for any stock by
//! the same rules.

mod lay;
mod stock;

pub(super) use stock::Stock;

use super::moment::Occasion;
use super::pdf::{MM, Page, bind};
use crate::bench::seat::Seat;
use crate::store::{self, Connection};
use std::collections::BTreeSet;
use wire::batch::{BatchId, Name};
use wire::{BoardId, Millis, Refusal};

/// Most labels of one document: as many as the largest batch has boards.
const MOST: usize = 1000;

/// What a label says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Label {
    hostname: String,
    /// The whole serial number, or the id by which the station knows the board.
    serial: String,
    /// Its end, by which people tell boards apart, and the station's lists show them.
    tail: String,
    mac: String,
    product: String,
    venue: String,
    date: String,
}

impl Label {
    /// The labels of a batch or of single boards.
    pub(super) fn chosen(
        conn: &Connection,
        batch: Option<BatchId>,
        boards: &[BoardId],
        occasion: &Occasion,
    ) -> Result<Vec<Self>, Refusal> {
        match (batch, boards) {
            (Some(batch), []) => Self::of_batch(conn, batch, occasion),
            (None, [_, ..]) if boards.len() <= MOST => Self::of_boards(conn, boards, occasion),
            (None, [_, ..]) => Err(Refusal::invalid(
                "boards",
                format!("{} boards are too many for one document.", boards.len()),
            )
            .next(format!("Ask for at most {MOST} at a time."))),
            (None, []) => Err(Refusal::invalid(
                "boards",
                "Neither a batch nor a board was named, so there is nothing to print.",
            )
            .next("Name a batch, or one board or more.")),
            (Some(_), [_, ..]) => Err(Refusal::invalid(
                "boards",
                "Labels are either for a batch or for single boards, not for both at once.",
            )
            .next("Name the batch alone, or the boards alone.")),
        }
    }

    /// The finished boards of a batch, in the order of their names.
    fn of_batch(
        conn: &Connection,
        batch: BatchId,
        occasion: &Occasion,
    ) -> Result<Vec<Self>, Refusal> {
        if store::batches::get(conn, batch)?.is_none() {
            return Err(Refusal::not_found(format!("There is no batch {batch}.")).at("batch"));
        }
        let made = store::history::finished_in(conn, batch)?;
        if made.is_empty() {
            return Err(Refusal::conflict(format!(
                "No board of batch {batch} is finished yet, so there is nothing to print."
            ))
            .at("batch")
            .next("Print its labels once boards are done, or labels of single boards."));
        }
        let mut labels = Vec::new();
        for deployment in made {
            let seat = store::boards::get(conn, deployment.board)?;
            let name = store::names::of_board(conn, deployment.board)?;
            // A board that gave its name away since must not get a second label with it.
            if let (Some(seat), Some(name)) = (seat, name)
                && name.hostname == deployment.hostname
            {
                let date = deployment.ended.unwrap_or(occasion.at);
                let label = Self::of(conn, &seat, &name, date, occasion)?;
                labels.push(((name.number.is_none(), name.number), label));
            }
        }
        if labels.is_empty() {
            return Err(Refusal::conflict(format!(
                "Every board of batch {batch} has given its name back, so there is nothing to print."
            ))
            .at("batch"));
        }
        // Stable: names without a number stay in the order of their letters.
        labels.sort_by_key(|(place, _)| *place);
        Ok(labels.into_iter().map(|(_, label)| label).collect())
    }

    /// Boards in any state, in the order given, each once.
    fn of_boards(
        conn: &Connection,
        boards: &[BoardId],
        occasion: &Occasion,
    ) -> Result<Vec<Self>, Refusal> {
        let mut seen = BTreeSet::new();
        let mut labels = Vec::new();
        for board in boards.iter().filter(|board| seen.insert(**board)) {
            let seat = store::boards::get(conn, *board)?.ok_or_else(|| {
                Refusal::not_found(format!("There is no board {board}.")).at("boards")
            })?;
            let name = store::names::of_board(conn, *board)?.ok_or_else(|| {
                Refusal::conflict(format!(
                    "Board {board} has no name yet, so no label can be printed for it."
                ))
                .at("boards")
                .next("A batch gives it one; leave this board out until then.")
            })?;
            let finished = seat.last.as_ref().filter(|last| last.stage.is_finished());
            let date = finished.and_then(|last| last.ended).unwrap_or(occasion.at);
            labels.push(Self::of(conn, &seat, &name, date, occasion)?);
        }
        Ok(labels)
    }

    fn of(
        conn: &Connection,
        seat: &Seat,
        name: &Name,
        date: Millis,
        occasion: &Occasion,
    ) -> Result<Self, Refusal> {
        let tile = &seat.tile;
        let id = tile.id.to_string();
        let serial = tile.serial.map_or_else(|| id.clone(), |s| s.to_string());
        let product = store::products::get(conn, &name.product)?;
        let venue = store::venues::get(conn, &name.venue)?;
        let day = occasion.day(date);
        Ok(Self {
            hostname: name.hostname.to_string(),
            tail: format!("Board {}", &serial[serial.len().saturating_sub(8)..]),
            serial,
            mac: tile.mac.to_string(),
            product: product.map_or_else(|| name.product.to_string(), |p| p.name),
            venue: venue.map_or_else(|| name.venue.to_string(), |v| v.name),
            date: if tile.rehearsal {
                format!("{day}  REHEARSAL")
            } else {
                day
            },
        })
    }
}

/// The book of labels.
pub(super) fn print(labels: &[Label], stock: &Stock) -> std::io::Result<Vec<u8>> {
    let per_page = stock.columns * stock.rows;
    let pages = labels.chunks(per_page).map(|labels| {
        let mut page = Page::new(stock.page.0 * MM, stock.page.1 * MM);
        for (place, label) in labels.iter().enumerate() {
            let laid = label.lay(stock.inside(place), stock.quiet());
            for text in laid.texts {
                page.text(text.at, text.face, text.size, &text.words);
            }
            page.fill(laid.squares);
        }
        page
    });
    bind("Labels", pages.collect())
}
