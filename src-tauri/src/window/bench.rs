//! Which of the station's two benches the page means: the one with real boards, or the one of the
//! rehearsal that runs beside it.

use serde::Deserialize;
use station::link::Station;
use wire::Refusal;

/// A bench, as the page names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bench {
    /// Real boards.
    Real,
    /// Virtual boards.
    Rehearsal,
}

impl Bench {
    /// The handle for this bench of `station`.
    pub(crate) fn of(self, station: Station) -> Result<Station, Refusal> {
        match self {
            Self::Real => Ok(station),
            Self::Rehearsal => station.rehearsal(),
        }
    }
}
