//! Text in the two faces that every PDF reader has: which byte a character is, how wide it is, how
//! it is cut and broken to fit.
//!
//! Sources: the encoding is `WinAnsiEncoding` of ISO 32000-1 annex D; the widths are those of
//! Adobe's font metrics for the 14 standard fonts (Helvetica.afm, Helvetica-Bold.afm), in
//! thousandths of the size, for the bytes 32 to 255. What the encoding lacks is shown as `?`.

/// A typeface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::papers) enum Face {
    /// Helvetica.
    Regular,
    /// Helvetica-Bold.
    Bold,
}

/// First byte of the width tables.
pub(super) const FIRST: u8 = 32;

#[rustfmt::skip]
const REGULAR: [u16; 224] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584, 350,
    556, 350, 222, 556, 333, 1000, 556, 556, 333, 1000, 667, 333, 1000, 350, 611, 350,
    350, 222, 222, 333, 333, 350, 556, 1000, 333, 1000, 500, 333, 944, 350, 500, 667,
    278, 333, 556, 556, 556, 556, 260, 556, 333, 737, 370, 556, 584, 333, 737, 333,
    400, 584, 333, 333, 333, 556, 537, 278, 333, 333, 365, 556, 834, 834, 834, 611,
    667, 667, 667, 667, 667, 667, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278,
    722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611,
    556, 556, 556, 556, 556, 556, 889, 500, 556, 556, 556, 556, 278, 278, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 584, 611, 556, 556, 556, 556, 500, 556, 500,
];

#[rustfmt::skip]
const BOLD: [u16; 224] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278,
    556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556,
    333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611,
    611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584, 350,
    556, 350, 278, 556, 500, 1000, 556, 556, 333, 1000, 667, 333, 1000, 350, 611, 350,
    350, 278, 278, 500, 500, 350, 556, 1000, 333, 1000, 556, 333, 944, 350, 500, 667,
    278, 333, 556, 556, 556, 556, 280, 556, 333, 737, 370, 556, 584, 333, 737, 333,
    400, 584, 333, 333, 333, 611, 556, 278, 333, 333, 365, 556, 834, 834, 834, 611,
    722, 722, 722, 722, 722, 722, 1000, 722, 667, 667, 667, 667, 278, 278, 278, 278,
    722, 722, 778, 778, 778, 778, 778, 584, 778, 722, 722, 722, 722, 667, 667, 611,
    556, 556, 556, 556, 556, 556, 889, 556, 556, 556, 556, 556, 278, 278, 278, 278,
    611, 611, 611, 611, 611, 611, 611, 584, 611, 611, 611, 611, 611, 556, 611, 556,
];

/// The characters of the bytes 0x80 to 0x9f; the ones without a character are never written.
const SPECIALS: [Option<char>; 32] = [
    Some('€'),
    None,
    Some('‚'),
    Some('ƒ'),
    Some('„'),
    Some('…'),
    Some('†'),
    Some('‡'),
    Some('ˆ'),
    Some('‰'),
    Some('Š'),
    Some('‹'),
    Some('Œ'),
    None,
    Some('Ž'),
    None,
    None,
    Some('‘'),
    Some('’'),
    Some('“'),
    Some('”'),
    Some('•'),
    Some('–'),
    Some('—'),
    Some('˜'),
    Some('™'),
    Some('š'),
    Some('›'),
    Some('œ'),
    None,
    Some('ž'),
    Some('Ÿ'),
];

impl Face {
    /// Widths of the bytes from [`FIRST`] on, in thousandths of the size.
    pub(super) fn widths(self) -> &'static [u16; 224] {
        match self {
            Self::Regular => &REGULAR,
            Self::Bold => &BOLD,
        }
    }

    /// How wide `text` is at `size`, both in points.
    pub(in crate::papers) fn width(self, text: &str, size: f32) -> f32 {
        let of = |c: char| u32::from(self.widths()[usize::from(byte(c) - FIRST)]);
        text.chars().map(of).sum::<u32>() as f32 / 1000.0 * size
    }

    /// `text`, or as much of its beginning as fits `room` points, with an ellipsis.
    pub(in crate::papers) fn cut(self, text: &str, size: f32, room: f32) -> String {
        if self.width(text, size) <= room {
            return text.to_owned();
        }
        let mut kept = text.to_owned();
        while kept.pop().is_some() {
            let shown = format!("{}…", kept.trim_end());
            if self.width(&shown, size) <= room {
                return shown;
            }
        }
        String::new()
    }

    /// `text` in lines of at most `room` points, broken behind spaces and hyphens where there are
    /// any and within a word where there are none. A character wider than the room has its own line.
    pub(in crate::papers) fn lines(self, text: &str, size: f32, room: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let end = self.fitting(rest, size, room);
            let (line, after) = rest.split_at(end);
            lines.push(line.trim_end().to_owned());
            rest = after.trim_start();
        }
        lines
    }

    /// Bytes of `text` for one line.
    fn fitting(self, text: &str, size: f32, room: f32) -> usize {
        let mut last_break = 0;
        for (at, c) in text.char_indices() {
            let end = at + c.len_utf8();
            // A space at the end of a line takes no room.
            if self.width(text[..end].trim_end(), size) > room {
                let anywhere = at.max(text.chars().next().map_or(0, char::len_utf8));
                return if last_break > 0 { last_break } else { anywhere };
            }
            if c == ' ' || c == '-' {
                last_break = end;
            }
        }
        text.len()
    }
}

/// `text` in the encoding of the faces.
pub(super) fn encode(text: &str) -> Vec<u8> {
    text.chars().map(byte).collect()
}

fn byte(c: char) -> u8 {
    match u8::try_from(u32::from(c)) {
        Ok(latin @ (0x20..=0x7e | 0xa0..=0xff)) => return latin,
        Ok(_) => return b'?',
        Err(_) => {}
    }
    let special = SPECIALS.iter().position(|s| *s == Some(c));
    special.map_or(b'?', |at| 0x80 + at as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_encoding_lacks_is_shown_and_never_dropped() {
        assert_eq!(encode("Kärt – 5 €"), b"K\xe4rt \x96 5 \x80");
        assert_eq!(encode("Łódź 東京\n\u{7f}"), b"?\xf3d? ????");
    }

    #[test]
    fn widths_are_those_of_the_face() {
        assert!((Face::Regular.width("0", 10.0) - 5.56).abs() < 0.001);
        assert!((Face::Bold.width("KX-é", 1000.0) - (722.0 + 667.0 + 333.0 + 556.0)).abs() < 0.1);
    }

    #[test]
    fn long_texts_are_cut_and_broken_to_the_room() {
        let long = "an unusually-long name ofAnotherVenueThatHasNoEndAndNoSpaces";
        let cut = Face::Bold.cut(long, 9.0, 60.0);
        assert!(
            cut.ends_with('…') && Face::Bold.width(&cut, 9.0) <= 60.0,
            "{cut}"
        );
        assert_eq!(Face::Bold.cut("short", 9.0, 60.0), "short");
        let lines = Face::Regular.lines(long, 9.0, 60.0);
        assert_eq!(lines[0], "an unusually-");
        assert!(lines.iter().all(|l| Face::Regular.width(l, 9.0) <= 60.0));
        let joined: String = lines.concat().replace(' ', "");
        assert_eq!(joined, long.replace(' ', ""));
        assert_eq!(Face::Regular.lines("WW", 9.0, 1.0), ["W", "W"]);
        assert!(Face::Regular.lines("  ", 9.0, 60.0).is_empty());
    }
}
