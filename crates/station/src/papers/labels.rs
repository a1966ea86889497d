//! Labels for boards: the name large, who the board is, and the same for a scanner.
//!
//! [`Stock`] is the paper, [`Label`] is what is said, [`Label::lay`] decides where it goes, for any
//! stock by the same rules: the name across the whole width on top, as large as it gets in one line,
//! in several when one would be too small; below it the particulars on the left and the code on the
//! right. Nothing leaves the printable part of its label.

use super::moment::Occasion;
use super::pdf::{Face, MM, Page, bind};
use super::qr::{Code, QUIET};
use crate::bench::seat::Seat;
use crate::store::{self, Connection};
use std::collections::BTreeSet;
use wire::batch::{BatchId, Name};
use wire::document::LabelSheet;
use wire::{BoardId, Millis, Refusal};

/// Most labels of one document: as many as the largest batch has boards.
const MOST: usize = 1000;

/// A paper with labels. Lengths are millimetres.
pub(super) struct Stock {
    page: (f32, f32),
    columns: usize,
    rows: usize,
    /// One label.
    label: (f32, f32),
    /// The upper left corner of the first one.
    first: (f32, f32),
    /// From one to the next.
    pitch: (f32, f32),
    /// What stays blank inside a label, left and right, above and below: printers do not reach the
    /// edge of the paper, and sheets are not fed exactly.
    margin: (f32, f32),
}

impl Stock {
    /// The measures of a paper.
    pub(super) fn of(sheet: LabelSheet) -> Result<Self, Refusal> {
        Ok(match sheet {
            LabelSheet::A4x24 => Self {
                page: (210.0, 297.0),
                columns: 3,
                rows: 8,
                label: (70.0, 36.0),
                first: (0.0, 4.5),
                pitch: (70.0, 36.0),
                margin: (4.5, 2.5),
            },
            LabelSheet::A4x65 => Self {
                page: (210.0, 297.0),
                columns: 5,
                rows: 13,
                label: (38.1, 21.2),
                first: (4.75, 10.7),
                pitch: (40.6, 21.2),
                margin: (1.6, 1.3),
            },
            LabelSheet::LetterX30 => Self {
                page: (215.9, 279.4),
                columns: 3,
                rows: 10,
                label: (66.7, 25.4),
                first: (4.76, 12.7),
                pitch: (69.85, 25.4),
                margin: (2.5, 1.8),
            },
            // Printers of such labels reach 58.9 × 22.9 mm of them.
            LabelSheet::Single62x29 => Self {
                page: (62.0, 29.0),
                columns: 1,
                rows: 1,
                label: (62.0, 29.0),
                first: (0.0, 0.0),
                pitch: (62.0, 29.0),
                margin: (2.0, 3.1),
            },
            LabelSheet::Unknown => {
                return Err(
                    Refusal::invalid("sheet", "This version does not know that paper.")
                        .next("Choose a4x24, a4x65, letter_x30 or single62x29."),
                );
            }
        })
    }

    /// The printable part of the label in a place, `[x, y, width, height]` in points.
    fn inside(&self, place: usize) -> [f32; 4] {
        let (column, row) = (place % self.columns, place / self.columns);
        let x = self.first.0 + column as f32 * self.pitch.0 + self.margin.0;
        let y = self.first.1 + row as f32 * self.pitch.1 + self.margin.1;
        let width = self.label.0 - 2.0 * self.margin.0;
        let height = self.label.1 - 2.0 * self.margin.1;
        [x * MM, y * MM, width * MM, height * MM]
    }

