//! Pools that run low while batches draw from them.

use super::turn::Turn;
use crate::bench::stages::Note;
use crate::names::pattern::{Pattern, Source};
use crate::store::events::About;
use crate::store::{self, Connection, StoreError};
use std::collections::BTreeMap;
use wire::batch::BatchId;
use wire::name::{ProductCode, VenueCode};

/// A pool that an open batch draws from and that has few free names: the batch, and how many.
type Low = BTreeMap<(ProductCode, VenueCode), (BatchId, u32)>;

/// The pools of open batches that have fewer than `least` free names.
pub(super) fn low(conn: &Connection, least: u32) -> Result<Low, StoreError> {
    let mut low = Low::new();
    for (batch, product, venue) in store::batches::open_pools(conn)? {
        let pattern = store::products::get(conn, &product)?.map(|p| p.pattern);
        let pattern = pattern.and_then(|text| text.parse::<Pattern>().ok());
        if pattern.is_none_or(|p| p.source() == Source::Board) {
            continue;
        }
        let free = store::names::count_available(conn, &product, &venue, &[])?;
        if free < least {
            low.insert((product, venue), (batch, free));
        }
    }
    Ok(low)
}

/// Warns of pools that have become low since the last look.
pub(super) fn watch(turn: &mut Turn<'_>, least: u32) -> Result<(), StoreError> {
    let low = low(turn.tx, least)?;
    for (pool, (batch, free)) in &low {
        if turn.noticed.low_pools.contains(pool) {
            continue;
        }
        let (product, venue) = pool;
        let left = match free {
            0 => format!("No {product} name is left"),
            1 => format!("Only 1 {product} name is left"),
            n => format!("Only {n} {product} names are left"),
        };
        let text = format!("{left} for {venue}. Import more names before the next batch.");
        let about = About {
            batch: Some(*batch),
            ..About::default()
        };
        turn.note(&about, Note::warning("names.low", text))?;
    }
    turn.noticed.low_pools = low.into_keys().collect();
    Ok(())
}
