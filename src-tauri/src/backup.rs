//! `punnet backup` and `punnet restore`.

use crate::common::Common;
use crate::desk::{Desk, Work, unexpected};
use crate::print::{Table, say, size, time};
use crate::trouble::Trouble;
use clap::{Args, Subcommand};
use serde::Serialize;
use station::backup::archive::{Made, Source, write};
use station::backup::keeper;
use station::backup::restore::{Restored, restore as put_back};
use station::config::{Environment, understand};
use std::fs;
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

/// What to restore.
#[derive(Debug, Clone, Args)]
pub(crate) struct Restore {
    /// A file made by `punnet backup`, or one of the station's folder of backups.
    file: PathBuf,
    /// Replace the station that is there; it is kept beside the new one.
    #[arg(long)]
    force: bool,
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
        let source = Source {
            snapshot: &snapshot,
            made,
            data_dir: &desk.config.data_dir,
            settings: settings.as_deref(),
            packs: verb.packs,
        };
        let meter = Meter::new("backup", desk.json);
        let archive = write(&source, &file, &|done, total| meter.show(done, total))?;
        meter.end();
        desk.say(&archived(file, archive), words)
    }
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

/// What was restored, for programs.
#[derive(Debug, Serialize)]
struct Report {
    folder: PathBuf,
    made: Millis,
    machine: Option<String>,
    /// Where what was replaced lies.
    aside: Option<PathBuf>,
    /// Images to import again.
    packs_missing: Vec<String>,
    /// What was done with the settings.
    settings: Option<String>,
}

/// Restores a backup.
pub(crate) fn restore(common: &Common, wanted: &Restore) -> Result<(), Trouble> {
    let config = common.configuration()?;
    let meter = Meter::new("restore", common.json);
    let (file, folder) = (&wanted.file, &config.data_dir);
    let restored = put_back(file, folder, wanted.force, &|done, total| {
        meter.show(done, total);
    })?;
    meter.end();
    let settings = settings(common, &restored, folder)?;
    let report = Report {
        folder: folder.clone(),
        made: restored.made,
        machine: restored.machine,
        aside: restored.aside,
        packs_missing: restored.missing.into_iter().map(|i| i.name).collect(),
        settings,
    };
    Ok(say(common.json, &report, restored_words)?)
}

fn restored_words(report: &Report) -> String {
    let from = report.machine.as_ref().filter(|name| !name.is_empty());
    let from = from.map_or_else(String::new, |name| format!(" from {name}"));
    let mut text = format!(
        "{} is the station{from} as it was at {}.\n",
        report.folder.display(),
        time(report.made)
    );
    if let Some(aside) = &report.aside {
        text += &format!(
            "What was there before lies in {}. Remove it when all is well.\n",
            aside.display()
        );
    }
    for image in &report.packs_missing {
        text += &format!("Pack missing, import again: {image}\n");
    }
    if let Some(settings) = &report.settings {
        text += &format!("{settings}\n");
    }
    text += "Boards that were provisioned after that moment are not in it. Look at their labels \
             before a batch gives their names again.\n";
    text
}

/// Puts restored settings where they are read, when there are none yet and they mean this folder.
fn settings(
    common: &Common,
    restored: &Restored,
    folder: &Path,
) -> Result<Option<String>, Trouble> {
    let Some(came) = &restored.settings else {
        return Ok(None);
    };
    let text = fs::read_to_string(came)?;
    let at = came.display();
    if let Some(used) = common.settings_file() {
        let same = fs::read_to_string(&used).is_ok_and(|used| used == text);
        return Ok((!same).then(|| {
            let used = used.display();
            format!("Its settings are in {at}. {used} is used and was left alone; compare them.")
        }));
    }
    let environment = Environment::of_process();
    let here = understand(&text, &environment).is_ok_and(|config| config.data_dir == *folder);
    let Some(place) = environment.config_place().filter(|_| here) else {
        return Ok(Some(format!(
            "Its settings are in {at}. To use them, name the file with --config, or copy it to \
             /etc/punnet/station.toml."
        )));
    };
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(&place, text)?;
    let place = place.display();
    Ok(Some(format!("Its settings are used from now on: {place}.")))
}

/// How far long work is, on a terminal.
struct Meter {
    what: &'static str,
    shows: bool,
    percent: AtomicU64,
}

impl Meter {
    fn new(what: &'static str, json: bool) -> Self {
        Self {
            what,
            shows: !json && std::io::stderr().is_terminal(),
            percent: AtomicU64::new(u64::MAX),
        }
    }

    fn show(&self, done: u64, total: u64) {
        let percent = done * 100 / total.max(1);
        if !self.shows || self.percent.swap(percent, Ordering::Relaxed) == percent {
            return;
        }
        let mut err = std::io::stderr();
        // A screen that cannot be written to is no reason to stop.
        let _ = write!(err, "\r{}: {percent} % of {}", self.what, size(total));
        let _ = err.flush();
    }

    fn end(&self) {
        if self.shows && self.percent.load(Ordering::Relaxed) <= 100 {
            eprintln!();
        }
    }
}
