//! Counts for dashboards.

use super::{Result, column};
use rusqlite::{Connection, Row};
use wire::Millis;
use wire::query::Stats;

/// The counts; `since` begins the recent past.
pub fn stats(conn: &Connection, since: Millis) -> Result<Stats> {
    let mut names = conn.prepare_cached(
        "SELECT product, state, count(*) AS n FROM names GROUP BY product, state
         ORDER BY product, state",
    )?;
    let count = |row: &Row<'_>| {
        Ok((
            column::word(row, "product")?,
            column::word(row, "state")?,
            row.get("n")?,
        ))
    };
    let names = names.query_map([], count)?.collect::<Result<_, _>>()?;
    let mut recent = conn.prepare_cached(
        "SELECT count(*),
                count(*) FILTER (WHERE stage IN ('done', 'first_boot_confirmed'))
         FROM deployments WHERE started >= ?1",
    )?;
    let (recent, recent_done) =
        recent.query_row([since.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut venues = conn.prepare_cached("SELECT count(*) FROM venues WHERE archived = 0")?;
    Ok(Stats {
        names,
        recent,
        recent_done,
        venues: venues.query_row([], |row| row.get(0))?,
        ..Stats::default()
    })
}
