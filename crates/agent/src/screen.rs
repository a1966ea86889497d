//! What the board's own screen says: its name and its state, large enough to read across a bench.
//!
//! Pure: a [`Screen`] is what is shown, [`render`] turns it into text for a Linux console. A board
//! without a screen gets [`Screen::one_line`] on its serial port.

use std::fmt::Write as _;
use wire::board::{Limit, Progress};

/// How things stand; decides the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something is under way.
    Working,
    /// The board waits for somebody.
    Waiting,
    /// All is well and over.
    Good,
    /// Something is wrong.
    Bad,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Screen {
    /// How things stand.
    pub tone: Tone,
    /// The board's name, empty while it has none.
    pub hostname: String,
    /// The state in a word or two.
    pub headline: String,
    /// Sentences below.
    pub lines: Vec<String>,
    /// How far the present step is.
    pub progress: Option<Progress>,
    /// Why the station does not hear of it, if so: a sentence.
    pub away: Option<String>,
}

impl Screen {
    /// A screen without details.
    pub fn new(tone: Tone, hostname: &str, headline: &str) -> Self {
        Self {
            tone,
            hostname: hostname.to_owned(),
            headline: headline.to_owned(),
            lines: Vec::new(),
            progress: None,
            away: None,
        }
    }

    /// All of it in one line, without colours.
    pub fn one_line(&self) -> String {
        let mut parts = vec![self.hostname.clone(), self.headline.clone()];
        parts.extend(self.lines.iter().cloned());
        parts.extend(self.progress.as_ref().map(in_words));
        parts.extend(self.away.as_ref().map(|why| format!("{why} Going on.")));
        parts.retain(|p| !p.is_empty());
        plain(&parts.join(" - "))
    }
}

fn in_words(p: &Progress) -> String {
    let gb = |bytes: u64| bytes as f64 / 1e9;
    let percent = (p.done * 100).checked_div(p.total).unwrap_or(100);
    let mut text = format!("{percent} %  {:.2} of {:.2} GB", gb(p.done), gb(p.total));
    if let Some(seconds) = p.total.saturating_sub(p.done).checked_div(p.rate) {
        // Writing to a String cannot fail.
        let _ = write!(text, "  {:.1} MB/s", p.rate as f64 / 1e6);
        let _ = match seconds {
            0..90 => write!(text, "  {seconds} s left"),
            _ => write!(text, "  {} min left", seconds.div_ceil(60)),
        };
    }
    match p.limit {
        Limit::Network => text + "  (waiting for the network)",
        Limit::Disk => text + "  (waiting for the disk)",
        Limit::Processor => text + "  (waiting for the processor)",
        Limit::Unknown => text,
    }
}

/// Text from the network, without anything a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Columns of one large letter with the gap after it.
const WIDE: usize = 6;
/// Rows of one large letter with the gap below it.
const HIGH: usize = 6;

/// The screen as text for a console of the given size.
pub fn render(screen: &Screen, columns: usize, rows: usize) -> String {
    let mut out = String::from("\x1b[H\x1b[2J");
    let colour = match screen.tone {
        Tone::Working => "\x1b[36m",
        Tone::Waiting => "\x1b[33m",
        Tone::Good => "\x1b[32m",
        Tone::Bad => "\x1b[31m",
    };
    let (mut left, hostname) = (rows, plain(&screen.hostname));
    large(&mut out, &hostname, "\x1b[1;37m", columns, &mut left);
    large(
        &mut out,
        &plain(&screen.headline),
        colour,
        columns,
        &mut left,
    );
    let mut text: Vec<String> = Vec::new();
    if let Some(p) = &screen.progress {
        text.extend([bar(p, columns), in_words(p)]);
    }
    text.extend(screen.lines.iter().map(|l| plain(l)));
    if let Some(why) = &screen.away {
        text.push(plain(why) + " The work goes on; it is told later.");
    }
    for line in text.iter().flat_map(|l| wrapped(l, columns)) {
        if left <= 1 {
            break;
        }
        left -= 1;
        out.push_str(&line);
        out.push_str("\r\n");
    }
    out
}

fn bar(p: &Progress, columns: usize) -> String {
    let width = columns.saturating_sub(2).min(100);
    let full = (p.done.saturating_mul(width as u64))
        .checked_div(p.total)
        .unwrap_or(width as u64) as usize;
    let full = full.min(width);
    format!("[{}{}]", "#".repeat(full), ".".repeat(width - full))
}

/// Draws `text` in large letters, or plainly where there is no room for them.
fn large(out: &mut String, text: &str, colour: &str, columns: usize, left: &mut usize) {
    if text.is_empty() {
        return;
    }
    out.push_str(colour);
    let lines = wrapped(&text.to_uppercase(), (columns / WIDE).max(1));
    let known = text
        .chars()
        .all(|c| glyph(c.to_ascii_uppercase()).is_some());
    if known && lines.len() * HIGH + 4 <= *left {
        for line in &lines {
            for row in 0..HIGH - 1 {
                for letter in line.chars() {
                    let bits = glyph(letter).map_or(0, |rows| rows[row]);
                    out.extend(
                        (0..5)
                            .rev()
                            .map(|bit| if bits >> bit & 1 == 1 { '█' } else { ' ' }),
                    );
                    out.push(' ');
                }
                out.push_str("\r\n");
            }
            out.push_str("\r\n");
            *left -= HIGH;
        }
    } else {
        for line in wrapped(text, columns) {
            if *left <= 1 {
                break;
            }
            out.push_str(&line);
            out.push_str("\r\n");
            *left -= 1;
        }
    }
    out.push_str("\x1b[0m");
}

