//! Figures for monitoring, read with the second connection.

use super::ask::Engine;
use crate::counts::Tally;
use crate::store;
use crate::store::figures::Figures;
use wire::health::Works;
use wire::refusal::Refusal;

impl Engine {
    /// What the store counts.
    pub(crate) async fn figures(&self) -> Result<Figures, Refusal> {
        self.read(|conn| Ok(store::figures::figures(conn)?)).await
    }

    /// What the servers have done and are doing; nothing where none run.
    pub(crate) async fn at_work(&self) -> (Tally, Works) {
        match self.outside() {
            Ok(outside) => (outside.tally(), outside.works().await),
            Err(_) => Default::default(),
        }
    }
}
