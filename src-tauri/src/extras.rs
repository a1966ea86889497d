//! What every station that this program runs is given: the page for browsers, virtual boards to rehearse
//! with, and where its configuration comes from.

use crate::configuration::Again;
use crate::page::page;
use crate::rehearsals::Rehearsals;
use station::config::AgentFiles;
use station::service::Extras;
use std::sync::Arc;
use tokio::runtime::Handle;

/// The extras. Must be called within the runtime that the station runs on.
pub(crate) fn extras(agent: AgentFiles, again: Again) -> Extras {
    Extras {
        page: page(),
        rehearsals: Some(Arc::new(Rehearsals::new(Handle::current(), agent))),
        reload: Some(Arc::new(again)),
    }
}
