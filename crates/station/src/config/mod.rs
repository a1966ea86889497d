//! What the station is told by its owner: `station.toml`, in two layers.
//!
//! [`written`] holds the file as it was written: every key optional, every value with the line and
//! column where it stands. [`meant`] turns that into the [`Config`] the station runs with: defaults
//! filled in, values parsed, rules between values checked. `choice` reads what an operator chooses
//! while the station runs, `shown` says what every value is and where it comes from, `named` which files
//! lie elsewhere. Both layers collect *every* problem instead of stopping at the first, so that `punnet
//! config check` can list them all by line.
//! [`place`] knows where the file and the data folder lie for a person and for the service, [`door`]
//! where a station is spoken to.

mod alerts;
mod authority;
mod backup;
mod choice;
mod device_api;
mod door;
mod meant;
mod named;
mod place;
pub mod profile;
mod shown;
mod subnet;
mod written;

pub use alerts::{Alerts, Mail, Security, Webhook};
pub use authority::Authority;
pub use backup::Backup;
pub use device_api::DeviceApi;
pub use door::{Door, SERVICE_SOCKET};
pub use meant::{AgentFiles, Boards, Config, Deployment, Dhcp, Log, Management, Sessions, Uefi};
pub use place::Environment;
pub use shown::{Sources, changes, hidden_change, same_but, shown, shown_as_text};
pub use subnet::{LeaseRange, Subnet, SubnetError};
pub use written::{At, Place, Problem, Written};

use std::path::{Path, PathBuf};

/// Why there is no configuration to run with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named cannot be read.
    #[error("cannot read {path}: {why}. Check the name and its permissions.")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// The file says something that cannot be meant.
    #[error("{path} has {n} problem(s):\n{list}", path = .path.display(), n = .problems.len(),
        list = .problems.iter().map(|p| format!("  {p}")).collect::<Vec<_>>().join("\n"))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Every problem, by line.
        problems: Vec<Problem>,
    },
}

/// Checks a configuration text and says what it means, or everything that is wrong with it, by line.
pub fn understand(text: &str, environment: &Environment) -> Result<Config, Vec<Problem>> {
    let (written, mut problems) = Written::parse(text);
    let config = Config::from_written(&written, environment, &mut problems);
    if problems.is_empty() {
        return Ok(config);
    }
    problems.sort_by_key(|p| p.place);
    Err(problems)
}

/// The text of a file of settings. A byte that is no text is a problem with its line, like any other.
pub fn text_of(path: &Path) -> Result<String, ConfigError> {
    let bytes = std::fs::read(path).map_err(|why| ConfigError::Unreadable {
        path: path.to_owned(),
        why,
    })?;
    String::from_utf8(bytes).map_err(|why| ConfigError::Wrong {
        path: path.to_owned(),
        problems: vec![Problem::no_text(&why)],
    })
}

/// Reads the configuration: `file` if given, else the first that exists of the usual places, else
/// the defaults. A file that was named must exist; one in a usual place need not.
pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Config, ConfigError> {
    let named = file.or(environment.punnet_config.as_deref());
    let Some(path) = named
        .map(Path::to_path_buf)
        .or_else(|| environment.config_file())
    else {
        return Ok(Config::defaults(environment));
    };
    let text = text_of(&path)?;
    match understand(&text, environment) {
        Ok(mut config) => {
            let line = config.deployment_fixed_by;
            config.sources.file = Some(path.clone());
            config.deployment_fixed_by = line.map(|line| format!("{}, {line}", path.display()));
            Ok(config)
        }
        Err(problems) => Err(ConfigError::Wrong { path, problems }),
    }
}

#[cfg(test)]
mod tests;
