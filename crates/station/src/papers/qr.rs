//! A QR code as black rectangles, sharp at any size.

use qrcode::{Color, EcLevel, QrCode};

/// Light modules that a code wants around it, on every side.
pub(super) const QUIET: f32 = 4.0;

/// A code: its side and its dark runs, in modules.
#[derive(Debug)]
pub(super) struct Code {
    /// Modules of a side, without the quiet zone.
    pub(super) side: f32,
    /// Column, row and length of each run.
    runs: Vec<[f32; 3]>,
}

impl Code {
    /// The code of a text; `None` if no code holds that much.
    ///
    /// Fifteen of a hundred codewords may be unreadable. Where that makes the code so fine that a
    /// small label prints it badly, seven are enough.
    pub(super) fn of(text: &str) -> Option<Self> {
        const FINE: usize = 37;
        let code = match QrCode::with_error_correction_level(text, EcLevel::M) {
            Ok(code) if code.width() <= FINE => code,
            _ => QrCode::with_error_correction_level(text, EcLevel::L).ok()?,
        };
        let side = code.width();
        let colors = code.into_colors();
        let mut runs = Vec::new();
        for (row, modules) in colors.chunks(side).enumerate() {
            let mut column = 0;
            for run in modules.chunk_by(|a, b| a == b) {
                if run[0] == Color::Dark {
                    runs.push([column as f32, row as f32, run.len() as f32]);
                }
                column += run.len();
            }
        }
        Some(Self {
            side: side as f32,
            runs,
        })
    }

    /// Its rectangles, `[x, y, width, height]`, with the upper left corner at `(x, y)`.
    pub(super) fn at(&self, (x, y): (f32, f32), module: f32) -> Vec<[f32; 4]> {
        let place = |[column, row, length]: &[f32; 3]| {
            [
                x + column * module,
                y + row * module,
                length * module,
                module,
            ]
        };
        self.runs.iter().map(place).collect()
    }
}
