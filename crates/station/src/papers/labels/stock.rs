//! The papers that labels are printed on, by their measures.

use crate::papers::pdf::MM;
use wire::Refusal;
use wire::document::LabelSheet;

/// A paper with labels. Lengths are millimetres.
pub(in crate::papers) struct Stock {
    pub(super) page: (f32, f32),
    pub(super) columns: usize,
    pub(super) rows: usize,
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
    pub(in crate::papers) fn of(sheet: LabelSheet) -> Result<Self, Refusal> {
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
    pub(super) fn inside(&self, place: usize) -> [f32; 4] {
        let (column, row) = (place % self.columns, place / self.columns);
        let x = self.first.0 + column as f32 * self.pitch.0 + self.margin.0;
        let y = self.first.1 + row as f32 * self.pitch.1 + self.margin.1;
        let width = self.label.0 - 2.0 * self.margin.0;
        let height = self.label.1 - 2.0 * self.margin.1;
        [x * MM, y * MM, width * MM, height * MM]
    }

    /// How much of a code's quiet zone the margin of the label provides, in points.
    pub(super) fn quiet(&self) -> f32 {
        self.margin.0.min(self.margin.1) * MM
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_of_a_sheet_lie_on_its_paper() {
        for sheet in [
            LabelSheet::A4x24,
            LabelSheet::A4x65,
            LabelSheet::LetterX30,
            LabelSheet::Single62x29,
        ] {
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
