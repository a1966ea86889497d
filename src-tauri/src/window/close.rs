//! Closing the window: what becomes of the boards decides.
//!
//! A window on a daemon closes at once, because no board notices. A window whose own engine is in the
//! middle of a batch asks first, through the page; when the page does not answer and the person
//! closes once more, the window leaves the screen and the boards go on. A question that was put away
//! is asked again the next time.

use super::home::{Engine, Home};
use super::now::Now;
use super::tray;
use serde::Deserialize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tauri::{AppHandle, Emitter as _, Manager as _, WebviewWindow};
use tokio::sync::watch;

/// The event by which the page is asked.
const CLOSING: &str = "closing";
/// Closing once more within this time says that the question was not seen.
const INSISTS: Duration = Duration::from_secs(10);

/// What closing comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    /// End the program.
    Quit,
    /// Let the page ask.
    Ask,
    /// Leave the screen and go on.
    Hide,
}

/// The rule.
fn closing(engine: Option<Engine>, busy: bool, insists: bool) -> Closing {
    match engine {
        Some(Engine::Own) if busy && insists => Closing::Hide,
        Some(Engine::Own) if busy => Closing::Ask,
        _ => Closing::Quit,
    }
}

/// When the page was last asked, since the window was last shown.
#[derive(Default)]
pub(crate) struct Asked(Mutex<Option<Instant>>);

impl Asked {
    /// Sets it; true when the last time was a moment ago.
    fn set(&self, to: Option<Instant>) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *last, to);
        before.is_some_and(|at| at.elapsed() < INSISTS)
    }
}

/// How the person wants it, as the page says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    /// End the program, and its engine.
    Quit,
    /// Leave the screen; boards go on.
    Tray,
}

/// The person's answer to the question whether to close.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "Tauri hands these over")]
pub(crate) fn close(app: AppHandle, window: WebviewWindow, how: How) {
    match how {
        How::Quit => app.exit(0),
        How::Tray => hide(&app, &window),
    }
}

/// The window was asked to close. True when it may.
pub(crate) fn may_close(app: &AppHandle) -> bool {
    let asked = app.state::<Asked>();
    let busy = app.state::<watch::Sender<Now>>().borrow().busy;
    let engine = app.state::<Home>().engine();
    let insists = asked.set(None);
    match closing(engine, busy, insists) {
        Closing::Quit => return true,
        Closing::Ask => {
            show(app);
            asked.set(Some(Instant::now()));
            if let Err(error) = app.emit(CLOSING, ()) {
                tracing::warn!(%error, "the page could not be asked");
            }
        }
        Closing::Hide => {
            if let Some(window) = super::main_window(app) {
                hide(app, &window);
            }
        }
    }
    false
}

/// Quitting from outside the window, with the same question.
pub(crate) fn quit(app: &AppHandle) {
    if may_close(app) {
        app.exit(0);
    }
}

/// Brings the window to the front.
pub(crate) fn show(app: &AppHandle) {
    app.state::<Asked>().set(None);
    let Some(window) = super::main_window(app) else {
        return;
    };
    let shown = window
        .show()
        .and_then(|()| window.unminimize())
        .and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window could not be shown");
    }
}

/// Takes the window off the screen; without a tray to bring it back from, only out of the way.
fn hide(app: &AppHandle, window: &WebviewWindow) {
    let (app, window) = (app.clone(), window.clone());
    tauri::async_runtime::spawn(async move {
        let hidden = if tray::is_shown(&app).await {
            window.hide()
        } else {
            window.minimize()
        };
        if let Err(error) = hidden {
            tracing::warn!(%error, "the window could not be hidden");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_on_a_daemon_closes_at_once() {
        for busy in [true, false] {
            let on_daemon = closing(Some(Engine::Daemon), busy, false);
            assert_eq!(on_daemon, Closing::Quit);
        }
    }

    #[test]
    fn an_idle_engine_ends_with_its_window() {
        assert_eq!(closing(Some(Engine::Own), false, false), Closing::Quit);
        assert_eq!(closing(None, false, false), Closing::Quit);
    }

    #[test]
    fn a_batch_is_asked_about_first_and_goes_on_when_nobody_answers() {
        assert_eq!(closing(Some(Engine::Own), true, false), Closing::Ask);
        assert_eq!(closing(Some(Engine::Own), true, true), Closing::Hide);
    }
}
