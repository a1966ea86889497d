//! Writing a pack: frames first, the manifest when all are known, the name last of all.

use super::{END_MAGIC, HEADER_BYTES, MAGIC, Pack, PackError, VERSION};
use crate::key;
use ed25519_dalek::SigningKey;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use wire::manifest::{Manifest, SignedManifest};

const PARTIAL: &str = ".partial";

/// A pack in the making. Until [`Sealed::keep`] it is a `.partial` file, removed on drop.
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

    /// The folder it is made in.
    pub fn folder(&self) -> &Path {
        &self.into
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.at
    }

    /// Adds the manifest. The pack is whole now, and still has no name.
    pub fn seal(
        mut self,
        manifest: &Manifest,
        key: Option<&SigningKey>,
    ) -> Result<Sealed, PackError> {
        manifest.check().map_err(|source| PackError::Manifest {
            path: self.into.clone(),
            source,
        })?;
        let mut add = || {
            let signed = key::sign(key, serde_json::to_vec(manifest)?);
            let mut end = signed.bytes.clone();
            end.extend_from_slice(&signed.signature);
            end.extend_from_slice(&self.at.to_le_bytes());
            end.extend_from_slice(&(signed.bytes.len() as u64).to_le_bytes());
            end.extend_from_slice(&signed.id.0);
            end.extend_from_slice(END_MAGIC);
            self.file.write_all(&end)?;
            Ok(signed)
        };
        let signed = add().map_err(|e| write_error(&self.into, e))?;
        Ok(Sealed {
            file: self.file,
            into: self.into,
            signed,
        })
    }
}

/// A whole pack without a name, removed on drop unless it is kept.
#[derive(Debug)]
pub struct Sealed {
    file: NamedTempFile,
    into: PathBuf,
    signed: SignedManifest,
}

impl Sealed {
    /// Opens it for reading.
    pub fn open(&self) -> Result<Pack, PackError> {
        Pack::open(self.file.path())
    }

    /// Its manifest as it travels.
    pub fn signed(&self) -> &SignedManifest {
        &self.signed
    }

    /// Where it will lie: `<id>.pack`.
    pub fn place(&self) -> PathBuf {
        self.into.join(format!("{}.pack", self.signed.id))
    }

    /// Makes it durable and puts it in its place, over whatever lies there.
    pub fn keep(self) -> Result<(PathBuf, SignedManifest), PackError> {
        let path = self.place();
        let keep = || {
            self.file.as_file().sync_all()?;
            self.file.persist(&path)?;
            File::open(&self.into)?.sync_all()
        };
        keep().map_err(|e| write_error(&self.into, e))?;
        Ok((path, self.signed))
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
