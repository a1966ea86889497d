//! Hands notices to the desktop's notification daemon and waits for a click, which brings up the
//! window at the place that the notice is about.

use crate::window::close;
use notify_rust::{Hint, Notification, NotificationHandle, NotificationResponse, Urgency};
use station::notices::Notice;
use std::sync::Arc;
use tauri::{AppHandle, Emitter as _};
use tokio::sync::{OnceCell, Semaphore};

/// The event by which the page is told where to go.
const OPEN: &str = "open";
/// Notices whose clicks are waited for; each holds a connection to the session bus. Older ones stay
/// on the screen and only do nothing any more.
const HEARD: usize = 16;

/// Shows notices.
pub(super) struct Shower {
    app: AppHandle,
    markup: Arc<OnceCell<bool>>,
    heard: Arc<Semaphore>,
}

impl Shower {
    /// Nothing is shown yet, and no daemon has been asked anything.
    pub(super) fn new(app: AppHandle) -> Self {
        Self {
            app,
            markup: Arc::default(),
            heard: Arc::new(Semaphore::new(HEARD)),
        }
    }

    /// Shows a notice. A desktop without notifications is no fault.
    pub(super) fn show(&self, notice: Notice) {
        let (app, markup) = (self.app.clone(), Arc::clone(&self.markup));
        let heard = Arc::clone(&self.heard);
        tauri::async_runtime::spawn(async move {
            let markup = *markup.get_or_init(reads_markup).await;
            let shown = match send(&notice, markup).await {
                Ok(shown) => shown,
                Err(error) => {
                    tracing::info!(%error, summary = notice.summary, "no notification");
                    return;
                }
            };
            if let Ok(_place) = heard.try_acquire()
                && clicked(&shown).await
            {
                open(&app, &notice.target);
            }
        });
    }
}

async fn send(notice: &Notice, markup: bool) -> notify_rust::error::Result<NotificationHandle> {
    let body = if markup {
        escaped(&notice.body)
    } else {
        notice.body.clone()
    };
    let urgency = if notice.urgent {
        Urgency::Critical
    } else {
        Urgency::Normal
    };
    Notification::new()
        .appname("Punnet")
        .icon("punnet")
        .hint(Hint::DesktopEntry("punnet".to_owned()))
        .summary(&notice.summary)
        .body(&body)
        .urgency(urgency)
        .action("default", "Open")
        .show_async()
        .await
}

async fn clicked(shown: &NotificationHandle) -> bool {
    let mut clicked = false;
    shown
        .wait_for_action_async(|response| {
            clicked = matches!(
                response,
                NotificationResponse::Default | NotificationResponse::Action(_)
            );
        })
        .await;
    clicked
}

fn open(app: &AppHandle, target: &str) {
    close::show(app);
    if let Err(error) = app.emit(OPEN, target) {
        tracing::warn!(%error, "the page was not told where to go");
    }
}

/// Does the daemon read markup in texts? Then device-supplied words must not look like it.
async fn reads_markup() -> bool {
    let asked = tokio::task::spawn_blocking(notify_rust::get_capabilities).await;
    match asked {
        Ok(Ok(capabilities)) => capabilities.iter().any(|c| c == "body-markup"),
        _ => false,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
