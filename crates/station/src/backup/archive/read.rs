//! Reading an archive. Nothing in it is believed before it is checked, and nothing is written outside
//! of the folder it is unpacked into.

use super::{Entry, FORMAT, MANIFEST, MOST_MANIFEST, Manifest, is_known};
use crate::backup::Progress;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Bytes read in one go.
const STRIDE: usize = 1 << 20;

/// Why an archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error("{file} cannot be read: {error}")]
    Unreadable {
        /// The archive.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is not whole, or not what was written once.
    #[error("{file} is damaged: {what}. Use another backup")]
    Damaged {
        /// The archive.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Of a form that this build does not know.
    #[error(
        "{file} was made by Punnet {version}, in a form ({format}) that this version does not know. \
         Install that version first"
    )]
    Newer {
        /// The archive.
        file: PathBuf,
        /// Who made it.
        version: String,
        /// The form.
        format: u32,
    },
    /// What is in it cannot be written.
    #[error("{file} cannot be written: {error}")]
    Target {
        /// The file.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
}

type Tar = tar::Archive<zstd::Decoder<'static, BufReader<File>>>;

/// An archive whose list was read.
pub struct Reader {
    file: PathBuf,
    tar: Tar,
    manifest: Manifest,
}

/// The first look at what is in an archive.
#[derive(serde::Deserialize)]
struct Form {
    format: u32,
    #[serde(default)]
    version: String,
}

impl Reader {
    /// Opens an archive and reads what is in it.
    pub fn open(file: &Path) -> Result<Self, ReadError> {
        let unreadable = |error| ReadError::Unreadable {
            file: file.to_owned(),
            error,
        };
        let damaged = |what: String| ReadError::Damaged {
            file: file.to_owned(),
            what,
        };
        let begun = || -> io::Result<Tar> {
            let decoder = zstd::Decoder::new(File::open(file)?)?;
            Ok(tar::Archive::new(decoder))
        };
        let mut tar = begun().map_err(unreadable)?;
        let mut text = Vec::new();
        let mut read = || -> Result<(), String> {
            let mut entries = tar.entries().map_err(|e| e.to_string())?;
            let first = entries.next().ok_or("it is empty")?;
            let entry = first.map_err(|e| e.to_string())?;
            let name = entry.path().map_err(|e| e.to_string())?;
            if name.as_os_str() != MANIFEST {
                return Err(format!("it begins with {}", name.display()));
            }
            if entry.size() > MOST_MANIFEST {
                return Err("its list is too long".to_owned());
            }
            let mut entry = entry.take(MOST_MANIFEST);
            entry.read_to_end(&mut text).map_err(|e| e.to_string())?;
            Ok(())
        };
        read().map_err(&damaged)?;
        let form: Form = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
        if form.format != FORMAT {
            return Err(ReadError::Newer {
                file: file.to_owned(),
                version: form.version,
                format: form.format,
            });
        }
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
        if let Some(odd) = manifest.files.iter().find(|e| !is_known(&e.name)) {
            return Err(damaged(format!("no backup holds a file {:?}", odd.name)));
        }
        Ok(Self {
            file: file.to_owned(),
            tar: again(file).map_err(unreadable)?,
            manifest,
        })
    }

    /// What is in it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Bytes that it takes when it is unpacked.
    pub fn bytes(&self) -> u64 {
        self.manifest.files.iter().map(|e| e.bytes).sum()
    }

    /// Unpacks everything into the folder `into`, which is empty. What was written is what was hashed
    /// when the archive was made.
    pub fn unpack(mut self, into: &Path, progress: Progress<'_>) -> Result<Manifest, ReadError> {
        let damaged = |what: String| ReadError::Damaged {
            file: self.file.clone(),
            what,
        };
        let total = self.manifest.files.iter().map(|e| e.bytes).sum();
        let mut done = 0;
        let mut listed = self.manifest.files.iter();
        let entries = self.tar.entries().map_err(|e| damaged(e.to_string()))?;
        // The list was read before.
        for entry in entries.skip(1) {
            let entry = entry.map_err(|e| damaged(e.to_string()))?;
            let expected = listed.next();
            let expected = expected.ok_or_else(|| damaged("it holds too much".to_owned()))?;
            let named = entry
                .path()
                .is_ok_and(|name| name.as_os_str() == expected.name.as_str());
            let regular = entry.header().entry_type() == tar::EntryType::Regular;
            if !named || !regular || entry.size() != expected.bytes {
                return Err(damaged(format!("{} is not in its place", expected.name)));
            }
            unpack_one(&damaged, entry, expected, into, &mut |bytes| {
                done += bytes;
                progress(done, total);
            })?;
        }
        if let Some(missing) = listed.next() {
            return Err(damaged(format!("{} is missing", missing.name)));
        }
        // To the very end: there is the checksum of the whole.
        let mut rest = self.tar.into_inner();
        io::copy(&mut rest, &mut io::sink()).map_err(|e| damaged(e.to_string()))?;
        Ok(self.manifest)
    }
}

fn again(file: &Path) -> io::Result<Tar> {
    Ok(tar::Archive::new(zstd::Decoder::new(File::open(file)?)?))
}

fn unpack_one(
    damaged: &dyn Fn(String) -> ReadError,
    mut from: impl Read,
    expected: &Entry,
    into: &Path,
    further: &mut dyn FnMut(u64),
) -> Result<(), ReadError> {
    let to = into.join(&expected.name);
    let target = |error| ReadError::Target {
        file: to.clone(),
        error,
    };
    if let Some(folder) = to.parent() {
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700);
        private.create(folder).map_err(target)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&to)
        .map_err(target)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; STRIDE];
    let mut bytes = 0;
    loop {
        let n = from.read(&mut buffer).map_err(|e| damaged(e.to_string()))?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        file.write_all(&buffer[..n]).map_err(target)?;
        bytes += n as u64;
        further(n as u64);
    }
    if bytes != expected.bytes || hasher.finalize().to_hex().as_str() != expected.blake3 {
        return Err(damaged(format!("{} is not what it was", expected.name)));
    }
    file.sync_all().map_err(target)
}
