//! Golden images: one row each; at most one of a product is active, by a unique index.

use super::{Result, column};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wire::ImageId;
use wire::image::Image;

const COLUMNS: &str = "id, product, file_name, version, description, raw_bytes, data_bytes,
    pack_bytes, sha256, contents, active, imported";

fn read(row: &Row<'_>) -> rusqlite::Result<Image> {
    Ok(Image {
        id: column::word(row, "id")?,
        product: column::word(row, "product")?,
        file_name: row.get("file_name")?,
        version: row.get("version")?,
        description: row.get("description")?,
        raw_bytes: column::number(row, "raw_bytes")?,
        data_bytes: column::number(row, "data_bytes")?,
        pack_bytes: column::number(row, "pack_bytes")?,
        sha256: row.get("sha256")?,
        contents: column::json(row, "contents")?,
        active: row.get("active")?,
        pack_fault: None,
        imported: column::millis(row, "imported")?,
    })
}

/// One image of the library.
pub fn get(conn: &Connection, id: &ImageId) -> Result<Option<Image>> {
    let sql = format!("SELECT {COLUMNS} FROM images WHERE id = ?1 AND removed = 0");
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_row([id.to_string()], read).optional()?)
}

/// The images of the library, by product, newest first.
pub fn all(conn: &Connection) -> Result<Vec<Image>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM images WHERE removed = 0 ORDER BY product, imported DESC, id"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Every image that a board of this batch got, removed ones included.
pub fn of_batch(conn: &Connection, batch: wire::batch::BatchId) -> Result<Vec<Image>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM images
         WHERE id IN (SELECT image FROM deployments WHERE batch = ?1
                      AND stage IN ('done', 'first_boot_confirmed'))
         ORDER BY imported, id"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement
        .query_map([batch.0], read)?
        .collect::<Result<_, _>>()?)
}

/// Adds an image, not active; one that was removed comes back.
pub fn add(conn: &Connection, image: &Image) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO images (id, product, file_name, version, description, raw_bytes, data_bytes,
            pack_bytes, sha256, contents, imported)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (id) DO UPDATE SET product = excluded.product,
            file_name = excluded.file_name, version = excluded.version,
            description = excluded.description, pack_bytes = excluded.pack_bytes,
            contents = excluded.contents, imported = excluded.imported, removed = 0
         WHERE removed = 1",
    )?
    .execute(params![
        image.id.to_string(),
        image.product.as_str(),
        image.file_name,
        image.version,
        image.description,
        column::signed(image.raw_bytes),
        column::signed(image.data_bytes),
        column::signed(image.pack_bytes),
        image.sha256,
        column::to_json(&image.contents)?,
        image.imported.0
    ])?;
    Ok(())
}

/// Makes an image the active one of its product.
pub fn activate(conn: &Connection, id: &ImageId) -> Result<()> {
    let id = id.to_string();
    conn.prepare_cached(
        "UPDATE images SET active = 0
         WHERE active = 1 AND product = (SELECT product FROM images WHERE id = ?1)",
    )?
    .execute([&id])?;
    conn.prepare_cached("UPDATE images SET active = 1 WHERE id = ?1 AND removed = 0")?
        .execute([&id])?;
    Ok(())
}

/// Takes an image out of the library; its row stays for the history.
pub fn remove(conn: &Connection, id: &ImageId) -> Result<()> {
    conn.prepare_cached("UPDATE images SET removed = 1 WHERE id = ?1 AND active = 0")?
        .execute([id.to_string()])?;
    Ok(())
}
