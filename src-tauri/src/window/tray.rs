//! The icon in the tray: how the station is, and what is wanted quickly or while the window is hidden.
//!
//! Not every desktop has a tray, and the library behind it is not on every machine. Without it the
//! window does without, see [`super::close`].

use super::bench::Bench;
use super::close;
use super::home::Home;
use super::now::Now;
use std::path::Path;
use tauri::image::Image;
use tauri::menu::{CheckMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager as _, Wry};
use tokio::sync::watch;
use wire::command::Command;
use wire::health::ServerKind;
use wire::settings::Preferences;
use zbus::{Connection, OwnedVariant};

const ID: &str = "punnet";
/// Who on the session bus knows of such icons, by the name that all desktops use for it.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";
/// Either of these serves; the crate that loads them panics when neither is there.
const LIBRARIES: [&str; 2] = ["libayatana-appindicator3.so.1", "libappindicator3.so.1"];

const IDLE: &[u8] = include_bytes!("../../../icons/tray-idle.png");
const SERVING: &[u8] = include_bytes!("../../../icons/tray-serving.png");
const ATTENTION: &[u8] = include_bytes!("../../../icons/tray-attention.png");

/// The parts of the menu that change.
struct Parts {
    status: MenuItem<Wry>,
    dhcp: MenuItem<Wry>,
    quiet: CheckMenuItem<Wry>,
}

/// True when there is an icon to bring the window back from: ours exists, and the desktop shows such
/// icons, which not every one does.
pub(crate) async fn is_shown(app: &AppHandle) -> bool {
    app.tray_by_id(ID).is_some() && desktop_has_tray().await.unwrap_or(false)
}

async fn desktop_has_tray() -> zbus::Result<bool> {
    let bus = Connection::session().await?;
    let asked = bus
        .call_method(
            Some(WATCHER),
            "/StatusNotifierWatcher",
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &(WATCHER, "IsStatusNotifierHostRegistered"),
        )
        .await?;
    let shown: OwnedVariant = asked.body().deserialize()?;
    Ok(bool::try_from(shown).unwrap_or(false))
}

/// Puts the icon into the tray, if this machine can, and keeps it true.
pub(crate) fn start(app: &AppHandle, now: watch::Receiver<Now>) {
    if !library_is_here() {
        tracing::info!("no tray icon: libayatana-appindicator3 is not installed");
        return;
    }
    match build(app) {
        Ok(parts) => {
            let app = app.clone();
            tauri::async_runtime::spawn(keep_true(app, parts, now));
        }
        Err(error) => tracing::warn!(%error, "no tray icon"),
    }
}

fn build(app: &AppHandle) -> tauri::Result<Parts> {
    let status = MenuItem::with_id(app, "status", Now::default().words(), false, None::<&str>)?;
    let open = MenuItem::with_id(app, "open", "Open Punnet", true, None::<&str>)?;
    let dhcp = MenuItem::with_id(
        app,
        "dhcp",
        dhcp_words(&Now::default()),
        false,
        None::<&str>,
    )?;
    let quiet =
        CheckMenuItem::with_id(app, "quiet", "No notifications", true, false, None::<&str>)?;
    let quit = MenuItem::with_id(app, "quit", "Quit", true, None::<&str>)?;
    let line = PredefinedMenuItem::separator(app)?;
    let menu = Menu::with_items(app, &[&status, &line, &open, &dhcp, &quiet, &line, &quit])?;
    TrayIconBuilder::with_id(ID)
        .icon(Image::from_bytes(IDLE)?)
        .title("Punnet")
        .menu(&menu)
        .on_menu_event(|app, event| chosen(app, &event))
        .build(app)?;
    Ok(Parts {
        status,
        dhcp,
        quiet,
    })
}

async fn keep_true(app: AppHandle, parts: Parts, mut now: watch::Receiver<Now>) {
    loop {
        let fresh = now.borrow_and_update().clone();
        if let Err(error) = show(&app, &parts, &fresh) {
            tracing::debug!(%error, "the tray icon");
        }
        if now.changed().await.is_err() {
            return;
        }
    }
}

fn show(app: &AppHandle, parts: &Parts, now: &Now) -> tauri::Result<()> {
    parts.status.set_text(now.words())?;
    parts.dhcp.set_text(dhcp_words(now))?;
    parts.dhcp.set_enabled(now.up)?;
    parts.quiet.set_checked(now.preferences.quiet)?;
    parts.quiet.set_enabled(now.up)?;
    let picture = match now {
        now if now.waiting > 0 => ATTENTION,
        now if now.serving => SERVING,
        _ => IDLE,
    };
    if let Some(icon) = app.tray_by_id(ID) {
        icon.set_icon(Some(Image::from_bytes(picture)?))?;
    }
    Ok(())
}

fn dhcp_words(now: &Now) -> &'static str {
    if now.stopped {
        "Start DHCP"
    } else {
        "Stop DHCP"
    }
}

fn chosen(app: &AppHandle, event: &MenuEvent) {
    let now = app.state::<watch::Sender<Now>>().borrow().clone();
    match event.id().as_ref() {
        "open" => close::show(app),
        "quit" => close::quit(app),
        "dhcp" => command(
            app,
            if now.stopped {
                Command::ServerStart {
                    server: ServerKind::Dhcp,
                }
            } else {
                Command::ServerStop {
                    server: ServerKind::Dhcp,
                }
            },
        ),
        "quiet" => command(
            app,
            Command::PreferencesSet(Preferences {
                quiet: !now.preferences.quiet,
                ..now.preferences
            }),
        ),
        _ => {}
    }
}

/// Commands the station; a refusal brings up the window, where the reason can be seen.
fn command(app: &AppHandle, command: Command) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let done = match app.state::<Home>().station(Bench::Real).await {
            Ok(station) => station.command(command).await,
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = done {
            tracing::warn!(%refusal, "the tray's command");
            close::show(&app);
        }
    });
}

/// Looks where the dynamic linker looks, without loading anything.
fn library_is_here() -> bool {
    let named = std::env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let usual = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib"];
    let mut folders: Vec<String> = named.split(':').map(str::to_owned).collect();
    for folder in usual {
        folders.push(folder.to_owned());
        folders.push(format!("{folder}/{}-linux-gnu", std::env::consts::ARCH));
    }
    folders.iter().filter(|f| !f.is_empty()).any(|folder| {
        LIBRARIES
            .iter()
            .any(|library| Path::new(folder).join(library).exists())
    })
}
