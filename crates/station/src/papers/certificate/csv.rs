//! The certificate as a table: every row says everything, so that rows of many batches can be put
//! together.

use super::Facts;
use crate::papers::moment::iso;
use crate::papers::table::Table;

/// The columns; new ones are only ever added at the end.
const COLUMNS: [&str; 16] = [
    "hostname",
    "board",
    "serial",
    "mac",
    "batch",
    "product",
    "product_name",
    "venue",
    "venue_name",
    "image_version",
    "image_file",
    "image_sha256",
    "image_pack",
    "verified",
    "finished",
    "confirmed",
];

/// The table's bytes.
pub(in crate::papers) fn rows(facts: &Facts) -> Result<Vec<u8>, csv::Error> {
    let mut table = Table::begin(&COLUMNS)?;
    for row in &facts.boards {
        let made = &row.made;
        let image = facts.images.iter().find(|image| image.id == made.image);
        let cells: [String; COLUMNS.len()] = [
            row.hostname.clone(),
            made.board.to_string(),
            row.serial.clone(),
            row.mac.to_string(),
            made.batch.to_string(),
            made.product.to_string(),
            facts.product.clone(),
            made.venue.to_string(),
            facts.venue.clone(),
            image.map(|i| i.version.clone()).unwrap_or_default(),
            image.map(|i| i.file_name.clone()).unwrap_or_default(),
            image.map(|i| i.sha256.clone()).unwrap_or_default(),
            made.image.to_string(),
            row.proof().to_owned(),
            made.ended.map(iso).unwrap_or_default(),
            made.confirmed.map(iso).unwrap_or_default(),
        ];
        table.row(cells)?;
    }
    table.end()
}
