//! `punnet restore`.

use crate::backup::Meter;
use crate::common::Common;
use crate::desk::not_beside_service;
use crate::print::{say, time};
use crate::trouble::Trouble;
use serde::Serialize;
use station::backup::archive::KEPT;
use station::backup::restore::restore as put_back;
use station::config::{Environment, Written, text_of, understand};
use std::fs;
use std::path::{Path, PathBuf};
use wire::Millis;

/// What to restore.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Restore {
    /// A file made by `punnet backup`, or one of the station's folder of backups.
    file: PathBuf,
    /// Replace the station that is there; it is kept beside the new one.
    #[arg(long)]
    force: bool,
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
    /// Files that the settings name and that no backup holds.
    files: Vec<Named>,
}

/// A file that the settings name and that no backup holds.
#[derive(Debug, Serialize)]
struct Named {
    key: &'static str,
    file: PathBuf,
    /// There is one of this name here.
    here: bool,
}

/// Restores a backup.
pub(crate) fn run(common: &Common, wanted: &Restore) -> Result<(), Trouble> {
    let config = common.configuration()?;
    not_beside_service(&config, config.beside_service())?;
    let meter = Meter::new("restore", common.json);
    let (file, folder) = (&wanted.file, &config.data_dir);
    let restored = put_back(file, folder, wanted.force, &|done, total| {
        meter.show(done, total);
    })?;
    meter.end();
    let (settings, files) = match &restored.settings {
        None => (None, Vec::new()),
        Some(came) => match text_of(came) {
            Ok(text) => (settings(common, came, &text, folder)?, named(&text, folder)),
            Err(why) => (Some(why.to_string()), Vec::new()),
        },
    };
    let report = Report {
        folder: folder.clone(),
        made: restored.made,
        machine: restored.machine,
        aside: restored.aside,
        packs_missing: restored.missing.into_iter().map(|i| i.name).collect(),
        settings,
        files,
    };
    Ok(say(common.json, &report, words)?)
}

fn words(report: &Report) -> String {
    let from = report.machine.as_ref().filter(|name| !name.is_empty());
    let from = from.map_or_else(String::new, |name| format!(" from {name}"));
    let mut text = format!(
        "{} is the station{from} as it was at {}.\n",
        report.folder.display(),
        time(report.made)
    );
    let mut line = |words: String| text += &format!("{words}\n");
    if let Some(aside) = &report.aside {
        line(format!(
            "What was there before lies in {}. Remove it when all is well.",
            aside.display()
        ));
    }
    for image in &report.packs_missing {
        line(format!("Pack missing, import again: {image}"));
    }
    if let Some(settings) = &report.settings {
        line(settings.clone());
    }
    for Named { key, file, here } in &report.files {
        let file = file.display();
        line(if *here {
            format!(
                "The settings name {file} ({key}), which is not in the backup; the one here is used."
            )
        } else {
            format!("The settings name {file} ({key}), which is not in the backup: copy it here.")
        });
    }
    line(
        "Every login of then has ended. The operators, their roles and their passwords are those of \
         the backup: look through them with `punnet operator list`."
            .to_owned(),
    );
    line(
        "Boards that were provisioned after that moment are not in it. Look at their labels before a \
         batch gives their names again."
            .to_owned(),
    );
    text
}

/// Puts restored settings where they are read, when none are there yet that say anything and these mean
/// this folder. Says what was done.
fn settings(
    common: &Common,
    came: &Path,
    text: &str,
    folder: &Path,
) -> Result<Option<String>, Trouble> {
    let at = came.display();
    if let Some(used) = common.settings_file() {
        let there = text_of(&used);
        if !there.as_deref().is_ok_and(says_nothing) {
            let same = there.is_ok_and(|there| there == text);
            let used = used.display();
            return Ok((!same).then(|| {
                format!(
                    "Its settings are in {at}. {used} is used and was left alone; compare them."
                )
            }));
        }
    }
    if says_nothing(text) {
        return Ok(None);
    }
    let environment = Environment::of_process();
    let named = common
        .config
        .as_ref()
        .or(environment.punnet_config.as_ref());
    let place = named.cloned().or_else(|| environment.config_place());
    let understood = understand(text, &environment);
    if let (Err(problems), Some(place)) = (&understood, &place) {
        let why: Vec<String> = problems.iter().map(ToString::to_string).collect();
        return Ok(Some(format!(
            "Its settings are in {at}, and are not used: {}. When that is mended, copy them to {}.",
            why.join("; "),
            place.display()
        )));
    }
    let here = understood.is_ok_and(|config| config.data_dir == *folder);
    let Some(place) = place.filter(|_| here) else {
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

/// Do settings hold comments at most, as the package ships them?
fn says_nothing(text: &str) -> bool {
    let (written, problems) = Written::parse(text);
    problems.is_empty() && written.is_blank()
}

/// The files that settings name, apart from those that came along with the data folder.
fn named(text: &str, folder: &Path) -> Vec<Named> {
    let kept = |file: &Path| {
        let name = file.strip_prefix(folder).ok();
        name.is_some_and(|name| KEPT.iter().any(|kept| name == Path::new(kept)))
    };
    let (written, _) = Written::parse(text);
    let files = written.files().into_iter();
    let files = files.filter(|(_, file)| !kept(file));
    files
        .map(|(key, file)| Named {
            key,
            here: file.exists(),
            file,
        })
        .collect()
}
