//! `punnet backup`. What a running station has is asked of it: its data folder is its own, and whoever
//! may speak to it may not be able to read there.

use crate::common::Common;
use crate::desk::{Desk, Work, unexpected};
use crate::print::{Table, size, time};
use crate::trouble::Trouble;
use clap::{Args, Subcommand};
use serde::Serialize;
use station::backup::archive::{Made, Part, Reader, Source, write};
use station::backup::keeper;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio_stream::StreamExt as _;
use wire::Millis;
use wire::backup::Backups;
use wire::command::Command;
use wire::query::{Answer, Query};
use wire::update::Update;

/// What to back up, and where to.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Backup {
    /// Other verbs of backups.
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Make one file with the database, the settings and the station's keys. Without it a copy of the
    /// database is made in the station's folder of backups.
    file: Option<PathBuf>,
    /// Take the packs of the images along.
    #[arg(long, requires = "file")]
    packs: bool,
}

/// Other verbs of backups.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Verb {
    /// List the backups in the station's folder.
    List,
}

/// An archive that was made, for programs.
#[derive(Debug, Serialize)]
struct Archived {
    file: PathBuf,
    bytes: u64,
    made: Millis,
    /// Images whose packs are in it.
    packed: Vec<String>,
    /// Images whose packs are not.
    left_out: Vec<String>,
}

/// Does a verb of backups.
pub(crate) fn run(verb: &Backup, common: &Common) -> impl Work + use<> {
    let (verb, settings) = (verb.clone(), common.settings_file());
    async move |desk: &Desk| {
        if let Some(Verb::List) = verb.verb {
            return desk.say(&backups(desk).await?, table);
        }
        // Said before the work is done.
        if let Some(file) = verb.file.as_ref().filter(|file| file.exists()) {
            return Err(Trouble::words(format!(
                "{} exists already. Choose another name, or move it away",
                file.display()
            )));
        }
        let made = make(desk).await?;
        let now = backups(desk).await?;
        let newest = now.list.iter().find(|b| b.at == made);
        let newest = newest.ok_or_else(|| Trouble::words("the backup is not in its folder"))?;
        let snapshot = Path::new(&now.folder).join(&newest.file);
        let Some(file) = verb.file else {
            return desk.say(newest, |newest| {
                let (file, bytes) = (snapshot.display(), size(newest.bytes));
                format!("The backup is {file} ({bytes}).")
            });
        };
        let meter = Meter::new("backup", desk.json);
        let archive = if desk.live {
            fetch(desk, &file, verb.packs, &meter).await?
        } else {
            let source = Source {
                snapshot: &snapshot,
                made,
                data_dir: &desk.config.data_dir,
                settings: settings.as_deref(),
                packs: verb.packs,
            };
            write(&source, &file, &|done, total| meter.show(done, total))?
        };
        meter.end();
        desk.say(&archived(file, archive), words)
    }
}

/// Has the running station send everything into the file `to`.
async fn fetch(desk: &Desk, to: &Path, packs: bool, meter: &Meter) -> Result<Made, Trouble> {
    let mut archive = desk.station.archive(packs).await?;
    let mut part = Part::beside(to)?;
    let mut received = 0;
    while let Some(piece) = archive.bytes.next().await {
        let piece = piece.map_err(|why| {
            Trouble::words(format!(
                "the station broke the archive off: {why}. Its log says more; nothing was kept"
            ))
        })?;
        part.add(&piece)?;
        received += piece.len() as u64;
        meter.count(received);
    }
    let bytes = part.whole()?;
    let manifest = Reader::open(to)?.manifest().clone();
    Ok(Made { manifest, bytes })
}

