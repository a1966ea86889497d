//! Choosing a file with the desktop's own dialogue, for those who do not drag one onto the window.
//! Files that are dragged arrive by Tauri's own events; both give the page paths, never contents.

use tauri::{AppHandle, WebviewWindow};
use tauri_plugin_dialog::DialogExt as _;
use wire::Refusal;

/// Lets the person choose a file; nothing when they think better of it.
#[tauri::command]
pub(crate) async fn pick_file(
    app: AppHandle,
    window: WebviewWindow,
) -> Result<Option<String>, Refusal> {
    let (chosen, choice) = tokio::sync::oneshot::channel();
    app.dialog()
        .file()
        .set_title("Choose a file")
        .set_parent(&window)
        .pick_file(move |file| {
            // Nobody waits any more when the page was left meanwhile.
            let _ = chosen.send(file);
        });
    let file = choice.await.unwrap_or_default();
    let path = file.and_then(|file| file.into_path().ok());
    Ok(path.map(|path| path.display().to_string()))
}
