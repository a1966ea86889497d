//! The window comes back where it was and as large as it was. Whether it was hidden is not kept:
//! whoever starts Punnet wants to see it.

use tauri::Wry;
use tauri::plugin::TauriPlugin;
use tauri_plugin_window_state::{Builder, StateFlags};

/// The plugin that remembers.
pub(crate) fn plugin() -> TauriPlugin<Wry> {
    Builder::new()
        .with_state_flags(StateFlags::SIZE | StateFlags::POSITION | StateFlags::MAXIMIZED)
        .with_filename("window.json")
        .build()
}
