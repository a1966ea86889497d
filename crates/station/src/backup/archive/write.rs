//! Making an archive: everything is hashed first, then written in one go, into a file under a name that
//! does not count, which is made durable and given its name, or to whoever fetches it.

use super::{DATABASE, Entry, FORMAT, KEPT, Listed, MANIFEST, Manifest, SETTINGS, pack_name};
use crate::backup::Progress;
use crate::store::StoreError;
use crate::store::copies::{self, CopyError};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::NamedTempFile;
use wire::Millis;

/// Packs are compressed already; the rest is small.
const LEVEL: i32 = 3;

/// What an archive is made of.
#[derive(Debug)]
pub struct Source<'a> {
    /// A snapshot of the database.
    pub snapshot: &'a Path,
    /// When it was made.
    pub made: Millis,
    /// The data folder.
    pub data_dir: &'a Path,
    /// The file of settings, when there is one.
    pub settings: Option<&'a Path>,
    /// Take the packs along.
    pub packs: bool,
}

/// Why there is no archive. Nothing of it was left.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It is there already.
    #[error("{0} exists already. Choose another name, or move it away")]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{file} cannot be {act}: {error}")]
    File {
        /// The file.
        file: PathBuf,
        /// `read` or `written`.
        act: &'static str,
        /// Why.
        error: io::Error,
    },
    /// Whoever it was sent to took no more.
    #[error("it did not arrive: {0}")]
    Sent(io::Error),
    /// The snapshot cannot be used.
    #[error(transparent)]
    Snapshot(#[from] CopyError),
    /// The snapshot cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An archive that was made.
#[derive(Debug)]
pub struct Made {
    /// What is in it.
    pub manifest: Manifest,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What goes into an archive, in its order. Nothing is hashed yet.
#[derive(Debug)]
pub struct Contents {
    made: Millis,
    schema: usize,
    images: Vec<Listed>,
    files: Vec<(String, PathBuf)>,
}

impl Contents {
    /// Looks at the snapshot, and at which files there are.
    pub fn of(source: &Source<'_>) -> Result<Self, WriteError> {
        let schema = copies::examine(source.snapshot)?;
        let mut files: Vec<(String, PathBuf)> =
            vec![(DATABASE.to_owned(), source.snapshot.to_owned())];
        files.extend(
            source
                .settings
                .map(|file| (SETTINGS.to_owned(), file.to_owned())),
        );
        let kept = KEPT.iter().map(|name| (*name, source.data_dir.join(name)));
        files.extend(
            kept.filter(|(_, file)| file.exists())
                .map(|(name, file)| (name.to_owned(), file)),
        );
        let mut images = Vec::new();
        for image in copies::images(source.snapshot)? {
            let name = pack_name(&image.id);
            let file = source.data_dir.join(&name);
            let packed = source.packs && file.exists();
            if packed {
                files.push((name, file));
            }
            images.push(Listed::of(&image, packed));
        }
        Ok(Self {
            made: source.made,
            schema,
            images,
            files,
        })
    }

    fn bytes(&self) -> u64 {
        let size = |file: &PathBuf| fs::metadata(file).map_or(0, |about| about.len());
        self.files.iter().map(|(_, file)| size(file)).sum()
    }

    fn hashed(&self, gauge: &Gauge<'_>) -> Result<Manifest, WriteError> {
        let files = self.files.iter();
        let files = files.map(|(name, file)| hash(name, file, gauge));
        Ok(Manifest {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            machine: machine(),
            made: self.made,
            schema: self.schema,
            images: self.images.clone(),
            files: files.collect::<Result<_, _>>()?,
        })
    }
}

/// Makes the archive `to`.
pub fn write(source: &Source<'_>, to: &Path, progress: Progress<'_>) -> Result<Made, WriteError> {
    if to.exists() {
        return Err(WriteError::Exists(to.to_owned()));
    }
    let contents = Contents::of(source)?;
    let gauge = Gauge {
        done: AtomicU64::new(0),
        // Hashed and then written: every byte is read twice.
        total: 2 * contents.bytes(),
        progress,
        wanted: &|| true,
    };
    let manifest = contents.hashed(&gauge)?;
    let bytes = store(&manifest, &contents.files, to, &gauge)?;
    Ok(Made { manifest, bytes })
}

/// Makes an archive that goes out as it is made, for as long as it is `wanted`. Of it nothing lies on
/// the disk, and in memory no more than what is on its way.
pub fn send(
    contents: &Contents,
    to: impl io::Write,
    wanted: &(dyn Fn() -> bool + Sync),
) -> Result<(), WriteError> {
    let gauge = Gauge {
        done: AtomicU64::new(0),
        total: 0,
        progress: &|_, _| {},
        wanted,
    };
    let manifest = contents.hashed(&gauge)?;
    pour(&manifest, &contents.files, to, &gauge, &WriteError::Sent)
}

struct Gauge<'a> {
    done: AtomicU64,
    total: u64,
    progress: Progress<'a>,
    /// Does anybody still want it?
    wanted: &'a (dyn Fn() -> bool + Sync),
}

impl Gauge<'_> {
    fn add(&self, bytes: usize) {
        let bytes = bytes as u64;
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        (self.progress)(done.min(self.total), self.total);
    }
}

