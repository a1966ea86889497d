//! The configuration as it is meant: defaults filled in, values parsed, rules between them checked.

use super::alerts::{Alerts, alerts};
use super::backup::Backup;
use super::device_api::DeviceApi;
use super::door::Door;
use super::place::Environment;
use super::shown::Sources;
use super::subnet::{LeaseRange, Subnet};
use super::written::{At, Number, Place, Problem, Switch, Text, Written};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use wire::Mac;

/// Everything the station is told by its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder with the database, packs, keys and the socket.
    pub data_dir: PathBuf,
    /// Where its Unix socket is.
    pub door: Door,
    /// The NIC that the boards hang on.
    pub deployment: Deployment,
    /// What names the NIC, so that it cannot be chosen while the station runs: the file and its line.
    pub deployment_fixed_by: Option<String>,
    /// Where its values come from.
    pub sources: Sources,
    /// How addresses are handed out.
    pub dhcp: Dhcp,
    /// Loaders for boards with UEFI firmware.
    pub uefi: Uefi,
    /// The archives that boards boot.
    pub agent: AgentFiles,
    /// How boards are trusted.
    pub boards: Boards,
    /// The door for operators.
    pub management: Management,
    /// Copies of the database.
    pub backup: Backup,
    /// The program's own log.
    pub log: Log,
    /// Who is told what happens.
    pub alerts: Alerts,
}

/// The deployment side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Name of the NIC; `None` until one is chosen, and then nothing is served.
    pub interface: Option<String>,
    /// The station's address and the size of the network.
    pub address: Subnet,
    /// Addresses handed out.
    pub leases: LeaseRange,
    /// UDP port of DHCP, 67.
    pub dhcp_port: u16,
    /// UDP port of TFTP, 69.
    pub tftp_port: u16,
    /// TCP port of the door for boards, 5001.
    pub http_port: u16,
    /// Serve on the NIC that holds the default route all the same.
    pub force_default_route: bool,
    /// Give the NIC its address when it is missing, and take it away at the end.
    pub manage_address: bool,
}

/// How addresses are handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dhcp {
    /// Wait this long before an answer; old boards beside a second server need it.
    pub reply_delay: Duration,
    /// Length of a lease.
    pub lease: Duration,
    /// Send option 43 as plain text instead of PXE sub-options.
    pub raw_option_43: bool,
    /// Answer UEFI network boot clients too.
    pub answer_uefi: bool,
    /// Ethernet addresses answered whatever they are.
    pub accept: Vec<Mac>,
}

/// Boot loaders for UEFI firmware; a client whose loader is absent is not answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uefi {
    /// The 64-bit Arm loader, served as `efi/grubaa64.efi`.
    pub arm64_loader: Option<PathBuf>,
    /// The 64-bit x86 loader, served as `efi/grubx64.efi`.
    pub x86_64_loader: Option<PathBuf>,
}

/// The initramfs archives with the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFiles {
    /// For 64-bit Arm boards.
    pub arm64: PathBuf,
    /// For 64-bit x86 machines.
    pub x86_64: PathBuf,
}

/// How boards are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boards {
    /// Refuse a check-in without the token that the boot files carried.
    pub require_token: bool,
    /// Who may use the device API of foreign installers.
    pub device_api: DeviceApi,
}

/// The door for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Management {
    /// Where its HTTP door listens; loopback unless said otherwise.
    pub listen: SocketAddr,
    /// Encrypt it; what leaves this machine is, unless said otherwise.
    pub tls: bool,
    /// The owner's own certificate and its key; without, the station makes one.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Further names that this machine is reached by.
    pub names: Vec<String>,
    /// Group of this machine whose members may use the Unix socket.
    pub group: Option<String>,
    /// How long logins last.
    pub sessions: Sessions,
}

/// How long logins last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sessions {
    /// Without being used.
    pub idle: Duration,
    /// At the longest.
    pub longest: Duration,
}

/// The program's own log, in files beside the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Folder of the files; `None` means `logs` in the data folder.
    pub dir: Option<PathBuf>,
    /// Largest size of one file, in bytes.
    pub max_bytes: u64,
    /// How many files are kept; 0 means none are written.
    pub files: u32,
}

