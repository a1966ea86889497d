//! Keeps the machine awake while a batch runs: a laptop that falls asleep over an hour of writing
//! would leave a rack of half-written boards. logind holds the promise for as long as a file
//! descriptor stays open, so it ends with this process whatever happens to it.

use super::now::Now;
use std::time::Duration;
use tokio::sync::watch;
use zbus::{Connection, OwnedFd};

/// Time until a logind that refused is asked again.
const AGAIN: Duration = Duration::from_mins(1);

/// Holds the machine awake whenever the station is busy.
pub(crate) async fn keep(mut now: watch::Receiver<Now>) {
    while now.wait_for(|now| now.busy).await.is_ok() {
        let held = hold().await;
        match &held {
            Ok(_) => tracing::info!("the machine stays awake while a batch runs"),
            // A machine without logind, or a bus that cannot be reached, has no say over sleep.
            Err(error) => tracing::debug!(%error, "sleep is not inhibited"),
        }
        let idle = now.wait_for(|now| !now.busy);
        let ended = if held.is_ok() {
            idle.await.map(drop).is_err()
        } else {
            matches!(tokio::time::timeout(AGAIN, idle).await, Ok(Err(_)))
        };
        drop(held);
        if ended {
            return;
        }
    }
}

/// Asks logind; the promise lasts until what is returned is dropped.
async fn hold() -> zbus::Result<OwnedFd> {
    let bus = Connection::system().await?;
    let what = (
        "sleep:idle",
        "Punnet",
        "A batch of boards is being provisioned",
        "block",
    );
    let answer = bus
        .call_method(
            Some("org.freedesktop.login1"),
            "/org/freedesktop/login1",
            Some("org.freedesktop.login1.Manager"),
            "Inhibit",
            &what,
        )
        .await?;
    answer.body().deserialize()
}