/// Breaks text at blanks, and inside words that are longer than a line.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let fits = |line: &String| line.chars().count() + 1 + word.chars().count() <= columns;
        if let Some(line) = lines.last_mut().filter(|line| fits(line)) {
            line.push(' ');
            line.push_str(word);
        } else {
            let letters: Vec<char> = word.chars().collect();
            lines.extend(letters.chunks(columns).map(|part| part.iter().collect()));
        }
    }
    lines
}

/// A letter as five rows of five bits.
fn glyph(letter: char) -> Option<[u8; 5]> {
    Some(match letter {
        ' ' => [0; 5],
        '-' => [0, 0, 0b01110, 0, 0],
        '0' => [0b01110, 0b10011, 0b10101, 0b11001, 0b01110],
        '1' => [0b00100, 0b01100, 0b00100, 0b00100, 0b01110],
        '2' => [0b11110, 0b00001, 0b01110, 0b10000, 0b11111],
        '3' => [0b11110, 0b00001, 0b00110, 0b00001, 0b11110],
        '4' => [0b10010, 0b10010, 0b11111, 0b00010, 0b00010],
        '5' => [0b11111, 0b10000, 0b11110, 0b00001, 0b11110],
        '6' => [0b01110, 0b10000, 0b11110, 0b10001, 0b01110],
        '7' => [0b11111, 0b00001, 0b00010, 0b00100, 0b00100],
        '8' => [0b01110, 0b10001, 0b01110, 0b10001, 0b01110],
        '9' => [0b01110, 0b10001, 0b01111, 0b00001, 0b01110],
        'A' => [0b01110, 0b10001, 0b11111, 0b10001, 0b10001],
        'B' => [0b11110, 0b10001, 0b11110, 0b10001, 0b11110],
        'C' => [0b01111, 0b10000, 0b10000, 0b10000, 0b01111],
        'D' => [0b11110, 0b10001, 0b10001, 0b10001, 0b11110],
        'E' => [0b11111, 0b10000, 0b11110, 0b10000, 0b11111],
        'F' => [0b11111, 0b10000, 0b11110, 0b10000, 0b10000],
        'G' => [0b01111, 0b10000, 0b10011, 0b10001, 0b01111],
        'H' => [0b10001, 0b10001, 0b11111, 0b10001, 0b10001],
        'I' => [0b01110, 0b00100, 0b00100, 0b00100, 0b01110],
        'J' => [0b00111, 0b00010, 0b00010, 0b10010, 0b01100],
        'K' => [0b10010, 0b10100, 0b11000, 0b10100, 0b10010],
        'L' => [0b10000, 0b10000, 0b10000, 0b10000, 0b11111],
        'M' => [0b10001, 0b11011, 0b10101, 0b10001, 0b10001],
        'N' => [0b10001, 0b11001, 0b10101, 0b10011, 0b10001],
        'O' => [0b01110, 0b10001, 0b10001, 0b10001, 0b01110],
        'P' => [0b11110, 0b10001, 0b11110, 0b10000, 0b10000],
        'Q' => [0b01110, 0b10001, 0b10101, 0b10010, 0b01101],
        'R' => [0b11110, 0b10001, 0b11110, 0b10010, 0b10001],
        'S' => [0b01111, 0b10000, 0b01110, 0b00001, 0b11110],
        'T' => [0b11111, 0b00100, 0b00100, 0b00100, 0b00100],
        'U' => [0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
        'V' => [0b10001, 0b10001, 0b10001, 0b01010, 0b00100],
        'W' => [0b10001, 0b10001, 0b10101, 0b11011, 0b10001],
        'X' => [0b10001, 0b01010, 0b00100, 0b01010, 0b10001],
        'Y' => [0b10001, 0b01010, 0b00100, 0b00100, 0b00100],
        'Z' => [0b11111, 0b00010, 0b00100, 0b01000, 0b11111],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_large_and_the_screen_does_not_scroll() {
        let mut screen = Screen::new(Tone::Working, "KXP2-CORO-001", "preparing storage");
        screen.lines = vec!["a word ".repeat(400)];
        for (columns, rows) in [(80, 25), (240, 67), (20, 5), (1, 1)] {
            let text = render(&screen, columns, rows);
            assert!(
                text.matches("\r\n").count() < rows.max(25),
                "{columns}x{rows}"
            );
        }
        let text = render(&screen, 80, 25);
        let first = text.lines().next().unwrap();
        assert!(
            first.contains("█   █ ████  ") || first.contains("█  █"),
            "{first}"
        );
    }

    #[test]
    fn nothing_from_the_network_commands_the_terminal() {
        let mut screen = Screen::new(Tone::Waiting, "", "waiting");
        screen.lines = vec!["\x1b]0;owned\x07 text".to_owned()];
        let text = render(&screen, 80, 25);
        assert!(
            text.contains("]0;owned text") && !text.contains('\x07'),
            "{text:?}"
        );
        assert!(!screen.one_line().contains('\x1b'));
    }

    #[test]
    fn progress_is_told_in_numbers() {
        let mut screen = Screen::new(Tone::Working, "a", "writing");
        screen.progress = Some(Progress {
            done: 1_000_000_000,
            total: 4_000_000_000,
            rate: 50_000_000,
            limit: Limit::Disk,
        });
        assert_eq!(
            screen.one_line(),
            "a - writing - 25 %  1.00 of 4.00 GB  50.0 MB/s  60 s left  (waiting for the disk)"
        );
        assert!(render(&screen, 42, 25).contains("[##########....."));
    }
}
