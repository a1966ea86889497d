//! The shell's own reader of the station: one watch of the real bench, folded, for everything on the
//! desktop that is not the page. It goes on while the window is hidden and while the page is being
//! loaded again, and connects again by itself when a daemon was away.

use super::home::Home;
use super::notify::Notices;
use super::now::Now;
use std::time::Duration;
use tokio::sync::watch;
use tokio_stream::StreamExt as _;
use wire::update::Snapshot;

/// Time until a station that went away is looked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// Follows the station for as long as the program runs.
pub(crate) async fn follow(home: &Home, now: &watch::Sender<Now>, mut notices: Notices) {
    let Ok(found) = home.found().await else {
        return;
    };
    loop {
        if let Ok(mut updates) = found.station.watch().await {
            let mut all = Snapshot::default();
            loop {
                let update = tokio::select! {
                    update = updates.next() => update,
                    () = notices.due() => {
                        notices.show();
                        continue;
                    }
                };
                let Some(update) = update else { break };
                notices.take(&update);
                all.fold(update);
                let fresh = Now::of(&all);
                now.send_if_modified(|now| {
                    let news = *now != fresh;
                    *now = fresh;
                    news
                });
            }
        }
        now.send_if_modified(|now| std::mem::take(&mut now.up));
        tokio::time::sleep(AGAIN).await;
    }
}