/// Counts what is read.
struct Counted<'a, R> {
    inner: R,
    gauge: &'a Gauge<'a>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !(self.gauge.wanted)() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let n = self.inner.read(buffer)?;
        self.gauge.add(n);
        Ok(n)
    }
}

fn open<'a>(file: &Path, gauge: &'a Gauge<'a>) -> Result<Counted<'a, File>, WriteError> {
    let inner = File::open(file).map_err(unreadable(file))?;
    Ok(Counted { inner, gauge })
}

fn unreadable(file: &Path) -> impl Fn(io::Error) -> WriteError + '_ {
    move |error| WriteError::File {
        file: file.to_owned(),
        act: "read",
        error,
    }
}

fn hash(name: &str, file: &Path, gauge: &Gauge<'_>) -> Result<Entry, WriteError> {
    let mut hasher = blake3::Hasher::new();
    let mut reader = open(file, gauge)?;
    let bytes = io::copy(&mut reader, &mut hasher).map_err(unreadable(file))?;
    Ok(Entry {
        name: name.to_owned(),
        bytes,
        blake3: hasher.finalize().to_hex().to_string(),
    })
}

fn store(
    manifest: &Manifest,
    files: &[(String, PathBuf)],
    to: &Path,
    gauge: &Gauge<'_>,
) -> Result<u64, WriteError> {
    let mut part = Part::beside(to)?;
    let failed = unwritable(to);
    pour(manifest, files, &mut part.file, gauge, &failed)?;
    part.whole()
}

/// An archive that is not whole yet, under a name that does not count. It is its owner's alone from its
/// first moment, and gone again unless it gets its name.
#[derive(Debug)]
pub struct Part {
    file: NamedTempFile,
    to: PathBuf,
}

impl Part {
    /// One that is to become `to`.
    pub fn beside(to: &Path) -> Result<Self, WriteError> {
        let file = tempfile::Builder::new()
            .prefix(".punnet-backup-")
            .tempfile_in(folder_of(to))
            .map_err(unwritable(to))?;
        let to = to.to_owned();
        Ok(Self { file, to })
    }

    /// Adds what comes next.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.file.write_all(bytes).map_err(unwritable(&self.to))
    }

    /// It is whole: it is made durable and gets its name, unless that was taken meanwhile. Gives its
    /// size in bytes.
    pub fn whole(self) -> Result<u64, WriteError> {
        let Self { file, to } = self;
        let failed = unwritable(&to);
        file.as_file().sync_all().map_err(&failed)?;
        let whole = file
            .persist_noclobber(&to)
            .map_err(|e| match e.error.kind() {
                io::ErrorKind::AlreadyExists => WriteError::Exists(to.clone()),
                _ => failed(e.error),
            })?;
        File::open(folder_of(&to))
            .and_then(|folder| folder.sync_all())
            .map_err(&failed)?;
        Ok(whole.metadata().map_err(&failed)?.len())
    }
}

fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn unwritable(file: &Path) -> impl Fn(io::Error) -> WriteError + '_ {
    move |error| WriteError::File {
        file: file.to_owned(),
        act: "written",
        error,
    }
}

/// The tar in its compression.
fn pour(
    manifest: &Manifest,
    files: &[(String, PathBuf)],
    to: impl io::Write,
    gauge: &Gauge<'_>,
    failed: &dyn Fn(io::Error) -> WriteError,
) -> Result<(), WriteError> {
    let mut encoder = zstd::Encoder::new(BufWriter::new(to), LEVEL).map_err(failed)?;
    encoder.include_checksum(true).map_err(failed)?;
    let mut tar = tar::Builder::new(encoder);
    let list = serde_json::to_vec_pretty(manifest).map_err(|e| failed(e.into()))?;
    append(&mut tar, MANIFEST, list.len() as u64, &list[..]).map_err(failed)?;
    for ((name, file), entry) in files.iter().zip(&manifest.files) {
        let reader = open(file, gauge)?.take(entry.bytes);
        append(&mut tar, name, entry.bytes, reader).map_err(unreadable(file))?;
    }
    let finished = tar
        .into_inner()
        .and_then(zstd::Encoder::finish)
        .and_then(|mut buffer| buffer.flush());
    finished.map_err(failed)
}

fn append(
    tar: &mut tar::Builder<impl io::Write>,
    name: &str,
    bytes: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_entry_type(tar::EntryType::Regular);
    tar.append_data(&mut header, name, content)
}

fn machine() -> String {
    let name = nix::sys::utsname::uname();
    let name = name.map(|u| u.nodename().to_string_lossy().into_owned());
    name.unwrap_or_default()
}
