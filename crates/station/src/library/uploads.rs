//! Images that a browser sends: they lie in a folder of their own until they are imported.
//!
//! The window names a file of its machine; a browser can only send one. What it sends is streamed to
//! a file here, imported from there like any other, and removed when that import has ended, however
//! it ended. What a crash leaves is removed at the next start.

use std::io;
use std::path::{Path, PathBuf};
use tokio::fs::{self, File};
use wire::Refusal;

/// Longest file name kept, in bytes.
const NAME: usize = 100;

/// The folder of uploads. Clones are the same folder.
#[derive(Debug, Clone)]
pub struct Uploads {
    folder: PathBuf,
}

/// A file that is being sent. Dropped before it is [`whole`](Arriving::whole), it is removed.
#[derive(Debug)]
pub struct Arriving {
    /// Where the bytes go.
    pub file: File,
    path: PathBuf,
    whole: bool,
}

impl Uploads {
    /// The folder, emptied: an upload that nobody imported is nobody's.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        match std::fs::remove_dir_all(&folder) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        std::fs::create_dir(&folder)?;
        Ok(Self { folder })
    }

    /// A new file for what is sent as `name`, with room for `bytes` when the sender says how many.
    pub async fn begin(&self, name: &str, bytes: Option<u64>) -> Result<Arriving, Refusal> {
        let name = plain(name)
            .ok_or_else(|| Refusal::invalid("file_name", "The file has no usable name."))?;
        let free = imaging::import::free_bytes(&self.folder);
        if let (Some(bytes), Some(free)) = (bytes, free)
            && bytes >= free
        {
            return Err(Refusal::conflict(format!(
                "{name} has {:.1} GB and the station's disk has room for {:.1} GB.",
                bytes as f64 / 1e9,
                free as f64 / 1e9
            ))
            .next("Remove images that nobody needs, then send it again."));
        }
        let folder = self.folder.join(ulid::Ulid::generate().to_string());
        let made = async {
            fs::create_dir_all(&folder).await?;
            let path = folder.join(name);
            Ok(Arriving {
                file: File::create_new(&path).await?,
                path,
                whole: false,
            })
        };
        made.await.map_err(|e: io::Error| {
            Refusal::internal(format!("{name} cannot be kept on the station: {e}."))
        })
    }

    /// Removes an upload. Files elsewhere are somebody's own and stay.
    pub fn forget(&self, path: &Path) {
        let Some(own) = path.parent().filter(|p| p.parent() == Some(&*self.folder)) else {
            return;
        };
        if let Err(error) = std::fs::remove_dir_all(own) {
            tracing::warn!(%error, path = %path.display(), "an upload was not removed");
        }
    }
}

impl Arriving {
    /// All bytes have come and are on the disk: where they lie.
    pub async fn whole(mut self) -> io::Result<PathBuf> {
        self.file.sync_all().await?;
        self.whole = true;
        Ok(self.path.clone())
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if self.whole {
            return;
        }
        let own = self.path.parent().unwrap_or(&self.path);
        if let Err(error) = std::fs::remove_dir_all(own) {
            tracing::debug!(%error, "a broken upload was gone already");
        }
    }
}

/// The last part of a name from elsewhere, when it can be a file of ours.
fn plain(name: &str) -> Option<&str> {
    let name = name.rsplit(['/', '\\']).next()?.trim();
    let fits = !name.is_empty() && name.len() <= NAME && !name.starts_with('.');
    (fits && !name.chars().any(char::is_control)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;

    #[tokio::test]
    async fn a_whole_upload_stays_until_it_is_forgotten_and_a_broken_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = Uploads::open(dir.path().join("uploads")).unwrap();
        let mut arriving = uploads.begin("a.img", Some(3)).await.unwrap();
        arriving.file.write_all(b"abc").await.unwrap();
        let path = arriving.whole().await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abc");
        drop(uploads.begin("b.img", None).await.unwrap());
        let left = std::fs::read_dir(dir.path().join("uploads")).unwrap();
        assert_eq!(left.count(), 1);
        uploads.forget(&path);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_file_elsewhere_is_never_removed() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = Uploads::open(dir.path().join("uploads")).unwrap();
        let own = dir.path().join("golden.img");
        std::fs::write(&own, b"x").unwrap();
        uploads.forget(&own);
        assert!(own.exists());
    }

    #[tokio::test]
    async fn names_cannot_leave_the_folder_and_room_is_asked_for_first() {
        let dir = tempfile::tempdir().unwrap();
        let uploads = Uploads::open(dir.path().join("uploads")).unwrap();
        let path = uploads
            .begin("../../x.img", None)
            .await
            .unwrap()
            .path
            .clone();
        assert!(path.starts_with(dir.path().join("uploads")), "{path:?}");
        for bad in ["", "..", ".hidden", "a\nb", "/"] {
            let refusal = uploads.begin(bad, None).await.unwrap_err();
            assert_eq!(refusal.field.as_deref(), Some("file_name"), "{bad:?}");
        }
        let refusal = uploads.begin("big.img", Some(u64::MAX)).await.unwrap_err();
        assert!(refusal.message.contains("room"), "{refusal}");
    }
}
