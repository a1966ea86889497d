//! The station of a rehearsal: on the loopback, with ports and data of its own, spoken to in process.
//!
//! Both ways to rehearse stand on it: the verb `punnet rehearse`, and the rehearsal beside a running
//! station.

use anyhow::Context as _;
use station::config::{AgentFiles, Config};
use station::link::Station as Handle;
use station::service::{Mode, RunningStation, StartError, run};
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Handle as Runtime;
use tokio_stream::StreamExt as _;
use virtual_pi::rehearse::{Operator, StationDoors};
use wire::Refusal;
use wire::command::{Command, Receipt};
use wire::query::{Answer, Query};
use wire::refusal::Code;
use wire::update::{Snapshot, Update};

/// Starts one that keeps its data in `data_dir`. Blocks until its servers serve.
pub(crate) fn start(
    runtime: &Runtime,
    data_dir: &Path,
    agent: AgentFiles,
) -> Result<RunningStation, StartError> {
    let config = Config::for_rehearsal(data_dir.to_owned(), agent);
    runtime.block_on(run(config, Mode::Rehearsal))
}

/// How virtual boards and their operator reach it. It is not theirs to stop.
pub(crate) fn doors(runtime: &Runtime, running: &RunningStation) -> anyhow::Result<StationDoors> {
    let at = running.addresses();
    Ok(StationDoors {
        dhcp: at.dhcp.context("DHCP does not serve")?,
        tftp: at.tftp.context("TFTP does not serve")?,
        operator: Arc::new(Here {
            station: running.station(),
            runtime: runtime.clone(),
        }),
        stop: Box::new(|| {}),
    })
}

/// The operator's verbs, called in process.
struct Here {
    station: Handle,
    runtime: Runtime,
}

impl Operator for Here {
    fn command(&self, command: Command) -> Result<Receipt, Refusal> {
        self.runtime.block_on(self.station.command(command))
    }

    fn query(&self, query: Query) -> Result<Answer, Refusal> {
        self.runtime.block_on(self.station.query(query))
    }

    fn snapshot(&self) -> Result<Snapshot, Refusal> {
        self.runtime.block_on(async {
            match self.station.watch().await?.next().await {
                Some(Update::Snapshot(now)) => Ok(*now),
                _ => Err(Refusal::new(Code::Unavailable, "The station has ended.")),
            }
        })
    }
}
