//! The world around the engine, as this service sees it.

use super::live::Live;
use super::{Servers, StartError, own_log};
use crate::backup::keeper;
use crate::backup::outgoing::{Archives, Outgoing};
use crate::boot_tree::shelf::Shelf;
use crate::config::{Config, Deployment, shown_as_text};
use crate::counts::Tally;
use crate::doors::terms::Terms;
use crate::engine::Engine;
use crate::library::Library;
use crate::net::{Netlink, Nic};
use crate::outside::{Outside, Soon};
use crate::self_test;
use crate::self_test::visits::Visits;
use crate::store;
use crate::traffic::Traffic;
use netboot::packets::Packets;
use rustix::system::uname;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;
use wire::backup::Backups;
use wire::configuration::{Change, Configuration};
use wire::health::{DiskRoom, Listening, ServerKind, ServerState, Works};
use wire::refusal::Code;
use wire::self_test::SelfTest;
use wire::{BoardId, ImageId, Mac, Millis, Refusal};

/// Where what is asked of the service can be looked up.
#[derive(Debug)]
pub(super) struct World {
    pub(super) config: Config,
    pub(super) servers: watch::Receiver<Servers>,
    pub(super) traffic: Traffic,
    pub(super) library: Library,
    pub(super) shelf: Shelf,
    pub(super) public_key: [u8; 32],
    pub(super) rehearsal: bool,
    pub(super) visits: Visits,
    pub(super) packets: Packets,
    /// The operator's HTTP door, and whether a browser finds the page there.
    pub(super) operator: SocketAddr,
    pub(super) has_page: bool,
    /// The terms of that door.
    pub(super) terms: watch::Receiver<Terms>,
    pub(super) begun: Instant,
    pub(super) archives: Archives,
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
                memory: crate::process::figures().resident_bytes,
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

    fn archive(&self, packs: bool) -> Soon<'_, Result<Outgoing, Refusal>> {
        Box::pin(async move { self.archives.begin(self.live.file(), packs).await })
    }

    fn read_again(&self) -> Soon<'_, Result<(Vec<Change>, Config), Refusal>> {
        Box::pin(self.live.read_again())
    }

    fn apply(&self, wanted: Box<Config>, found: Vec<Change>) -> Soon<'_, Vec<Change>> {
        Box::pin(self.live.apply(wanted, found))
    }

    fn configuration(&self, chosen: Option<Deployment>) -> Configuration {
        self.live.configuration(chosen)
    }

    fn tally(&self) -> Tally {
        self.traffic.counts().read()
    }

    fn self_test(&self, image: Result<ImageId, String>) -> Soon<'_, Result<SelfTest, Refusal>> {
        Box::pin(async move {
            let pass = self.visits.begin(image.as_ref().ok().copied());
            let pass = pass.ok_or_else(|| {
                let text = "A self-test is under way.";
                Refusal::new(Code::Conflict, text).next("Wait for its end; it takes seconds.")
            })?;
            if let Ok(image) = image {
                // Its boot files had better be in memory when they are asked for.
                let _ = self.shelf.get(image);
            }
            let ground = self.ground(image);
            let test = tokio::task::spawn_blocking(move || self_test::run(&ground, &pass));
            test.await
                .map_err(|gone| Refusal::internal(format!("The self-test broke off: {gone}.")))
        })
    }

    fn packets(&self, of: Option<&[Mac]>) -> Vec<u8> {
        self.packets.pcap(of)
    }

    fn log_of(&self, board: BoardId) -> Soon<'_, Vec<String>> {
        Box::pin(async move {
            let Some(folder) = self.live.log_dir() else {
                return Vec::new();
            };
            let read = move || own_log::lines_of(&folder, board);
            let lines = tokio::task::spawn_blocking(read).await;
            lines.unwrap_or_default()
        })
    }

    fn settings(&self) -> String {
        shown_as_text(&self.configuration(None).values)
    }

    fn pack(&self, image: ImageId) -> Soon<'_, Result<(), Refusal>> {
        Box::pin(async move { self.library.pack(image).await.map(drop) })
    }

    fn page(&self) -> Option<String> {
        let names = self.live.names();
        let terms = self.terms.borrow();
        let scheme = if terms.tls.is_some() { "https" } else { "http" };
        let at = reached_at(self.operator, &names);
        self.has_page.then(|| format!("{scheme}://{at}"))
    }

    fn fingerprint(&self) -> Option<String> {
        self.terms.borrow().fingerprint()
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

    /// Where the servers are at this moment.
    fn ground(&self, image: Result<ImageId, String>) -> self_test::Ground {
        let servers = self.servers.borrow();
        let door = |kind: ServerKind| {
            let found = servers.iter().find(|(status, _)| status.server == kind);
            match found {
                Some((_, Some(at))) => Ok(*at),
                Some((status, None)) => Err(why_not(&status.state)),
                None => Err("no network card is chosen".to_owned()),
            }
        };
        let doors = [ServerKind::Dhcp, ServerKind::Tftp, ServerKind::Http].map(door);
        // They all stand on one address, whichever was chosen last.
        let own = doors
            .iter()
            .find_map(|door| Some(*door.as_ref().ok()?.ip()));
        let [dhcp, tftp, http] = doors;
        self_test::Ground {
            own: own.unwrap_or(self.config.deployment.address.address),
            dhcp,
            tftp,
            http,
            image,
            public_key: self.public_key,
            page: self_test::Page {
                at: self.operator,
                fingerprint: self.fingerprint(),
            },
            rehearsal: self.rehearsal,
        }
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
        let secret = self.fingerprint().map_or_else(String::new, |print| {
            format!(" (HTTPS, SHA-256 fingerprint {print})")
        });
        let at = format!("{}{secret}", self.operator);
        all.push(open("the page and programs", at));
        let socket = self.config.socket().display().to_string();
        all.push(open("the command line", socket));
        all
    }
}

fn why_not(state: &ServerState) -> String {
    match state {
        ServerState::WaitingForLink => "it waits for the link of the network card".to_owned(),
        ServerState::Probing => "it is looking at the wire".to_owned(),
        ServerState::Restarting { why, .. } | ServerState::Refused { why } => {
            why.trim_end_matches('.').to_owned()
        }
        ServerState::Stopped | ServerState::Serving | ServerState::Unknown => {
            "it is stopped".to_owned()
        }
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

/// How other machines reach a door: at a name that it was given or, when it listens on every address, at
/// the one that leads furthest.
fn reached_at(door: SocketAddr, names: &[String]) -> String {
    if !door.ip().is_unspecified() {
        return door.to_string();
    }
    let port = door.port();
    match names.first() {
        Some(name) => format!("{name}:{port}"),
        None => match outward() {
            Some(address) => SocketAddr::new(address, port).to_string(),
            None => format!("{}:{port}", uname().nodename().to_string_lossy()),
        },
    }
}

/// The address that this machine would speak from to far away. Nothing is sent: connecting a UDP socket
/// only looks up the route. The far end is TEST-NET-1 (RFC 5737).
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_shown_where_a_browser_finds_it() {
        let named = ["bench.example".to_owned()];
        let one = "192.168.7.5:5000".parse().unwrap();
        assert_eq!(reached_at(one, &named), "192.168.7.5:5000");
        let all = "0.0.0.0:5000".parse().unwrap();
        assert_eq!(reached_at(all, &named), "bench.example:5000");
        let at = reached_at(all, &[]);
        assert!(at.ends_with(":5000") && !at.starts_with("0.0.0.0"), "{at}");
    }
}
