//! The operator's page, as it was built: one set of files for both its homes, the window and the
//! browser. `build.rs` makes the table; it is empty when the page was not built.

use station::doors::operator::page::Page;

/// A file: its path with a leading slash, and its bytes.
pub(crate) type File = (&'static str, &'static [u8]);

/// Every file of the page.
pub(crate) const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// The page as the station serves it to browsers.
pub(crate) fn page() -> Page {
    Page::new(FILES)
}
