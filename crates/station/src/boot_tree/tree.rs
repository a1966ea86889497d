//! Who asks for what, and what it gets.

use super::cmdline::{self, Console, Told};
use super::config_txt::{self, INITRAMFS};
use super::grub;
use super::path::{Prefix, asked, is_kept_back};
use super::shelf::{BootFiles, OnShelf, Shelf};
use crate::config::Uefi;
use crate::engine::{Arch, BootAnswer, BootClient, Engine, Install, Machine};
use crate::self_test::visits::Visits;
use bytes::Bytes;
use netboot::dhcp::News;
use netboot::tftp::{Files, Opened};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use wire::BoardId;
use wire::board::Mac;
use wire::revision::Family;

/// A client nobody knows is met with silence for this long, because its first request may be faster
/// than the news of its lease. After that its files are "not found".
const GRACE: Duration = Duration::from_secs(3);
/// Most unknown clients that are remembered.
const MOST_UNKNOWN: usize = 1024;

/// Before the key in the paths that the self-test asks for.
const VISITOR: &str = "self-test-";

/// The path under which the self-test with this key asks for a file.
pub fn visitor_path(key: &str, file: &str) -> String {
    format!("{VISITOR}{key}/{file}")
}

/// The boot loaders for UEFI firmware, by the path under which they are served.
#[derive(Debug, Clone, Default)]
pub struct Loaders(HashMap<&'static str, Bytes>);

impl Loaders {
    /// Reads the configured files. One that cannot be read is told and left out.
    pub fn read(uefi: &Uefi) -> Self {
        let files = [
            (crate::supervise::launch::LOADERS[0].1, &uefi.arm64_loader),
            (crate::supervise::launch::LOADERS[1].1, &uefi.x86_64_loader),
        ];
        let read = files.into_iter().filter_map(|(served_as, file)| {
            let file = file.as_ref()?;
            match std::fs::read(file) {
                Ok(bytes) => Some((served_as, bytes.into())),
                Err(error) => {
                    let file = file.display();
                    tracing::error!(%file, %error, "a UEFI loader is not served");
                    None
                }
            }
        });
        Self(read.collect())
    }
}

/// The tree.
pub struct BootTree {
    engine: Engine,
    shelf: Shelf,
    loaders: Loaders,
    station: RwLock<String>,
    /// The visits of the self-test.
    visits: Visits,
    /// What the engine has yet to hear of.
    news: News,
    unknown: Mutex<HashMap<Ipv4Addr, Instant>>,
}

impl BootTree {
    /// A tree over the images of `shelf`.
    pub fn new(engine: Engine, shelf: Shelf, loaders: Loaders) -> Self {
        Self {
            engine,
            shelf,
            loaders,
            station: RwLock::default(),
            visits: Visits::default(),
            news: News::default(),
            unknown: Mutex::default(),
        }
    }

    /// The same tree, open to the self-test's visits too.
    #[must_use]
    pub fn open_to(mut self, visits: Visits) -> Self {
        self.visits = visits;
        self
    }

    /// Where DHCP counts what the engine has yet to hear of.
    pub fn news(&self) -> News {
        self.news.clone()
    }

    /// The URL that boards are told.
    pub fn set_station_url(&self, url: String) {
        *self.station.write().unwrap_or_else(PoisonError::into_inner) = url;
    }

    /// True when the UEFI loader served under this path is there.
    pub fn has_loader(&self, path: &str) -> bool {
        self.loaders.0.contains_key(path)
    }

    /// The file at `path` for the client at `ip`. Instant.
    pub fn open(&self, ip: Ipv4Addr, path: &str) -> Opened {
        if let Some(answer) = self.visitor(path) {
            return answer;
        }
        let asked = asked(path);
        let board = match asked.who {
            Prefix::Board(board) => Some(board),
            // A lease says whose address this is just as well.
            Prefix::Mac(_) | Prefix::None => None,
        };
        match self.engine.boot_answer(BootClient { ip, board }) {
            BootAnswer::Install(install) => self.installer(&install, asked.file),
            BootAnswer::Decline => Opened::NotFound,
            BootAnswer::Unknown => self.unknown(ip),
        }
    }

    /// What the self-test gets: the installer, with a token that opens nothing.
    fn visitor(&self, path: &str) -> Option<Opened> {
        let (key, file) = path.strip_prefix(VISITOR)?.split_once('/')?;
        let image = self.visits.image(key)?;
        let files = match self.shelf.get(image) {
            OnShelf::Here(files) => files,
            OnShelf::Coming => return Some(Opened::NotYet),
            OnShelf::Broken => return Some(Opened::NotFound),
        };
        // The newest boards that the image has a kernel for.
        let machines = [Family::Pi5, Family::Pi4, Family::Pi3].map(|family| Machine::Pi { family });
        let mut machines = machines.into_iter();
        let install = Install {
            board: BoardId::Pi(0),
            mac: Mac([2, 0, 0, 0, 0, 0]),
            token: "self-test".to_owned(),
            image,
            machine: machines.find(|machine| files.kernel(Some(*machine)).is_some()),
        };
        Some(self.installer(&install, file))
    }

    fn unknown(&self, ip: Ipv4Addr) -> Opened {
        let now = Instant::now();
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if unknown.len() >= MOST_UNKNOWN {
            unknown.retain(|_, since| now - *since < GRACE);
        }
        if unknown.len() >= MOST_UNKNOWN {
            return Opened::NotFound;
        }
        let since = *unknown.entry(ip).or_insert(now);
        if now - since < GRACE {
            return Opened::NotYet;
        }
        // Forgotten a while later, so that its next boot has its grace again.
        if now - since > 10 * GRACE {
            unknown.remove(&ip);
        }
        Opened::NotFound
    }

    fn installer(&self, install: &Install, file: &str) -> Opened {
        if let Some(loader) = self.loaders.0.get(file) {
            return Opened::Found(loader.clone());
        }
        let files = match self.shelf.get(install.image) {
            OnShelf::Here(files) => files,
            OnShelf::Coming => return Opened::NotYet,
            OnShelf::Broken => return Opened::NotFound,
        };
        // Until the engine knows of this boot, it would hand out the token of the boot before.
        if matches!(file, "cmdline.txt" | "grub/grub.cfg") && self.news.is_coming(install.mac) {
            return Opened::NotYet;
        }
        let found = match file {
            "config.txt" => Some(config_txt(install, &files).into()),
            "cmdline.txt" => self.cmdline(install, Console::Pi).map(Bytes::from),
            "grub/grub.cfg" => Some(self.grub(install).into()),
            "efi/kernel" => files.kernel(install.machine),
            "efi/initramfs" | INITRAMFS => files.initramfs(install.machine),
            kept_back if is_kept_back(kept_back) => None,
            of_image => files.file(of_image),
        };
        found.into()
    }

    fn cmdline(&self, install: &Install, console: Console) -> Option<String> {
        let station = self.station();
        let line = cmdline::render(console, &told(install, &station));
        match cmdline::lint(&line) {
            Ok(()) => Some(line + "\n"),
            Err(error) => {
                tracing::error!(%error, board = %install.board, "no command line");
                None
            }
        }
    }

    fn grub(&self, install: &Install) -> String {
        let console = match arch(install.machine) {
            Arch::Arm64 => Console::Arm,
            Arch::X86_64 => Console::X86,
        };
        let station = self.station();
        grub::config(console, &told(install, &station))
    }

    fn station(&self) -> String {
        let station = self.station.read().unwrap_or_else(PoisonError::into_inner);
        station.clone()
    }
}

fn config_txt(install: &Install, files: &BootFiles) -> String {
    let title = format!("Installer for board {}, made by Punnet.", install.board);
    config_txt::render(&title, &files.kernels(), &files.device_trees())
}

fn told<'a>(install: &'a Install, station: &'a str) -> Told<'a> {
    Told {
        station,
        token: &install.token,
        mac: install.mac,
    }
}

fn arch(machine: Option<Machine>) -> Arch {
    match machine {
        Some(Machine::Uefi { arch }) => arch,
        Some(Machine::Pi { .. }) | None => Arch::Arm64,
    }
}

impl Files for BootTree {
    fn open(&self, client: SocketAddr, path: &str) -> Opened {
        match client.ip().to_canonical() {
            IpAddr::V4(ip) => self.open(ip, path),
            IpAddr::V6(_) => Opened::NotFound,
        }
    }
}
