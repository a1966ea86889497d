//! Where the configuration and the data folder lie.
//!
//! A person's station follows the XDG base directories; the service has the folder that systemd
//! made for it (`STATE_DIRECTORY`), or the fixed ones of the package when it runs as root.

use std::path::{Path, PathBuf};

/// The configuration file of the service.
const SERVICE_FILE: &str = "/etc/punnet/station.toml";
/// The data folder of the service.
const SERVICE_FOLDER: &str = "/var/lib/punnet";
/// Where its unit lies, made by the package or by hand.
const SERVICE_UNITS: [&str; 3] = [
    "/usr/lib/systemd/system/punnet.service",
    "/lib/systemd/system/punnet.service",
    "/etc/systemd/system/punnet.service",
];

/// The part of the process environment that says where things lie.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `PUNNET_CONFIG`: the configuration file.
    pub punnet_config: Option<PathBuf>,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `XDG_DATA_HOME`.
    pub data_home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `STATE_DIRECTORY`, set by systemd for the service.
    pub state_directory: Option<PathBuf>,
    /// `RUNTIME_DIRECTORY`, set by systemd for the service.
    pub runtime_directory: Option<PathBuf>,
    /// `LOGS_DIRECTORY`, set by systemd for the service.
    pub logs_directory: Option<PathBuf>,
    /// The folder of the running program.
    pub program: Option<PathBuf>,
    /// True when the process runs as root.
    pub root: bool,
    /// The data folder of the service, when this machine has one or its unit.
    pub service: Option<PathBuf>,
}

impl Environment {
    /// The environment of this process. Empty variables count as absent, as XDG wants.
    pub fn of_process() -> Self {
        let path = |name| {
            let value = std::env::var_os(name)?;
            (!value.is_empty()).then(|| PathBuf::from(value))
        };
        Self {
            punnet_config: path("PUNNET_CONFIG"),
            home: path("HOME"),
            data_home: path("XDG_DATA_HOME").filter(|p| p.is_absolute()),
            config_home: path("XDG_CONFIG_HOME").filter(|p| p.is_absolute()),
            state_directory: path("STATE_DIRECTORY"),
            runtime_directory: path("RUNTIME_DIRECTORY"),
            logs_directory: path("LOGS_DIRECTORY"),
            program: std::env::current_exe()
                .ok()
                .and_then(|program| program.parent().map(PathBuf::from)),
            root: nix::unistd::geteuid().is_root(),
            service: (Path::new(SERVICE_FOLDER).is_dir()
                || SERVICE_UNITS.iter().any(|unit| Path::new(unit).exists()))
            .then(|| PathBuf::from(SERVICE_FOLDER)),
        }
    }

    /// The first configuration file that exists in a usual place.
    pub fn config_file(&self) -> Option<PathBuf> {
        let service = Some(PathBuf::from(SERVICE_FILE));
        [self.personal_file(), service]
            .into_iter()
            .flatten()
            .find(|path| path.is_file())
    }

    /// Where a configuration file is to be put so that it is found: a person's own, or the one of
    /// the service.
    pub fn config_place(&self) -> Option<PathBuf> {
        if self.root && self.config_home.is_none() {
            return Some(PathBuf::from(SERVICE_FILE));
        }
        self.personal_file()
    }

    fn personal_file(&self) -> Option<PathBuf> {
        self.config_home
            .clone()
            .or_else(|| self.home.as_ref().map(|h| h.join(".config")))
            .map(|dir| dir.join("punnet/station.toml"))
    }

    /// The agent's archive for an architecture when none is configured: the one that was built
    /// beside this program, else the one of the package.
    pub fn agent_archive(&self, arch: &str) -> PathBuf {
        let name = format!("punnet-agent-{arch}.cpio.zst");
        let built = self.program.as_ref().and_then(|program| {
            let built = program.parent()?.join("board").join(&name);
            built.is_file().then_some(built)
        });
        built.unwrap_or_else(|| PathBuf::from("/usr/share/punnet").join(name))
    }

    /// The variable that decides over the data folder when none is configured.
    pub(super) fn data_dir_from(&self) -> Option<&'static str> {
        let set = [
            (self.state_directory.is_some(), "STATE_DIRECTORY"),
            (self.data_home.is_some(), "XDG_DATA_HOME"),
        ];
        set.into_iter().find(|(set, _)| *set).map(|(_, name)| name)
    }

    /// The data folder when none is configured.
    pub fn data_dir(&self) -> PathBuf {
        if let Some(state) = &self.state_directory {
            return state.clone();
        }
        let service = PathBuf::from(SERVICE_FOLDER);
        if self.root && self.data_home.is_none() {
            return service;
        }
        self.data_home
            .clone()
            .or_else(|| self.home.as_ref().map(|h| h.join(".local/share")))
            .map_or(service, |dir| dir.join("punnet"))
    }
}
