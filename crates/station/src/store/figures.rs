//! Counts for dashboards.

use super::{Result, column, settings};
use rusqlite::{Connection, Row};
use wire::query::{PoolCount, Share, StageTime, Stats};
use wire::{Millis, Stage};

/// The counts; `since` begins the recent past.
pub fn stats(conn: &Connection, since: Millis) -> Result<Stats> {
    let mut recent = conn.prepare_cached(
        "SELECT count(*),
                count(*) FILTER (WHERE stage IN ('done', 'first_boot_confirmed'))
         FROM deployments WHERE started >= ?1",
    )?;
    let (recent, recent_done) =
        recent.query_row([since.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut venues = conn.prepare_cached("SELECT count(*) FROM venues WHERE archived = 0")?;
    Ok(Stats {
        names: pools(conn)?,
        recent,
        recent_done,
        venues: venues.query_row([], |row| row.get(0))?,
        stages: stages(conn)?,
        by_model: shares(conn, BY_MODEL)?,
        by_venue: shares(conn, BY_VENUE)?,
    })
}

/// Figures for monitoring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Names by pool and state.
    pub names: Vec<PoolCount>,
    /// Deployments of all time by the stage they are in or ended in.
    pub deployments: Vec<(Stage, u32)>,
    /// When the newest backup was made.
    pub last_backup: Option<Millis>,
}

/// Figures for monitoring.
pub fn figures(conn: &Connection) -> Result<Figures> {
    let mut deployments = conn.prepare_cached(
        "SELECT stage, count(*) AS n FROM deployments GROUP BY stage ORDER BY stage",
    )?;
    let deployment = |row: &Row<'_>| Ok((column::word(row, "stage")?, row.get("n")?));
    Ok(Figures {
        names: pools(conn)?,
        deployments: deployments
            .query_map([], deployment)?
            .collect::<Result<_, _>>()?,
        last_backup: settings::last_backup(conn)?,
    })
}

fn pools(conn: &Connection) -> Result<Vec<PoolCount>> {
    let mut pools = conn.prepare_cached(
        "SELECT product, venue, state, count(*) AS n FROM names GROUP BY product, venue, state
         ORDER BY product, venue, state",
    )?;
    let count = |row: &Row<'_>| {
        Ok(PoolCount {
            product: column::word(row, "product")?,
            venue: column::word(row, "venue")?,
            state: column::word(row, "state")?,
            count: row.get("n")?,
        })
    };
    Ok(pools.query_map([], count)?.collect::<Result<_, _>>()?)
}

/// How long each stage took, in the order of a board's life.
fn stages(conn: &Connection) -> Result<Vec<StageTime>> {
    let mut found = conn.prepare_cached(
        "SELECT stage, count(*) AS n FROM steps WHERE took IS NOT NULL GROUP BY stage",
    )?;
    let count = |row: &Row<'_>| Ok((column::word(row, "stage")?, row.get("n")?));
    let found: Vec<(Stage, u32)> = found.query_map([], count)?.collect::<Result<_, _>>()?;
    let mut times = Vec::with_capacity(found.len());
    for (stage, count) in found {
        times.push(StageTime {
            stage,
            count,
            median_ms: at_most(conn, stage, count.div_ceil(2))?,
            p95_ms: at_most(conn, stage, (count * 19).div_ceil(20))?,
        });
    }
    times.sort_by_key(|time| time.stage);
    Ok(times)
}

/// What the quickest `share` of a stage's times took at most.
fn at_most(conn: &Connection, stage: Stage, share: u32) -> Result<i64> {
    let mut statement = conn.prepare_cached(
        "SELECT took FROM steps WHERE stage = ?1 AND took IS NOT NULL
         ORDER BY took LIMIT 1 OFFSET ?2",
    )?;
    let values = rusqlite::params![stage.as_str(), share.saturating_sub(1)];
    Ok(statement.query_row(values, |row| row.get(0))?)
}

/// Boards first, so that few rows are left to be put in order of their model.
const BY_MODEL: &str = "
    SELECT CASE model WHEN '' THEN 'unknown model' ELSE model END AS kind,
        sum(done) AS done, sum(failed) AS failed
    FROM (SELECT board,
            count(*) FILTER (WHERE stage IN ('done', 'first_boot_confirmed')) AS done,
            count(*) FILTER (WHERE stage = 'failed') AS failed
          FROM deployments GROUP BY board) JOIN boards ON boards.id = board
    GROUP BY kind HAVING done + failed > 0 ORDER BY done + failed DESC, kind";

const BY_VENUE: &str = "
    SELECT venue AS kind,
        count(*) FILTER (WHERE stage IN ('done', 'first_boot_confirmed')) AS done,
        count(*) FILTER (WHERE stage = 'failed') AS failed
    FROM deployments GROUP BY venue HAVING done + failed > 0
    ORDER BY done + failed DESC, venue";

fn shares(conn: &Connection, sql: &str) -> Result<Vec<Share>> {
    let mut statement = conn.prepare_cached(sql)?;
    let share = |row: &Row<'_>| {
        Ok(Share {
            of: row.get("kind")?,
            done: row.get("done")?,
            failed: row.get("failed")?,
        })
    };
    Ok(statement.query_map([], share)?.collect::<Result<_, _>>()?)
}