impl Config {
    /// What an empty file means.
    pub fn defaults(environment: &Environment) -> Self {
        Self::from_written(&Written::default(), environment, &mut Vec::new())
    }

    /// What a rehearsal runs with: loopback, any free ports, tokens required, nothing shared.
    pub fn for_rehearsal(data_dir: PathBuf, agent: AgentFiles) -> Self {
        let mut config = Self::defaults(&Environment::default());
        config.data_dir = data_dir;
        config.agent = agent;
        config.deployment_fixed_by = Some("the rehearsal".to_owned());
        config.deployment = Deployment {
            interface: None,
            address: Subnet {
                address: Ipv4Addr::LOCALHOST,
                prefix: 8,
            },
            leases: LeaseRange {
                first: Ipv4Addr::new(127, 64, 128, 1),
                last: Ipv4Addr::new(127, 64, 255, 254),
            },
            dhcp_port: 0,
            tftp_port: 0,
            http_port: 0,
            force_default_route: false,
            manage_address: false,
        };
        config.management.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        // Only when asked for.
        config.backup.every_hours = 0;
        config.backup.warn_days = 0;
        config
    }

    /// When and where copies of the database are made.
    pub fn backup_plan(&self) -> crate::backup::Plan {
        self.backup.plan(&self.data_dir)
    }

    /// The folder of the log's files; nothing when none are written.
    pub fn log_dir(&self) -> Option<PathBuf> {
        let usual = || self.data_dir.join("logs");
        (self.log.files > 0).then(|| self.log.dir.clone().unwrap_or_else(usual))
    }

    /// The folder of images that browsers sent.
    pub fn uploads_dir(&self) -> PathBuf {
        self.data_dir.join("uploads")
    }

    /// The folder of the packs.
    pub fn packs_dir(&self) -> PathBuf {
        self.data_dir.join("packs")
    }

    /// Turns the written layer into what it means; adds a problem for everything that cannot be
    /// meant and goes on with the default.
    pub fn from_written(
        written: &Written,
        environment: &Environment,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut read = Meaning { problems };
        let data_dir = read.path(&written.data_dir, "data_dir");
        Self {
            door: Door::of(data_dir.is_some(), environment),
            sources: Sources::of(written, environment),
            data_dir: data_dir.unwrap_or_else(|| environment.data_dir()),
            deployment: deployment(written, &mut read),
            deployment_fixed_by: written
                .deployment
                .interface
                .as_ref()
                .map(|at| format!("line {}", at.place.line)),
            dhcp: Dhcp {
                reply_delay: Duration::from_millis(read.number(
                    &written.dhcp.reply_delay_ms,
                    "reply_delay_ms",
                    0..=10_000,
                    0,
                )),
                lease: Duration::from_secs(read.number(
                    &written.dhcp.lease_seconds,
                    "lease_seconds",
                    120..=86_400,
                    3600,
                )),
                raw_option_43: switch(&written.dhcp.raw_option_43, false),
                answer_uefi: switch(&written.dhcp.answer_uefi, false),
                accept: written
                    .dhcp
                    .accept
                    .iter()
                    .filter_map(|mac| read.parsed(mac))
                    .collect(),
            },
            uefi: uefi(written, &mut read),
            agent: AgentFiles {
                arm64: read
                    .path(&written.agent.arm64, "arm64")
                    .unwrap_or_else(|| environment.agent_archive("arm64")),
                x86_64: read
                    .path(&written.agent.x86_64, "x86_64")
                    .unwrap_or_else(|| environment.agent_archive("amd64")),
            },
            boards: Boards {
                require_token: switch(&written.boards.require_token, true),
                device_api: read.text(&written.boards.device_api).unwrap_or_default(),
            },
            management: management(written, &mut read),
            backup: Backup::meant(&written.backup, &mut read),
            log: log(written, environment, &mut read),
            alerts: alerts(&written.alerts, &mut read),
        }
    }
}

