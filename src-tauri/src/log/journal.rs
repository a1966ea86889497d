//! systemd's journal: each field of a line is a field of the entry, `PUNNET_` before its name, so that
//! `journalctl PUNNET_DEPLOYMENT=…` finds what happened in one deployment.

use super::Way;
use nix::sys::stat::fstat;
use tracing_subscriber::Layer as _;

/// Before the name of every field.
const PREFIX: &str = "PUNNET";
/// What `journalctl -t` finds.
const IDENTIFIER: &str = "punnet";

/// The way to the journal, where standard error leads there and the journal answers.
pub(super) fn layer() -> Option<Way> {
    let stream = std::env::var("JOURNAL_STREAM").ok()?;
    if !is_standard_error(&stream) {
        return None;
    }
    let layer = tracing_journald::layer().ok()?;
    Some(
        layer
            .with_field_prefix(Some(PREFIX.to_owned()))
            .with_syslog_identifier(IDENTIFIER.to_owned())
            .boxed(),
    )
}

/// Is this the stream of standard error? The variable is inherited, and standard error may have been
/// pointed elsewhere since (systemd.exec(5)).
fn is_standard_error(stream: &str) -> bool {
    let Some((device, inode)) = stream.split_once(':') else {
        return false;
    };
    let Ok(own) = fstat(std::io::stderr()) else {
        return false;
    };
    device.parse() == Ok(own.st_dev) && inode.parse() == Ok(own.st_ino)
}
