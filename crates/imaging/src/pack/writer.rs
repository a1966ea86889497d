//! Writing a pack: frames first, the manifest when all are known, the name last of all.

use super::{END_MAGIC, HEADER_BYTES, MAGIC, PackError, VERSION};
use crate::key;
use ed25519_dalek::SigningKey;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use wire::manifest::{Manifest, SignedManifest};

const PARTIAL: &str = ".partial";

/// A pack in the making. Until [`Writer::finish`] it is a `.partial` file, removed on drop.
#[derive(Debug)]
pub struct Writer {
    file: NamedTempFile,
    into: PathBuf,
    at: u64,
}

impl Writer {
    /// Begins a pack in folder `into`.
    pub fn create(into: &Path) -> Result<Self, PackError> {
        let make = || {
            let mut file = tempfile::Builder::new()
                .prefix("import-")
                .suffix(PARTIAL)
                .tempfile_in(into)?;
            file.write_all(MAGIC)?;
            file.write_all(&VERSION.to_le_bytes())?;
            file.write_all(&[0; 4])?;
            Ok(file)
        };
        Ok(Self {
            file: make().map_err(|e| write_error(into, e))?,
            into: into.to_owned(),
            at: HEADER_BYTES,
        })
    }

    /// Appends a frame and returns where it begins.
    pub fn append(&mut self, frame: &[u8]) -> Result<u64, PackError> {
        let begins = self.at;
        self.file
            .write_all(frame)
            .map_err(|e| write_error(self.file.path(), e))?;
        self.at += frame.len() as u64;
        Ok(begins)
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.at
    }

    /// Adds the manifest, makes everything durable and gives the file its name, `<id>.pack`.
    pub fn finish(
        mut self,
        manifest: &Manifest,
        key: Option<&SigningKey>,
    ) -> Result<(PathBuf, SignedManifest), PackError> {
        manifest.check().map_err(|source| PackError::Manifest {
            path: self.into.clone(),
            source,
        })?;
        let finish = || {
            let signed = key::sign(key, serde_json::to_vec(manifest)?);
            self.file.write_all(&signed.bytes)?;
            self.file.write_all(&signed.signature)?;
            self.file.write_all(&self.at.to_le_bytes())?;
            self.file
                .write_all(&(signed.bytes.len() as u64).to_le_bytes())?;
            self.file.write_all(&signed.id.0)?;
            self.file.write_all(END_MAGIC)?;
            self.file.as_file().sync_all()?;
            let path = self.into.join(format!("{}.pack", signed.id));
            self.file.persist(&path)?;
            File::open(&self.into)?.sync_all()?;
            Ok((path, signed))
        };
        finish().map_err(|e| write_error(&self.into, e))
    }
}

fn write_error(path: &Path, source: io::Error) -> PackError {
    PackError::Io {
        path: path.to_owned(),
        act: "written",
        source,
    }
}

/// Removes what imports that were killed left in folder `into`. Not to be called while one runs.
/// Returns how many files went.
pub fn clean(into: &Path) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(into)? {
        let path = entry?.path();
        let partial = path
            .file_name()
            .is_some_and(|n| n.as_encoded_bytes().ends_with(PARTIAL.as_bytes()));
        if partial && path.is_file() {
            fs::remove_file(&path)?;
            removed += 1;
        }
    }
    Ok(removed)
}
