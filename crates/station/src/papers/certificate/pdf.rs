//! The certificate on A4 pages: the head once, the table over as many pages as it takes, its columns
//! named on each of them, and each page numbered.

use super::{Facts, Row};
use crate::papers::pdf::{Face, MM, Page, bind};

const WIDTH: f32 = 297.0 * MM;
const HEIGHT: f32 = 210.0 * MM;
const MARGIN: f32 = 15.0 * MM;
const RIGHT: f32 = WIDTH - MARGIN;
/// Text and rows end above this; the foot stands below.
const BOTTOM: f32 = HEIGHT - MARGIN - 6.0 * MM;
/// Size of the table's text and the distance of its lines.
const SMALL: f32 = 8.0;
const LINE: f32 = 10.0;
const GAP: f32 = 6.0;
/// What is not the point: names of fields, the foot.
const GRAY: f32 = 0.35;

/// The columns and their widths; together they fill the page.
const COLUMNS: [(&str, f32); 8] = [
    ("", 26.0),
    ("Name", 192.0),
    ("Serial or board", 118.0),
    ("MAC", 84.0),
    ("Image", 102.0),
    ("Proof", 80.0),
    ("Finished", 77.0),
    ("First boot", 77.0),
];
/// Most lines of a cell; versions of images can be long.
const MOST: usize = 4;

/// The book's bytes.
pub(in crate::papers) fn print(facts: &Facts) -> std::io::Result<Vec<u8>> {
    let mut roll = Roll::begin(facts.title());
    roll.head(facts);
    roll.table(facts);
    let (title, pages) = roll.end();
    let of = pages.len();
    let numbered = pages.into_iter().zip(1..).map(|(mut page, n)| {
        page.shade(GRAY);
        let foot = HEIGHT - MARGIN;
        page.text((MARGIN, foot), Face::Regular, SMALL, &facts.imprint());
        page.text_until((RIGHT, foot), Face::Regular, SMALL, &format!("{n} of {of}"));
        page
    });
    bind(&title, numbered.collect())
}

/// Pages being filled from top to bottom.
struct Roll {
    title: String,
    full: Vec<Page>,
    page: Page,
    /// Where the next thing begins, from the top.
    y: f32,
}

impl Roll {
    fn begin(title: String) -> Self {
        Self {
            title,
            full: Vec::new(),
            page: Page::new(WIDTH, HEIGHT),
            y: MARGIN,
        }
    }

    fn end(mut self) -> (String, Vec<Page>) {
        self.full.push(self.page);
        (self.title, self.full)
    }

    /// A new page, unless `height` points are left on this one. True when it is new.
    fn turn(&mut self, height: f32) -> bool {
        if self.y + height <= BOTTOM {
            return false;
        }
        let full = std::mem::replace(&mut self.page, Page::new(WIDTH, HEIGHT));
        self.full.push(full);
        self.y = MARGIN + LINE;
        let title = Face::Bold.cut(&self.title, SMALL, RIGHT - MARGIN);
        self.page.text((MARGIN, self.y), Face::Bold, SMALL, &title);
        self.y += GAP;
        true
    }

    fn head(&mut self, facts: &Facts) {
        self.y += 16.0;
        self.page
            .text((MARGIN, self.y), Face::Bold, 20.0, &self.title);
        self.y += 8.0;
        for line in Face::Regular.lines(&facts.summary(), 10.5, RIGHT - MARGIN) {
            self.y += 14.0;
            self.page.text((MARGIN, self.y), Face::Regular, 10.5, &line);
        }
        self.y += GAP;
        for (name, value) in facts.particulars() {
            self.field(name, &value);
        }
        for image in &facts.images {
            self.turn(5.0 * LINE);
            self.y += GAP;
            self.field("Image", &image.version);
            self.field("File", &image.file_name);
            self.field("SHA-256", &image.sha256);
            self.field("Pack", &image.id.to_string());
        }
        self.y += 2.0 * GAP;
    }

    fn field(&mut self, name: &str, value: &str) {
        const INDENT: f32 = 60.0;
        const SIZE: f32 = 9.0;
        let lines = Face::Regular.lines(value, SIZE, RIGHT - MARGIN - INDENT);
        for (n, line) in lines.iter().enumerate() {
            self.turn(12.0);
            self.y += 12.0;
            if n == 0 {
                self.page.shade(GRAY);
                self.page.text((MARGIN, self.y), Face::Regular, SIZE, name);
                self.page.shade(0.0);
            }
            self.page
                .text((MARGIN + INDENT, self.y), Face::Regular, SIZE, line);
        }
    }

    fn table(&mut self, facts: &Facts) {
        if facts.boards.is_empty() {
            return;
        }
        // The columns' names never stand alone at the foot of a page.
        self.turn(4.0 * LINE);
        self.names();
        for (n, row) in facts.boards.iter().enumerate() {
            let cells = cells(facts, row, n + 1);
            let most = cells.iter().map(Vec::len).max().unwrap_or(1);
            let height = most as f32 * LINE + 4.0;
            if self.turn(height) {
                self.names();
            }
            let mut x = MARGIN;
            for (cell, (at, (_, width))) in cells.iter().zip(COLUMNS.iter().enumerate()) {
                let face = face(at);
                for (n, line) in cell.iter().enumerate() {
                    let y = self.y + (n + 1) as f32 * LINE;
                    self.page.text((x, y), face, SMALL, line);
                }
                x += width;
            }
            self.y += height;
            self.page.shade(0.75);
            self.page.rule((MARGIN, RIGHT), self.y, 0.4);
            self.page.shade(0.0);
        }
    }

    /// The columns' names.
    fn names(&mut self) {
        let mut x = MARGIN;
        for (name, width) in COLUMNS {
            self.page.text((x, self.y + LINE), Face::Bold, SMALL, name);
            x += width;
        }
        self.y += LINE + 4.0;
        self.page.rule((MARGIN, RIGHT), self.y, 1.0);
    }
}

/// A row's cells, broken into lines.
fn cells(facts: &Facts, row: &Row, number: usize) -> [Vec<String>; COLUMNS.len()] {
    let texts = [
        number.to_string(),
        row.hostname.clone(),
        row.serial.clone(),
        row.mac.to_string(),
        row.image.clone(),
        row.proof().to_owned(),
        facts.minute(row.made.ended),
        facts.minute(row.made.confirmed),
    ];
    let mut at = 0;
    texts.map(|text| {
        let room = COLUMNS[at].1 - GAP;
        let face = face(at);
        at += 1;
        let mut lines = face.lines(&text, SMALL, room);
        if lines.len() > MOST {
            lines.truncate(MOST);
            if let Some(last) = lines.last_mut() {
                // Longer than the room, so that it is cut with an ellipsis.
                *last = face.cut(&format!("{last}{}", "…".repeat(40)), SMALL, room);
            }
        }
        lines
    })
}

fn face(column: usize) -> Face {
    if column == 1 {
        Face::Bold
    } else {
        Face::Regular
    }
}