    /// How much of a code's quiet zone the margin of the label provides, in points.
    fn quiet(&self) -> f32 {
        self.margin.0.min(self.margin.1) * MM
    }
}

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

    /// What the code says: one line, for whatever reads it.
    fn code(&self) -> String {
        format!("{} {} {}", self.hostname, self.serial, self.mac)
    }

    /// Where everything goes on a label whose printable part is `[x, y, width, height]`. `quiet`
    /// points beyond its right and lower edges are blank too.
    fn lay(&self, [x, y, width, height]: [f32; 4], quiet: f32) -> Laid {
        const GAP: f32 = 3.0;
        let (size, name) = fit_name(&self.hostname, width, 0.34 * height);
        let mut texts = Vec::new();
        let mut below = y;
        for line in name {
            texts.push(Written {
                at: (x, below + ASCENT * size),
                face: Face::Bold,
                size,
                words: line,
            });
            below += size * LEAD;
        }
        let top = below + GAP * 0.5;
        let room = (y + height) - top;
        let code = Code::of(&self.code());
        let side = room.min(0.42 * width);
        let squares = code.map_or_else(Vec::new, |code| {
            // The quiet zone may reach into the margin, as far as that goes.
            let module =
                ((side + quiet) / (code.side + 2.0 * QUIET)).min(side / (code.side + QUIET));
            let inset = (QUIET * module - quiet).max(0.0);
            let corner = |edge: f32| edge - inset - code.side * module;
            code.at((corner(x + width), corner(y + height)), module)
        });
        self.particulars([x, top, width - side - GAP, room], &mut texts);
        Laid { texts, squares }
    }

    /// The lines beside the code, all of one size but the first.
    fn particulars(&self, [x, y, width, height]: [f32; 4], texts: &mut Vec<Written>) {
        const FIRST: f32 = 1.35;
        let (serial, more) = match self.serial.split_at_checked(19) {
            // A UUID, after its third group.
            Some((head, tail)) if !tail.is_empty() => (head, Some(tail)),
            _ => (self.serial.as_str(), None),
        };
        let mut exact = vec![format!("SN {serial}")];
        exact.extend(more.map(ToOwned::to_owned));
        exact.push(format!("MAC {}", self.mac));
        let lines = (exact.len() + 3) as f32 + FIRST;
        let widest = |face: Face, text: &str, factor: f32| width / (face.width(text, factor));
        let fits = exact.iter().map(|text| widest(Face::Regular, text, 1.0));
        let tail = widest(Face::Bold, &self.tail, FIRST);
        let size = fits
            .chain([tail, height / (lines * LEAD), 10.0])
            .fold(f32::MAX, f32::min);
        let mut top = y;
        let mut add = |face: Face, size: f32, words: String| {
            texts.push(Written {
                at: (x, top + ASCENT * size),
                face,
                size,
                words,
            });
            top += size * LEAD;
        };
        add(Face::Bold, FIRST * size, self.tail.clone());
        for text in exact {
            add(Face::Regular, size, text);
        }
        for text in [&self.product, &self.venue, &self.date] {
            add(Face::Regular, size, Face::Regular.cut(text, size, width));
        }
    }
}

/// How far letters rise above their line, and how far lines are apart, per point of size.
const ASCENT: f32 = 0.76;
const LEAD: f32 = 1.12;

/// A text in its place.
#[derive(Debug)]
struct Written {
    at: (f32, f32),
    face: Face,
    size: f32,
    words: String,
}

/// A label, laid out.
#[derive(Debug)]
struct Laid {
    texts: Vec<Written>,
    squares: Vec<[f32; 4]>,
}