fn uefi(written: &Written, read: &mut Meaning<'_>) -> Uefi {
    let uefi = Uefi {
        arm64_loader: read.path(&written.uefi.arm64_loader, "arm64_loader"),
        x86_64_loader: read.path(&written.uefi.x86_64_loader, "x86_64_loader"),
    };
    if let Some(answer) = &written.dhcp.answer_uefi
        && answer.value
        && written.uefi.arm64_loader.is_none()
        && written.uefi.x86_64_loader.is_none()
    {
        let text = "answer_uefi has nothing to answer with; name a boot loader under [uefi]";
        read.wrong(answer.place, text.to_owned());
    }
    uefi
}

fn management(written: &Written, read: &mut Meaning<'_>) -> Management {
    let w = &written.management;
    let listen = read
        .text(&w.listen)
        .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)));
    let certificate = read.path(&w.certificate, "certificate");
    let key = read.path(&w.key, "key");
    if w.certificate.is_some() != w.key.is_some() {
        let place = w.certificate.as_ref().or(w.key.as_ref());
        read.wrong(
            place.map_or(Place::default(), |at| at.place),
            "a certificate and its key belong together; name both files".to_owned(),
        );
    }
    for name in &w.names {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        if name.value.is_empty() || !name.value.chars().all(plain) {
            let text = format!("{:?} cannot be the name of a machine", name.value);
            read.wrong(name.place, text);
        }
    }
    let minutes = read.number(&w.idle_minutes, "idle_minutes", 1..=24 * 60, 60);
    let hours = read.number(&w.login_hours, "login_hours", 1..=24 * 30, 12);
    Management {
        listen,
        tls: switch(&w.tls, !listen.ip().is_loopback()),
        certificate: certificate.zip(key),
        names: w
            .names
            .iter()
            .map(|name| name.value.to_ascii_lowercase())
            .collect(),
        group: w.group.as_ref().map(|at| at.value.clone()),
        sessions: Sessions {
            idle: Duration::from_secs(60 * minutes),
            longest: Duration::from_secs(3600 * hours),
        },
    }
}

fn log(written: &Written, environment: &Environment, read: &mut Meaning<'_>) -> Log {
    let w = &written.log;
    let megabytes = read.number(&w.max_size_mb, "max_size_mb", 1..=4096, 16);
    let files = read.number(&w.files, "files", 0..=1000, 8);
    Log {
        dir: read
            .path(&w.dir, "dir")
            .or_else(|| environment.logs_directory.clone()),
        max_bytes: megabytes * 1_000_000,
        files: u32::try_from(files).unwrap_or(0),
    }
}

fn deployment(written: &Written, read: &mut Meaning<'_>) -> Deployment {
    let w = &written.deployment;
    let address = read.text(&w.address).unwrap_or(Subnet {
        address: Ipv4Addr::new(192, 168, 151, 1),
        prefix: 24,
    });
    let leases = read
        .text::<LeaseRange>(&w.leases)
        .filter(|range| leases_fit(*range, address, &w.leases, read))
        .unwrap_or_else(|| address.usual_leases());
    let deployment = Deployment {
        interface: w.interface.as_ref().and_then(|name| {
            read.interface(name);
            Some(name.value.clone()).filter(|n| !n.is_empty())
        }),
        address,
        leases,
        dhcp_port: read.port(&w.dhcp_port, "dhcp_port", 67),
        tftp_port: read.port(&w.tftp_port, "tftp_port", 69),
        http_port: read.port(&w.http_port, "http_port", 5001),
        force_default_route: switch(&w.force_default_route, false),
        manage_address: switch(&w.manage_address, true),
    };
    if deployment.dhcp_port == deployment.tftp_port {
        let place = w.tftp_port.as_ref().or(w.dhcp_port.as_ref());
        read.wrong(
            place.map_or(Place::default(), |at| at.place),
            format!(
                "DHCP and TFTP cannot share UDP port {}",
                deployment.dhcp_port
            ),
        );
    }
    deployment
}

