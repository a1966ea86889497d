//! An archive of the station, saved where the person keeps downloads as it is made. It holds the
//! station's secrets, so the file is its owner's alone; one that did not come to its end is removed.

use super::bench::Bench;
use super::home::Home;
use super::save::{Saved, Shelf, folder, new_file, plain_name, unsaved};
use station::link::Archive;
use std::io;
use std::path::{Path, PathBuf};
use tauri::{AppHandle, State};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;
use tokio_stream::StreamExt as _;
use wire::Refusal;

/// Has an archive made and saves it; returns when all of it is there.
#[tauri::command]
pub(crate) async fn archive(
    app: AppHandle,
    home: State<'_, Home>,
    shelf: State<'_, Shelf>,
    packs: bool,
) -> Result<Saved, Refusal> {
    let station = home.station(Bench::Real).await?;
    let archive = station.archive(packs).await?;
    let (folder, name) = (folder(&app)?, archive.file_name.clone());
    let kept = keep(&folder, archive).await;
    let path = kept.map_err(|why| unsaved(&folder, &name, &why))?;
    Ok(shelf.put(path))
}

async fn keep(folder: &Path, archive: Archive) -> io::Result<PathBuf> {
    fs::create_dir_all(folder).await?;
    let (file, path) = new_file(folder, &plain_name(&archive.file_name), 0o600)?;
    let part = Part(Some(path));
    let mut file = File::from_std(file);
    let mut bytes = archive.bytes;
    while let Some(piece) = bytes.next().await {
        file.write_all(&piece?).await?;
    }
    file.sync_all().await?;
    Ok(part.whole())
}

/// A file that is not whole yet; dropped, it is removed.
struct Part(Option<PathBuf>);

impl Part {
    fn whole(mut self) -> PathBuf {
        self.0.take().unwrap_or_default()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // The first error is the one to tell.
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn archive(pieces: Vec<io::Result<&'static [u8]>>) -> Archive {
        let pieces = pieces.into_iter().map(|piece| piece.map(Into::into));
        Archive {
            file_name: "punnet.punnet".to_owned(),
            bytes: Box::pin(tokio_stream::iter(pieces.collect::<Vec<_>>())),
        }
    }

    #[tokio::test]
    async fn an_archive_is_its_owners_alone_and_a_broken_one_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let whole = archive(vec![Ok(&b"ab"[..]), Ok(b"cd")]);
        let path = keep(folder.path(), whole).await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abcd");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let broken = archive(vec![
            Ok(&b"ab"[..]),
            Err(io::ErrorKind::UnexpectedEof.into()),
        ]);
        keep(folder.path(), broken).await.unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
