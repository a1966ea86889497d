//! What only readers of the older system's interface ask for, read with the second connection.

use super::ask::Engine;
use crate::store;
use std::collections::HashMap;
use wire::id::Serial;
use wire::refusal::Refusal;
use wire::{BoardId, Millis, VenueCode};

impl Engine {
    /// When each venue was added.
    pub(crate) async fn venues_added(&self) -> Result<HashMap<VenueCode, Millis>, Refusal> {
        self.read(|conn| Ok(store::venues::added(conn)?)).await
    }

    /// The whole serial number of every board that has said it.
    pub(crate) async fn serials(&self) -> Result<HashMap<BoardId, Serial>, Refusal> {
        self.read(|conn| Ok(store::boards::serials(conn)?)).await
    }
}