fn leases_fit(range: LeaseRange, address: Subnet, at: &Text, read: &mut Meaning<'_>) -> bool {
    let place = at.as_ref().map_or(Place::default(), |at| at.place);
    let wrong = misfits(range, address);
    let fits = wrong.is_empty();
    for text in wrong {
        read.wrong(place, text);
    }
    fits
}

/// The rules between the range of leases and the station's own address: what breaks them.
pub(super) fn misfits(range: LeaseRange, address: Subnet) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(outside) = [range.first, range.last]
        .into_iter()
        .find(|ip| !address.has_host(*ip))
    {
        wrong.push(format!(
            "{outside} is no host address of the station's network {address}"
        ));
    }
    if range.contains(address.address) {
        wrong.push(format!(
            "the range holds the station's own address {}; leave it out",
            address.address
        ));
    }
    wrong
}

/// The kernel's rule for names of interfaces (`dev_valid_name`).
pub(super) fn is_interface_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 15
        && !matches!(name, "." | "..")
        && !name.contains(|c: char| c == '/' || c == ':' || c.is_whitespace())
}

fn switch(written: &Switch, default: bool) -> bool {
    written.as_ref().map_or(default, |at| at.value)
}

/// Gathers problems while values are read.
pub(super) struct Meaning<'p> {
    problems: &'p mut Vec<Problem>,
}

impl<'p> Meaning<'p> {
    pub(super) fn of(problems: &'p mut Vec<Problem>) -> Self {
        Self { problems }
    }
}

impl Meaning<'_> {
    pub(super) fn wrong(&mut self, place: Place, text: String) {
        self.problems.push(Problem { place, text });
    }

    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        at: &At<String>,
    ) -> Option<T> {
        match at.value.parse() {
            Ok(value) => Some(value),
            Err(e) => {
                self.wrong(at.place, e.to_string());
                None
            }
        }
    }

    fn text<T: FromStr<Err: std::fmt::Display>>(&mut self, written: &Text) -> Option<T> {
        written.as_ref().and_then(|at| self.parsed(at))
    }

    pub(super) fn number(
        &mut self,
        written: &Number,
        key: &str,
        allowed: std::ops::RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        let Some(at) = written else { return default };
        if allowed.contains(&at.value) {
            return at.value;
        }
        let (low, high) = allowed.into_inner();
        self.wrong(
            at.place,
            format!("{key} = {}; it may be {low} to {high}", at.value),
        );
        default
    }

    pub(super) fn port(&mut self, written: &Number, key: &str, default: u16) -> u16 {
        let port = self.number(written, key, 1..=65535, u64::from(default));
        u16::try_from(port).unwrap_or(default)
    }

    pub(super) fn path(&mut self, written: &Text, key: &str) -> Option<PathBuf> {
        let at = written.as_ref()?;
        let path = PathBuf::from(&at.value);
        if path.is_absolute() {
            return Some(path);
        }
        self.wrong(
            at.place,
            format!(
                "{key} wants a whole path from the root, {:?} is not one",
                at.value
            ),
        );
        None
    }

    /// A text that has to be written, in this section.
    pub(super) fn needed<'t>(
        &mut self,
        section: &str,
        key: &str,
        place: Place,
        written: &'t Text,
    ) -> Option<&'t At<String>> {
        if written.is_none() {
            self.wrong(place, format!("{section} wants a {key}"));
        }
        written.as_ref()
    }

    /// A text of one line, of 1 to `most` characters.
    pub(super) fn short(&mut self, key: &str, place: Place, written: Text, most: usize) -> String {
        let at = written.unwrap_or_else(|| At {
            value: String::new(),
            place,
        });
        let text = at.value.trim();
        let length = text.chars().count();
        if !(1..=most).contains(&length) || text.chars().any(char::is_control) {
            self.wrong(at.place, format!("{key} wants 1 to {most} characters"));
        }
        text.to_owned()
    }

    fn interface(&mut self, at: &At<String>) {
        let name = &at.value;
        if !is_interface_name(name) {
            self.wrong(
                at.place,
                format!("{name:?} cannot be the name of a network interface"),
            );
        }
    }
}
