//! The native window: the page at home in Tauri, and the desktop around it.
//!
//! Start-up: a display is looked for before anything graphical is touched; the window opens at once;
//! meanwhile [`home`] finds the station. From then on there are two readers of it. The page speaks
//! through [`verbs`], [`save`], [`archive`], [`pick`] and [`about`], which are all that
//! `permissions/page.toml` lets it call. The desktop ([`tray`], [`close`], [`awake`], [`notify`]) reads
//! what [`follow`] folds from a watch of its own into [`now`]. An engine of this process is stopped in
//! order when the window ends.

mod about;
mod archive;
mod awake;
mod bench;
mod close;
mod follow;
mod home;
mod notify;
mod now;
mod pick;
mod remember;
mod save;
mod single;
mod tray;
mod verbs;

use crate::args::Args;
use crate::configuration::Again;
use crate::log::Files;
use crate::page;
use crate::runtime;
use crate::trouble::Trouble;
use bench::Bench;
use home::Home;
use now::Now;
use station::config::Config;
use std::borrow::Cow;
use std::env;
use std::os::unix::process::CommandExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::Duration;
use tauri::utils::assets::{AssetKey, AssetsIter, CspHash};
use tauri::webview::PageLoadEvent;
use tauri::{
    App, AppHandle, Assets, Manager as _, RunEvent, WebviewUrl, WebviewWindow,
    WebviewWindowBuilder, WindowEvent, Wry,
};
use tauri_plugin_dialog::{DialogExt as _, MessageDialogKind};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use verbs::Watches;

/// The only window.
const MAIN: &str = "main";
/// With this renderer WebKitGTK shows an empty window on some graphics drivers.
const DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
/// Said when the engine of this process cannot go on.
const BROKEN: &str = "A part of the station broke down. Open Punnet again: no name is lost, and boards go \
                      on from where they were. The log says what happened.";
/// Longest wait for an engine of this process to stop.
const LAST_WORDS: Duration = Duration::from_secs(20);

