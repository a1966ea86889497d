//! A book of pages as PDF bytes: text in two standard faces, lines, filled squares. No more than
//! what labels and certificates are made of.
//!
//! Lengths are points, and a page is drawn on from its upper left corner, as it is read; the file
//! counts from the lower left one. Nothing is embedded: the faces are two of the fourteen that every
//! reader brings along, and their widths are written down so that a substitute keeps to them.

mod text;

pub(super) use text::Face;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::FontFlags;
use pdf_writer::{Content, Filter, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};
use std::io::Write as _;

/// Points of a millimetre.
pub(super) const MM: f32 = 72.0 / 25.4;

const CATALOG: Ref = Ref::new(1);
const TREE: Ref = Ref::new(2);
const INFO: Ref = Ref::new(3);
/// Of each face, its font and its descriptor.
const FACES: [(Face, Ref, Ref, Name<'_>, &[u8]); 2] = [
    (
        Face::Regular,
        Ref::new(4),
        Ref::new(5),
        Name(b"R"),
        b"Helvetica",
    ),
    (
        Face::Bold,
        Ref::new(6),
        Ref::new(7),
        Name(b"B"),
        b"Helvetica-Bold",
    ),
];
const FIRST_PAGE: i32 = 8;

/// A page being drawn.
pub(super) struct Page {
    width: f32,
    height: f32,
    content: Content,
}

impl Page {
    /// A blank page, in points.
    pub(super) fn new(width: f32, height: f32) -> Self {
        Self {
            width,
            height,
            content: Content::new(),
        }
    }

    /// Writes `text` from `x` on, standing `y` points below the upper edge.
    pub(super) fn text(&mut self, (x, y): (f32, f32), face: Face, size: f32, text: &str) {
        let name = match face {
            Face::Regular => FACES[0].3,
            Face::Bold => FACES[1].3,
        };
        self.content.begin_text();
        self.content.set_font(name, size);
        self.content.next_line(x, self.height - y);
        self.content.show(Str(&text::encode(text)));
        self.content.end_text();
    }

    /// The same, ending at `x`.
    pub(super) fn text_until(&mut self, (x, y): (f32, f32), face: Face, size: f32, text: &str) {
        self.text((x - face.width(text, size), y), face, size, text);
    }

    /// Draws what follows in this shade: 0 is black, 1 is white.
    pub(super) fn shade(&mut self, gray: f32) {
        self.content.set_fill_gray(gray);
        self.content.set_stroke_gray(gray);
    }

    /// A level line.
    pub(super) fn rule(&mut self, (from, to): (f32, f32), y: f32, thick: f32) {
        self.content.set_line_width(thick);
        self.content.move_to(from, self.height - y);
        self.content.line_to(to, self.height - y);
        self.content.stroke();
    }

    /// Fills rectangles, each `[x, y, width, height]` with its upper left corner, as one shape:
    /// neighbours leave no seam.
    pub(super) fn fill(&mut self, shape: impl IntoIterator<Item = [f32; 4]>) {
        for [x, y, width, height] in shape {
            let bottom = self.height - y - height;
            self.content.rect(x, bottom, width, height);
        }
        self.content.fill_nonzero();
    }
}

/// The bytes of a book.
pub(super) fn bind(title: &str, pages: Vec<Page>) -> std::io::Result<Vec<u8>> {
    let mut pdf = Pdf::new();
    let mut catalog = pdf.catalog(CATALOG);
    catalog.pages(TREE);
    catalog.lang(TextStr("en"));
    let mut manners = catalog.viewer_preferences();
    manners.display_doc_title(true);
    // Labels lie where the paper has them only when nobody shrinks the page to fit.
    manners.pair(Name(b"PrintScaling"), Name(b"None"));
    manners.finish();
    catalog.finish();
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    let refs = (0..count).map(|n| Ref::new(FIRST_PAGE + 2 * n));
    pdf.pages(TREE).kids(refs.clone()).count(count);
    pdf.document_info(INFO)
        .title(TextStr(title))
        .producer(TextStr("Punnet"));
    for (face, font, descriptor, name, called) in FACES {
        describe(&mut pdf, face, (font, descriptor), name, called);
    }
    for (page, id) in pages.into_iter().zip(refs) {
        let body = Ref::new(id.get() + 1);
        let mut leaf = pdf.page(id);
        leaf.media_box(Rect::new(0.0, 0.0, page.width, page.height));
        leaf.parent(TREE);
        leaf.contents(body);
        let mut resources = leaf.resources();
        let mut fonts = resources.fonts();
        for (_, font, _, name, _) in FACES {
            fonts.pair(name, font);
        }
        fonts.finish();
        resources.finish();
        leaf.finish();
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        packed.write_all(page.content.finish().as_slice())?;
        pdf.stream(body, &packed.finish()?)
            .filter(Filter::FlateDecode);
    }
    Ok(pdf.finish())
}

fn describe(
    pdf: &mut Pdf,
    face: Face,
    (font, descriptor): (Ref, Ref),
    name: Name<'_>,
    called: &[u8],
) {
    let widths = face.widths().iter().map(|w| f32::from(*w));
    let mut entry = pdf.type1_font(font);
    entry.name(name);
    entry.base_font(Name(called));
    entry.encoding_predefined(Name(b"WinAnsiEncoding"));
    entry
        .first_char(text::FIRST)
        .last_char(u8::MAX)
        .widths(widths);
    entry.font_descriptor(descriptor);
    entry.finish();
    // Helvetica.afm and Helvetica-Bold.afm: FontBBox, StdVW.
    let (bounds, stem) = match face {
        Face::Regular => (Rect::new(-166.0, -225.0, 1000.0, 931.0), 88.0),
        Face::Bold => (Rect::new(-170.0, -228.0, 1003.0, 962.0), 140.0),
    };
    pdf.font_descriptor(descriptor)
        .name(Name(called))
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(bounds)
        .italic_angle(0.0)
        .ascent(718.0)
        .descent(-207.0)
        .cap_height(718.0)
        .stem_v(stem);
}
