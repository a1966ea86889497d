//! Products: what boards become.

use super::{Result, column};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use wire::Millis;
use wire::batch::Product;
use wire::name::ProductCode;

const SELECT: &str = "SELECT p.code, p.name, p.pattern, p.archived,
    (SELECT i.id FROM images i WHERE i.product = p.code AND i.active = 1) AS image
    FROM products p";

fn read(row: &Row<'_>) -> rusqlite::Result<Product> {
    Ok(Product {
        code: column::word(row, "code")?,
        name: row.get("name")?,
        pattern: row.get("pattern")?,
        image: column::word_or_none(row, "image")?,
        archived: row.get("archived")?,
    })
}

/// One product.
pub fn get(conn: &Connection, code: &ProductCode) -> Result<Option<Product>> {
    let sql = format!("{SELECT} WHERE p.code = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_row([code.as_str()], read).optional()?)
}

/// All products, by code.
pub fn all(conn: &Connection) -> Result<Vec<Product>> {
    let sql = format!("{SELECT} ORDER BY p.code");
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(statement.query_map([], read)?.collect::<Result<_, _>>()?)
}

/// Adds a product.
pub fn add(conn: &Connection, product: &Product, now: Millis) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO products (code, name, pattern, archived, created)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        product.code.as_str(),
        product.name,
        product.pattern,
        product.archived,
        now.0
    ])?;
    Ok(())
}

/// Changes a product; its image is changed by activating one.
pub fn update(conn: &Connection, product: &Product) -> Result<()> {
    conn.prepare_cached(
        "UPDATE products SET name = ?2, pattern = ?3, archived = ?4 WHERE code = ?1",
    )?
    .execute(params![
        product.code.as_str(),
        product.name,
        product.pattern,
        product.archived
    ])?;
    Ok(())
}
