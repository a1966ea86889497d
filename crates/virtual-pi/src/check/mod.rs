//! Is a backing file what the station promised? The proof behind the word *verified* of a rehearsal.
//!
//! A disk is right when it differs from the image in nothing but what was asked for. That is shown
//! twice, from two sides, and with readers that share no code with the writer:
//!
//! - *by blocks* ([`blocks`]): every chunk that the manifest calls data or zero is compared with
//!   the image; a block that differs must belong to a declared file, to a directory, or to the file
//!   system's own bookkeeping (asked of `debugfs`), or to the partition table;
//! - *by files* ([`files`]): every file, folder and link of the root file system has the content,
//!   mode, owner and time it has in the image, declared files excepted, and the bookkeeping is
//!   sound (`e2fsck -fn`);
//! - the declared files hold what was asked ([`asked`]), the partition table only grew ([`table`]).

mod asked;
mod blocks;
mod files;
mod reference;
mod table;
#[cfg(test)]
mod tests;
mod tree;

pub use reference::{Reference, ReferenceError};

use crate::tool::{self, Tool};
use std::path::Path;
use wire::Hostname;

/// What a board was asked to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its name.
    pub hostname: Hostname,
    /// Files that differ from the image on purpose, as absolute paths in the root file system.
    pub changed: Vec<String>,
}

/// Checks one disk. The error lists everything that is wrong, in words, worst first.
pub fn check(reference: &Reference, disk: &Path, expected: &Expected) -> Result<(), Vec<String>> {
    let mut wrong = Vec::new();
    let mut note = |result: Result<(), String>| wrong.extend(result.err());
    let root = reference.root;
    note(table::check(reference, disk));
    let fsck = Tool::E2fsck.run(["-fn", &tool::at(disk, root.start)]);
    note(
        fsck.map(drop)
            .map_err(|e| format!("the root file system is damaged: {e}")),
    );
    note(files::check(reference, disk, &expected.changed));
    note(asked::check(reference, disk, expected));
    note(blocks::check(reference, disk, &expected.changed));
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Names up to three of many things, so that a report stays readable.
fn some_of(mut all: Vec<String>) -> String {
    let more = all.len().saturating_sub(3);
    all.truncate(3);
    let named = all.join(", ");
    match more {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
