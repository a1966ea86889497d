//! Why a verb did not do what it was asked to, and how that is told.

use crate::print;
use anyhow::anyhow;
use station::config::ConfigError;
use station::service::StartError;
use std::process::ExitCode;
use wire::Refusal;

/// Exit status for a configuration that cannot be meant (EX_CONFIG, sysexits.h).
const WRONG_CONFIGURATION: u8 = 78;

/// Why a verb did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The station refused.
    Refused(Refusal),
    /// Anything else.
    Failed(anyhow::Error),
    /// The configuration is wrong; the service is not started again until somebody changed it.
    Configuration(anyhow::Error),
    /// It was said already; only the exit status is left.
    Said,
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<E: NotARefusal> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Errors that are no refusals; those keep their code.
pub(crate) trait NotARefusal: std::error::Error + Send + Sync + 'static {}
impl NotARefusal for std::io::Error {}
impl NotARefusal for serde_json::Error {}
impl From<ConfigError> for Trouble {
    fn from(wrong: ConfigError) -> Self {
        Self::Configuration(wrong.into())
    }
}
impl From<StartError> for Trouble {
    fn from(why: StartError) -> Self {
        match why {
            StartError::Misfit(misfit) => Self::Configuration(misfit.into()),
            other => Self::Failed(other.into()),
        }
    }
}
impl NotARefusal for station::backup::archive::ReadError {}
impl NotARefusal for station::backup::archive::WriteError {}
impl NotARefusal for station::backup::restore::RestoreError {}
impl NotARefusal for station::net::NetlinkError {}

impl Trouble {
    /// Anything else, in words.
    pub(crate) fn words(words: impl Into<String>) -> Self {
        Self::Failed(anyhow!(words.into()))
    }

    /// Tells it on standard error, or as JSON on standard output, and gives the exit status.
    pub(crate) fn tell(self, json: bool) -> ExitCode {
        let status = match self {
            Self::Configuration(_) => WRONG_CONFIGURATION,
            _ => 1,
        };
        match (self.plain(), json) {
            (Self::Said | Self::Configuration(_), _) => {}
            // The reader of a pipe has seen enough.
            (Self::Failed(error), _) if is_broken_pipe(&error) => return ExitCode::SUCCESS,
            (Self::Refused(refusal), true) => tell_json(&refusal),
            (Self::Refused(refusal), false) => {
                eprintln!("Refused: {}", refusal.message);
                if let Some(next) = &refusal.next {
                    eprintln!("{next}");
                }
            }
            (Self::Failed(error), true) => {
                tell_json(&Refusal::internal(format!("{error:#}")));
            }
            (Self::Failed(error), false) => eprintln!("punnet: {error:#}"),
        }
        ExitCode::from(status)
    }

    /// The same as one of the usual kinds.
    fn plain(self) -> Self {
        match self {
            Self::Configuration(wrong) => Self::Failed(wrong),
            other => other,
        }
    }

    /// In words, for whoever is not the terminal.
    pub(crate) fn in_words(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.message.clone(),
            Self::Failed(error) | Self::Configuration(error) => format!("{error:#}"),
            Self::Said => String::new(),
        }
    }
}

// Where even this cannot be written, the exit status is all there is.
fn tell_json(refusal: &Refusal) {
    let _ = print::say(true, refusal, ToString::to_string);
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
