//! Where everything goes on a label: the name across the whole width on top, as large as it gets in
//! one line, in several when one would be too small; below it the particulars on the left and the
//! code on the right. Nothing leaves the printable part of its label.

use super::Label;
use crate::papers::pdf::Face;
use crate::papers::qr::{Code, QUIET};

impl Label {
    /// What the code says: one line, for whatever reads it.
    fn code(&self) -> String {
        format!("{} {} {}", self.hostname, self.serial, self.mac)
    }

    /// Where everything goes on a label whose printable part is `[x, y, width, height]`. `quiet`
    /// points beyond its right and lower edges are blank too.
    pub(super) fn lay(&self, [x, y, width, height]: [f32; 4], quiet: f32) -> Laid {
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
pub(super) struct Written {
    pub(super) at: (f32, f32),
    pub(super) face: Face,
    pub(super) size: f32,
    pub(super) words: String,
}

/// A label, laid out.
#[derive(Debug)]
pub(super) struct Laid {
    pub(super) texts: Vec<Written>,
    pub(super) squares: Vec<[f32; 4]>,
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

#[cfg(test)]
mod tests {
    use super::super::Stock;
    use super::*;
    use crate::papers::pdf::MM;
    use wire::document::LabelSheet;

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
}
