//! What every verb takes: which station, and how to print.

use clap::Args;
use station::config::{Config, ConfigError, Environment};
use std::path::PathBuf;

/// The options that stand before or behind any verb.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// Configuration file (else PUNNET_CONFIG, ~/.config/punnet/station.toml, /etc/punnet/station.toml).
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Data folder; overrides the configuration.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Do not ask before what cannot be undone. Without a terminal nothing is asked either.
    #[arg(long, short = 'y', global = true)]
    pub(crate) yes: bool,
}

impl Common {
    /// The file of settings that these arguments and the environment point to, if there is one.
    pub(crate) fn settings_file(&self) -> Option<PathBuf> {
        let environment = Environment::of_process();
        let named = self.config.clone().or(environment.punnet_config.clone());
        named.or_else(|| environment.config_file())
    }

    /// The configuration that these arguments and the environment point to.
    pub(crate) fn configuration(&self) -> Result<Config, ConfigError> {
        let environment = Environment::of_process();
        let mut config = station::config::load(self.config.as_deref(), &environment)?;
        if self.config.is_some() || environment.punnet_config.is_some() {
            // Whoever names settings means their station.
            config.door.service = None;
        }
        if let Some(folder) = &self.data_dir {
            config.data_dir = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
            config.door.named = true;
            config.sources.data_dir = Some("--data-dir".to_owned());
        }
        Ok(config)
    }
}
