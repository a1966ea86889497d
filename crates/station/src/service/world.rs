//! The world around the engine, as this service sees it.

use super::live::Live;
use super::{Servers, StartError};
use crate::backup::keeper;
use crate::config::{Config, Deployment};
use crate::engine::Engine;
use crate::net::{Netlink, Nic};
use crate::outside::{Outside, Soon};
use crate::store;
use crate::traffic::Traffic;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;
use wire::backup::Backups;
use wire::configuration::{Change, Configuration, Value};
use wire::health::{DiskRoom, Listening, Works};
use wire::refusal::Code;
use wire::{Millis, Refusal};

/// Where what is asked of the service can be looked up.
#[derive(Debug)]
pub(super) struct World {
    pub(super) config: Config,
    pub(super) servers: watch::Receiver<Servers>,
    pub(super) traffic: Traffic,
    /// The operator's HTTP door, and whether a browser finds the page there.
    pub(super) operator: SocketAddr,
    pub(super) has_page: bool,
    /// The fingerprint of its certificate, when it is encrypted.
    pub(super) fingerprint: Option<String>,
    pub(super) begun: Instant,
    /// What may change while the station runs.
    pub(super) live: Live,
}

impl Outside for World {
    fn nics(&self) -> Soon<'_, Result<Vec<Nic>, Refusal>> {
        Box::pin(async {
            let list = async { Netlink::open()?.list().await };
            list.await.map_err(|why| {
                let text = format!("The network cards cannot be listed: {why}.");
                Refusal::new(Code::Unavailable, text)
            })
        })
    }

    fn works(&self) -> Soon<'_, Works> {
        Box::pin(async {
            let (data, packs) = (self.config.data_dir.clone(), self.config.packs_dir());
            let disk = tokio::task::spawn_blocking(move || room(&data, &packs)).await;
            Works {
                transfers: self.traffic.now(),
                disk: disk.unwrap_or_default(),
                sockets: self.sockets(),
                memory: memory(),
                up_ms: i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX),
            }
        })
    }

    fn backups(&self, last: Option<Millis>) -> Soon<'_, Result<Backups, Refusal>> {
        Box::pin(async move {
            let plan = self.live.plan();
            let list = tokio::task::spawn_blocking(move || keeper::backups(&plan, last));
            let list = list
                .await
                .map_err(|gone| Refusal::internal(gone.to_string()))?;
            list.map_err(|why| {
                let text = format!("The folder of backups cannot be read: {why}.");
                Refusal::new(Code::Unavailable, text)
            })
        })
    }

    fn read_again(&self) -> Soon<'_, Result<(Vec<Value>, Config), Refusal>> {
        Box::pin(self.live.read_again())
    }

    fn apply(&self, wanted: Box<Config>, waiting: Vec<Change>) -> Soon<'_, ()> {
        Box::pin(self.live.apply(wanted, waiting))
    }

    fn configuration(&self, chosen: Option<Deployment>) -> Configuration {
        self.live.configuration(chosen)
    }

    fn page(&self) -> Option<String> {
        let scheme = match self.fingerprint {
            Some(_) => "https",
            None => "http",
        };
        self.has_page
            .then(|| format!("{scheme}://{}", self.operator))
    }

    fn fingerprint(&self) -> Option<String> {
        self.fingerprint.clone()
    }
}

impl World {
    /// Shows itself to the engine; the configuration to serve with, the operator's choice included.
    pub(super) async fn show(
        self,
        engine: &Engine,
        mut config: Config,
    ) -> Result<Arc<Config>, StartError> {
        let fixed_by = config.deployment_fixed_by.clone();
        let begun = engine.begin(Arc::new(self), config.deployment, fixed_by);
        config.deployment = begun.await.map_err(StartError::Settings)?;
        Ok(Arc::new(config))
    }

    fn sockets(&self) -> Vec<Listening> {
        let open = |what: &str, at: String| Listening {
            what: what.to_owned(),
            at,
        };
        let servers = self.servers.borrow();
        let mut all: Vec<Listening> = servers
            .iter()
            .filter_map(|(status, _)| {
                let name = status.server.as_str().to_uppercase();
                Some(open(&name, status.listen.clone()?))
            })
            .collect();
        let secret = self.fingerprint.as_ref().map_or_else(String::new, |print| {
            format!(" (HTTPS, SHA-256 fingerprint {print})")
        });
        let at = format!("{}{secret}", self.operator);
        all.push(open("the page and programs", at));
        let socket = self.config.socket().display().to_string();
        all.push(open("the command line", socket));
        all
    }
}

fn room(data: &Path, packs: &Path) -> DiskRoom {
    #[allow(
        clippy::useless_conversion,
        reason = "the width differs between systems"
    )]
    let (total, free) = nix::sys::statvfs::statvfs(data).map_or((0, 0), |figures| {
        let unit = u64::from(figures.fragment_size());
        (
            u64::from(figures.blocks()) * unit,
            u64::from(figures.blocks_available()) * unit,
        )
    });
    DiskRoom {
        total,
        free,
        packs: size_of(files(packs)),
        database: size_of(store::files(data).into_iter()),
    }
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

fn size_of(files: impl Iterator<Item = PathBuf>) -> u64 {
    let known = files.filter_map(|file| fs::metadata(file).ok());
    known.filter(fs::Metadata::is_file).map(|m| m.len()).sum()
}

/// Memory of this process that is in use (`VmRSS`, proc(5)), in bytes.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
