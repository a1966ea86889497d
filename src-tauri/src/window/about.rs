//! Where the page is at home, and with whom.

use super::home::{Engine, Home};
use serde::Serialize;
use tauri::State;
use wire::Refusal;

/// What the page shows about its home.
#[derive(Debug, Serialize)]
pub(crate) struct About {
    home: &'static str,
    engine: Engine,
    /// Version of this program; the station's own is in its snapshot.
    version: &'static str,
    /// The data folder.
    data_dir: String,
}

/// Which home, whose engine, which version, which folder.
#[tauri::command]
pub(crate) async fn about(home: State<'_, Home>) -> Result<About, Refusal> {
    let found = home.found().await?;
    Ok(About {
        home: "window",
        engine: found.engine,
        version: env!("CARGO_PKG_VERSION"),
        data_dir: found.data_dir.display().to_string(),
    })
}
