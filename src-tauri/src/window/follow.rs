//! The shell's own reader of the station: one watch of the real bench, folded, for everything on the
//! desktop that is not the page. It goes on while the window is hidden and while the page is being
//! loaded again, and connects again by itself when a daemon was away. While a rehearsal runs, a second
//! reader announces what happens on its bench.

use super::bench::Bench;
use super::home::Home;
use super::notify::Notices;
use super::now::Now;
use std::time::Duration;
use tokio::sync::watch;
use tokio_stream::StreamExt as _;
use wire::update::{Snapshot, Update};

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

/// Announces what happens on the bench of every rehearsal, for as long as the program runs. Whether
/// that is wanted, the real bench's preferences say.
pub(crate) async fn rehearsals(
    home: &Home,
    mut now: watch::Receiver<Now>,
    notices: impl Fn() -> Notices,
) {
    loop {
        if now.wait_for(|now| now.rehearsing).await.is_err() {
            return;
        }
        if let Ok(station) = home.station(Bench::Rehearsal).await
            && let Ok(mut updates) = station.watch().await
        {
            let mut notices = notices();
            loop {
                let update = tokio::select! {
                    update = updates.next() => update,
                    () = notices.due() => {
                        notices.show();
                        continue;
                    }
                    Ok(()) = now.changed() => {
                        let preferences = now.borrow_and_update().preferences.clone();
                        notices.take(&Update::Preferences(preferences));
                        continue;
                    }
                };
                let Some(mut update) = update else { break };
                if let Update::Snapshot(all) = &mut update {
                    all.preferences = now.borrow().preferences.clone();
                }
                notices.take(&update);
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}