/// The largest size at which a name fits, and its lines. One line, unless that would be tiny.
fn fit_name(name: &str, width: f32, height: f32) -> (f32, Vec<String>) {
    const SMALL: f32 = 8.0;
    let one = (width / Face::Bold.width(name, 1.0)).min(height / LEAD);
    if one >= SMALL {
        return (one, vec![name.to_owned()]);
    }
    let mut size = height / LEAD;
    while size > one {
        let lines = Face::Bold.lines(name, size, width);
        if lines.len() as f32 * size * LEAD <= height {
            return (size, lines);
        }
        size -= 0.1;
    }
    (one, vec![name.to_owned()])
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

#[cfg(test)]
mod tests {
    use super::*;

    const SHEETS: [LabelSheet; 4] = [
        LabelSheet::A4x24,
        LabelSheet::A4x65,
        LabelSheet::LetterX30,
        LabelSheet::Single62x29,
    ];

    fn label(hostname: &str, serial: &str, words: &str) -> Label {
        Label {
            hostname: hostname.to_owned(),
            serial: serial.to_owned(),
            tail: format!("Board {}", &serial[serial.len() - 8..]),
            mac: "dc:a6:32:dd:ee:ff".to_owned(),
            product: words.to_owned(),
            venue: words.to_owned(),
            date: "2026-11-18  REHEARSAL".to_owned(),
        }
    }

    fn all() -> Vec<Label> {
        let long = "W".repeat(63);
        let hyphens = "kart-display-for-the-north-grandstand-of-the-long-circuit-number";
        let (pi, uuid) = ("9d00ce41d137e638", "c0ffee00-0000-4000-8000-0123456789ab");
        let mut labels = Vec::new();
        for hostname in ["a", "KXP2-CORO-001", &hyphens[..63], &long] {
            for serial in [pi, uuid] {
                for words in [
                    "",
                    "Kart display",
                    "Ein sehr langer Name mit Łódź darin".repeat(2).as_str(),
                ] {
                    labels.push(label(hostname, serial, words));
                }
            }
        }
        labels
    }

    fn overlap(a: [f32; 4], b: [f32; 4]) -> bool {
        let apart =
            |at: usize| a[at] + a[at + 2] <= b[at] + 0.01 || b[at] + b[at + 2] <= a[at] + 0.01;
        !(apart(0) || apart(1))
    }

    /// What a text covers, with what hangs below its line.
    fn covered(text: &Written) -> [f32; 4] {
        let width = text.face.width(&text.words, text.size);
        let top = text.at.1 - ASCENT * text.size;
        [text.at.0, top, width, text.size * (ASCENT + 0.22)]
    }

    #[test]
    fn nothing_leaves_its_label_and_nothing_overlaps() {
        for sheet in SHEETS {
            let stock = Stock::of(sheet).unwrap();
            let [x, y, width, height] = stock.inside(0);
            for label in all() {
                let laid = label.lay(stock.inside(0), stock.quiet());
                let module = laid.squares.iter().map(|s| s[3]).fold(f32::MAX, f32::min);
                assert!(
                    module >= 0.22 * MM,
                    "{sheet:?}: {} mm {label:?}",
                    module / MM
                );
                let texts: Vec<_> = laid.texts.iter().map(covered).collect();
                for shape in texts.iter().chain(&laid.squares) {
                    assert!(
                        shape[0] >= x - 0.01
                            && shape[1] >= y - 0.01
                            && shape[0] + shape[2] <= x + width + 0.01
                            && shape[1] + shape[3] <= y + height + 0.01,
                        "{sheet:?}: {shape:?} leaves {label:?}"
                    );
                }
                let left = laid.squares.iter().map(|s| s[0]).fold(f32::MAX, f32::min);
                let top = laid.squares.iter().map(|s| s[1]).fold(f32::MAX, f32::min);
                let quiet = QUIET * module;
                let zone = [left - quiet, top - quiet, 1e4, 1e4];
                for (n, text) in texts.iter().enumerate() {
                    assert!(
                        !overlap(*text, zone),
                        "{sheet:?}: {text:?} in the code of {label:?}"
                    );
                    for other in &texts[n + 1..] {
                        assert!(
                            !overlap(*text, *other),
                            "{sheet:?}: {label:?}: {:?}",
                            laid.texts
                        );
                    }
                }
                assert!(
                    laid.texts.iter().all(|t| t.size >= 3.2),
                    "{sheet:?}: {:?}",
                    laid.texts
                );
            }
        }
    }

    #[test]
    fn the_labels_of_a_sheet_lie_on_its_paper() {
        for sheet in SHEETS {
            let stock = Stock::of(sheet).unwrap();
            let last = stock.columns * stock.rows - 1;
            let [x, y, width, height] = stock.inside(last);
            assert!(x + width <= stock.page.0 * MM && y + height <= stock.page.1 * MM);
            // As much paper is left behind the last label as before the first one.
            let behind = stock.page.0 * MM - (x + width) - stock.inside(0)[0];
            assert!(behind.abs() < 0.5 * MM, "{sheet:?}: {behind}");
        }
        assert!(Stock::of(LabelSheet::Unknown).is_err());
    }
}
