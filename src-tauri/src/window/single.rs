//! One window per person: starting Punnet again brings up the window that is there. Without a session
//! bus a second window simply attaches to the first one's station.

use super::close;
use tauri::Wry;
use tauri::plugin::TauriPlugin;

/// The plugin that finds the other window. Must be the first that is registered.
pub(crate) fn plugin() -> TauriPlugin<Wry> {
    tauri_plugin_single_instance::init(|app, _arguments, _folder| close::show(app))
}