/// Opens the window and returns when it has been closed.
pub(crate) fn run(args: &Args, files: Option<Files>) -> Result<(), Trouble> {
    if !has_display() {
        return Err(Trouble::words(
            "there is no display here, so the window cannot open. Run the station without one with \
             `punnet --daemon`, and see `punnet --help` for everything else.",
        ));
    }
    if env::var_os(DMABUF).is_none() {
        return Err(again_with(DMABUF).into());
    }
    let config = args.common.configuration()?;
    let again = Again {
        common: args.common.clone(),
        rehearsal: false,
        files,
    };
    let runtime = runtime::start()?;
    tauri::async_runtime::set(runtime.handle().clone());
    // A display that is named and does not answer makes the toolkit panic.
    let app = catch_unwind(AssertUnwindSafe(|| build(config, again)))
        .map_err(|_| Trouble::words("the display that DISPLAY names does not answer."))?
        .map_err(|why| Trouble::Failed(why.into()))?;
    show_until_closed(app, &runtime)
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Starts this program again, in this very process, with a variable set. Returns only when that
/// fails.
fn again_with(variable: &str) -> std::io::Error {
    match env::current_exe() {
        Ok(program) => Command::new(program)
            .args(env::args_os().skip(1))
            .env(variable, "1")
            .exec(),
        Err(error) => error,
    }
}

fn build(config: Config, again: Again) -> tauri::Result<App<Wry>> {
    tauri::Builder::default()
        .plugin(single::plugin())
        .plugin(remember::plugin())
        .plugin(tauri_plugin_dialog::init())
        .manage(Home::new())
        .manage(Watches::default())
        .manage(save::Shelf::default())
        .manage(close::Asked::default())
        .manage(watch::Sender::new(Now::default()))
        .invoke_handler(tauri::generate_handler![
            about::about,
            verbs::command,
            verbs::query,
            verbs::watch,
            verbs::unwatch,
            save::save,
            save::reveal,
            archive::archive,
            pick::pick_file,
            close::close,
        ])
        .setup(move |app| {
            start(app.handle(), config, again);
            open_window(app)?;
            Ok(())
        })
        .build(tauri::generate_context!(assets = Embedded))
}

fn open_window(app: &App<Wry>) -> tauri::Result<()> {
    WebviewWindowBuilder::new(app, MAIN, WebviewUrl::default())
        .title("Punnet")
        .inner_size(1280.0, 800.0)
        .min_inner_size(960.0, 600.0)
        .on_page_load(|window, load| {
            // What the page before this one listened to, nobody hears any more.
            if load.event() == PageLoadEvent::Started {
                window.state::<Watches>().end_all();
            }
        })
        // The page has one address; whatever would lead elsewhere is not followed.
        .on_navigation(|url| url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost"))
        .build()?;
    Ok(())
}

/// Starts everything that goes on beside the window.
fn start(app: &AppHandle, config: Config, again: Again) {
    let now = app.state::<watch::Sender<Now>>();
    tray::start(app, now.subscribe());
    tauri::async_runtime::spawn(awake::keep(now.subscribe()));
    tauri::async_runtime::spawn(end_on_signals(app.clone()));
    let opener = app.clone();
    tauri::async_runtime::spawn(async move {
        let home = opener.state::<Home>();
        let words = match home.open(config, again).await {
            Ok(_) => {
                home.broken().await;
                BROKEN.to_owned()
            }
            Err(refusal) => refusal.to_string(),
        };
        eprintln!("punnet: {words}");
        tell(&opener, &words);
    });
    let follower = app.clone();
    tauri::async_runtime::spawn(async move {
        let notices = notify::Notices::new(follower.clone(), Bench::Real);
        let now = follower.state::<watch::Sender<Now>>();
        follow::follow(&follower.state::<Home>(), &now, notices).await;
    });
    let (rehearsals, now) = (app.clone(), now.subscribe());
    tauri::async_runtime::spawn(async move {
        let notices = || notify::Notices::new(rehearsals.clone(), Bench::Rehearsal);
        follow::rehearsals(&rehearsals.state::<Home>(), now, notices).await;
    });
}

/// Tells what went wrong; the program ends when it has been read.
fn tell(app: &AppHandle, words: &str) {
    let end = app.clone();
    app.dialog()
        .message(words)
        .title("Punnet")
        .kind(MessageDialogKind::Error)
        .show(move |_| end.exit(1));
}

async fn end_on_signals(app: AppHandle) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    app.exit(0);
}

fn show_until_closed(app: App<Wry>, runtime: &Runtime) -> Result<(), Trouble> {
    let handle = app.handle().clone();
    let code = app.run_return(|app, event| {
        if let RunEvent::WindowEvent {
            event: WindowEvent::CloseRequested { api, .. },
            ..
        } = event
            && !close::may_close(app)
        {
            api.prevent_close();
        }
    });
    let closed = runtime.block_on(async {
        let home = handle.state::<Home>();
        tokio::time::timeout(LAST_WORDS, home.close()).await
    });
    if closed.is_err() {
        tracing::warn!("the station did not stop in time");
    }
    if code == 0 {
        Ok(())
    } else {
        Err(Trouble::Said)
    }
}

/// The window, while it is there.
fn main_window(app: &AppHandle) -> Option<WebviewWindow> {
    app.get_webview_window(MAIN)
}

/// The page, as the window loads it: the same files that browsers get.
struct Embedded;

impl Assets<Wry> for Embedded {
    fn get(&self, key: &AssetKey) -> Option<Cow<'_, [u8]>> {
        let mut files = page::FILES.iter();
        let (_, bytes) = files.find(|(path, _)| *path == key.as_ref())?;
        Some(Cow::Borrowed(*bytes))
    }

    fn iter(&self) -> Box<AssetsIter<'_>> {
        let files = page::FILES.iter();
        Box::new(files.map(|(path, bytes)| (Cow::Borrowed(*path), Cow::Borrowed(*bytes))))
    }

    /// The page has nothing inline that would need one.
    fn csp_hashes(&self, _: &AssetKey) -> Box<dyn Iterator<Item = CspHash<'_>> + '_> {
        Box::new(std::iter::empty())
    }
}