/// Has a backup made and waits for it.
async fn make(desk: &Desk) -> Result<Millis, Trouble> {
    let mut watch = desk.station.watch().await?;
    let Some(Update::Snapshot(before)) = watch.next().await else {
        return Err(unexpected());
    };
    desk.command(Command::BackupNow).await?;
    let mut began = false;
    while let Some(update) = watch.next().await {
        let state = match update {
            Update::Backup(state) => state,
            Update::Snapshot(all) => all.backup,
            _ => continue,
        };
        began |= state.running.is_some();
        if state.running.is_some() || !(began || state.last != before.backup.last) {
            continue;
        }
        if let Some(why) = state.trouble {
            return Err(Trouble::words(format!("no backup was made: {why}")));
        }
        return state.last.ok_or_else(unexpected);
    }
    Err(Trouble::words("the station went away during the backup"))
}

async fn backups(desk: &Desk) -> Result<Backups, Trouble> {
    if !desk.live {
        let last = match &desk.station {
            station::link::Station::Here(engine) => engine.backup_state().last,
            station::link::Station::There(_) => None,
        };
        return Ok(keeper::backups(&desk.config.backup_plan(), last)?);
    }
    match desk.query(Query::Backups).await? {
        Answer::Backups(backups) => Ok(backups),
        _ => Err(unexpected()),
    }
}

fn table(backups: &Backups) -> String {
    let mut table = Table::new(
        &["made", "size", "file"],
        "There are no backups yet. Make one with `punnet backup`.",
    );
    for backup in &backups.list {
        table.row([time(backup.at), size(backup.bytes), backup.file.clone()]);
    }
    let by_itself = match (backups.every_hours, backups.next) {
        (0, _) => "None is made by itself".to_owned(),
        (hours, Some(next)) => format!("One every {hours} hours, the next at {}", time(next)),
        (hours, None) => format!("One every {hours} hours"),
    };
    format!(
        "{}\n{by_itself}; {} are kept in {}.",
        table.to_string().trim_end(),
        backups.keep,
        backups.folder
    )
}

fn archived(file: PathBuf, made: Made) -> Archived {
    let Made { manifest, bytes } = made;
    let (packed, left_out): (Vec<_>, Vec<_>) =
        manifest.images.into_iter().partition(|image| image.packed);
    let names = |images: Vec<station::backup::archive::Listed>| {
        images.into_iter().map(|image| image.name).collect()
    };
    Archived {
        file,
        bytes,
        made: manifest.made,
        packed: names(packed),
        left_out: names(left_out),
    }
}

fn words(archived: &Archived) -> String {
    let mut text = format!(
        "{} holds everything that the station knew at {} ({}).\n\
         It holds the station's secrets too: only you can read it, and it should stay so.\n",
        archived.file.display(),
        time(archived.made),
        size(archived.bytes)
    );
    if !archived.left_out.is_empty() {
        text += &format!(
            "Packs that are not in it, so that these images have to be imported again: {}. With \
             --packs they are taken along.\n",
            archived.left_out.join(", ")
        );
    }
    text
}

/// How far long work is, on a terminal.
pub(crate) struct Meter {
    what: &'static str,
    shows: bool,
    /// What stands there: percent, or megabytes where the whole is not known.
    step: AtomicU64,
}

impl Meter {
    pub(crate) fn new(what: &'static str, json: bool) -> Self {
        Self {
            what,
            shows: !json && std::io::stderr().is_terminal(),
            step: AtomicU64::new(u64::MAX),
        }
    }

    /// So many bytes of so many are done.
    pub(crate) fn show(&self, done: u64, total: u64) {
        let percent = done * 100 / total.max(1);
        self.write(percent, || format!("{percent} % of {}", size(total)));
    }

    /// So many bytes are done, of nobody knows how many.
    fn count(&self, done: u64) {
        self.write(done / 1_000_000, || size(done));
    }

    fn write(&self, step: u64, words: impl Fn() -> String) {
        if !self.shows || self.step.swap(step, Ordering::Relaxed) == step {
            return;
        }
        let mut err = std::io::stderr();
        // A screen that cannot be written to is no reason to stop.
        let _ = write!(err, "\r{}: {}", self.what, words());
        let _ = err.flush();
    }

    pub(crate) fn end(&self) {
        if self.shows && self.step.load(Ordering::Relaxed) != u64::MAX {
            eprintln!();
        }
    }
}
