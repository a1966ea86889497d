//! Backups as their owner meets them: real databases, real files, everything that can be cut off cut
//! off.

use super::archive::{self, Reader, Source};
use super::restore::{RestoreError, restore};
use super::{Plan, finding, folder, list, newest_good, snapshot};
use crate::store::copies::{self, CopyError};
use crate::store::{Store, deeds, events, files, operators, settings};
use crate::who::Who;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use wire::operator::{DeedFilter, Role};
use wire::query::EventFilter;
use wire::{ImageId, Millis};

const AT: Millis = Millis(1_795_000_000_123);

/// A data folder with a database that says `word`, a key, and the packs of two images.
struct Station {
    outer: TempDir,
}

impl Station {
    fn new(word: &str) -> Self {
        let station = Self {
            outer: tempfile::tempdir().unwrap(),
        };
        let mut store = Store::open(&station.data()).unwrap();
        let tx = store.begin().unwrap();
        settings::set(&tx, "word", word).unwrap();
        let product = wire::batch::Product {
            code: "KXP2".parse().unwrap(),
            name: "Kart".to_owned(),
            pattern: "{product}-{number:03}".to_owned(),
            image: None,
            archived: false,
        };
        crate::store::products::add(&tx, &product, AT).unwrap();
        for mark in [1, 2] {
            crate::store::images::add(&tx, &image(mark)).unwrap();
        }
        tx.commit().unwrap();
        store.close().unwrap();
        let data = station.data();
        fs::write(data.join("station.key"), "a key").unwrap();
        fs::create_dir(data.join("packs")).unwrap();
        for mark in [1, 2] {
            let id = image(mark).id;
            fs::write(data.join(archive::pack_name(&id)), vec![mark; 100_000]).unwrap();
        }
        station
    }

    fn data(&self) -> PathBuf {
        self.outer.path().join("data")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.outer.path().join(name)
    }

    fn plan(&self, keep: u32) -> Plan {
        Plan {
            dir: self.data().join("backups"),
            every_hours: 24,
            keep,
            warn_days: 7,
        }
    }

    fn snapshot(&self, at: Millis) -> PathBuf {
        snapshot::take(&self.data(), &self.plan(14), at, &|_, _| {}).unwrap()
    }

    /// An archive, with packs or without.
    fn archive(&self, packs: bool) -> PathBuf {
        let snapshot = self.snapshot(AT);
        let settings = self.path("station.toml");
        fs::write(&settings, "# settings\n").unwrap();
        let to = self.path("archive");
        let source = Source {
            snapshot: &snapshot,
            made: AT,
            data_dir: &self.data(),
            settings: Some(&settings),
            packs,
        };
        archive::write(&source, &to, &|done, total| assert!(done <= total)).unwrap();
        to
    }
}

fn image(mark: u8) -> wire::image::Image {
    wire::image::Image {
        id: ImageId([mark; 32]),
        product: "KXP2".parse().unwrap(),
        file_name: format!("golden-{mark}.img"),
        version: mark.to_string(),
        description: String::new(),
        raw_bytes: 9,
        data_bytes: 9,
        pack_bytes: 100_000,
        sha256: "0".repeat(64),
        contents: wire::image::ImageContents::default(),
        active: false,
        pack_fault: None,
        imported: AT,
    }
}

fn word(data: &Path) -> String {
    copies::setting(data, "word").unwrap()
}

fn put_back(
    file: &Path,
    data: &Path,
    force: bool,
) -> Result<super::restore::Restored, RestoreError> {
    restore(file, data, force, &|done, total| assert!(done <= total))
}

/// Everything in a folder, to be compared with later.
fn everything(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        // The lock says which process looked last.
        if entry.file_name() == "lock" {
            continue;
        }
        if entry.path().is_dir() {
            all.extend(everything(&entry.path()));
        } else {
            all.push((entry.path(), fs::read(entry.path()).unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn a_snapshot_is_made_while_the_engine_writes_and_holds_one_moment() {
    let station = Station::new("before");
    let mut store = Store::open(&station.data()).unwrap();
    let steps = std::sync::atomic::AtomicU32::new(0);
    // A transaction of the engine is open all the while, and others are committed in between.
    let store = std::sync::Mutex::new(&mut store);
    let progress = |_: u64, _: u64| {
        let n = steps.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut store = store.lock().unwrap();
        let tx = store.begin().unwrap();
        settings::set(&tx, "word", &format!("after {n}")).unwrap();
        tx.commit().unwrap();
    };
    let plan = station.plan(14);
    let file = snapshot::take(&station.data(), &plan, AT, &progress).unwrap();
    assert!(steps.into_inner() > 0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&plan.dir)), (0o600, 0o700));
    let alone = fs::read_dir(&plan.dir).unwrap().count();
    assert_eq!(alone, 1, "no journal lies beside a copy");
    let elsewhere = station.path("elsewhere");
    put_back(&file, &elsewhere, false).unwrap();
    assert_eq!(word(&elsewhere), "before");
    assert!(word(&station.data()).starts_with("after"));
    assert_eq!(list(&plan.dir).unwrap()[0].at, AT);
}

#[test]
fn the_newest_are_kept_and_half_ones_do_not_count() {
    let station = Station::new("w");
    let plan = station.plan(3);
    let moments: Vec<Millis> = (0..5).map(|n| AT.plus(n * 1000)).collect();
    for at in &moments {
        snapshot::take(&station.data(), &plan, *at, &|_, _| {}).unwrap();
    }
    fs::write(plan.dir.join("a note of the owner"), "x").unwrap();
    let half = plan.dir.join(".punnet-20261118-093320-123.db.part");
    fs::write(&half, "half").unwrap();
    let kept: Vec<Millis> = list(&plan.dir).unwrap().iter().map(|b| b.at).collect();
    assert_eq!(kept, [moments[4], moments[3], moments[2]]);
    // The newest is damaged later: the one before it is the newest good one.
    let newest = plan.dir.join(&list(&plan.dir).unwrap()[0].file);
    let mut bytes = fs::read(&newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xff);
    fs::write(&newest, bytes).unwrap();
    assert_eq!(newest_good(&plan.dir).unwrap().1, moments[3]);
    snapshot::take(&station.data(), &plan, moments[4].plus(1000), &|_, _| {}).unwrap();
    assert!(!half.exists(), "what was cut off is cleared away");
    assert!(plan.dir.join("a note of the owner").exists());
}

#[test]
fn a_clock_that_is_set_back_loses_no_new_backup_and_what_was_ahead_of_it_goes_first() {
    let station = Station::new("w");
    let plan = station.plan(3);
    let take = |at: Millis| snapshot::take(&station.data(), &plan, at, &|_, _| {}).unwrap();
    let year = 365 * 24 * 60 * 60 * 1000;
    let present = Millis::now().plus(-year);
    let ahead: Vec<PathBuf> = (0..3).map(|n| take(present.plus(9 * year + n))).collect();
    let first = take(present);
    assert!(first.exists(), "the one just made is there");
    assert!(!ahead[0].exists(), "an older one made room for it");
    assert_eq!(newest_good(&plan.dir).unwrap(), (first.clone(), present));
    let second = take(present.plus(1));
    let third = take(present.plus(2));
    assert!(first.exists() && second.exists() && third.exists());
    let newest = Some((third, present.plus(2)));
    assert_eq!(newest_good(&plan.dir), newest);
    // A file that says it is from the future does not stay for ever either.
    let odd = plan.dir.join(folder::name(present.plus(50 * year)));
    fs::copy(&first, &odd).unwrap();
    assert_eq!(newest_good(&plan.dir), newest);
    let fourth = take(present.plus(3));
    assert!(!odd.exists() && !first.exists());
    assert_eq!(newest_good(&plan.dir).unwrap().0, fourth);
}

#[test]
fn a_damaged_database_is_never_a_backup_and_the_older_ones_stay() {
    let station = Station::new("w");
    let good = station.snapshot(AT);
    let [file, _, _] = files(&station.data());
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xff);
    fs::write(&file, bytes).unwrap();
    let plan = station.plan(1);
    let later = AT.plus(1000);
    let refused = snapshot::take(&station.data(), &plan, later, &|_, _| {}).unwrap_err();
    assert!(refused.to_string().contains("damaged"), "{refused}");
    let left = list(&plan.dir).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(plan.dir.join(&left[0].file), good);
    assert_eq!(fs::read_dir(&plan.dir).unwrap().count(), 1, "nothing half");
}

#[test]
fn an_archive_brings_everything_to_another_machine() {
    let station = Station::new("from afar");
    let file = station.archive(true);
    let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "it holds secrets");
    let new = station.path("new/place");
    let restored = put_back(&file, &new, false).unwrap();
    assert_eq!((restored.made, restored.aside.clone()), (AT, None));
    assert!(restored.missing.is_empty());
    assert_eq!(word(&new), "from afar");
    assert_eq!(fs::read(new.join("station.key")).unwrap(), b"a key");
    let mode = |name: &str| fs::metadata(new.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("station.key"), mode("")), (0o600, 0o700));
    assert_eq!(
        fs::read_to_string(restored.settings.unwrap()).unwrap(),
        "# settings\n"
    );
    let pack = archive::pack_name(&image(1).id);
    assert_eq!(fs::read(new.join(pack)).unwrap(), vec![1; 100_000]);
    let (last, _) = copies::last_backup(&new).unwrap();
    assert_eq!(last, Some(AT), "the archive is its last backup");
    Store::open(&new).unwrap();
}

#[test]
fn a_restore_ends_the_logins_of_then_and_stands_on_the_record() {
    let station = Station::new("w");
    let ada = "ada".parse().unwrap();
    let mut store = Store::open(&station.data()).unwrap();
    let tx = store.begin().unwrap();
    operators::add(&tx, &ada, Role::Admin, "a hash", AT).unwrap();
    let long = Millis::now().plus(1_000_000);
    operators::begin(&tx, &"0".repeat(64), &ada, "192.0.2.1", AT, long).unwrap();
    tx.commit().unwrap();
    store.close().unwrap();
    let (archive, new) = (station.archive(false), station.path("new"));
    put_back(&archive, &new, false).unwrap();
    let snapshot = station.plan(14).dir.join(folder::name(AT));
    put_back(&snapshot, &station.data(), true).unwrap();
    for (folder, file) in [(new, archive), (station.data(), snapshot)] {
        let store = Store::open(&folder).unwrap();
        let conn = store.reader().unwrap();
        let ada = operators::get(&conn, &ada, Millis::now()).unwrap();
        assert_eq!(ada.unwrap().sessions, 0, "whoever was logged in is no more");
        let deeds = deeds::list(&conn, &DeedFilter::default()).unwrap();
        assert_eq!(deeds.len(), 1);
        assert_eq!(deeds[0].action, "restore");
        assert_eq!(deeds[0].who, Who::caller().name);
        let subject = &deeds[0].subject;
        let named = subject.starts_with(&*file.display().to_string());
        assert!(named && subject.contains("made 2026-11-18"), "{subject}");
        let events = events::list(&conn, &EventFilter::default()).unwrap();
        assert_eq!(events.last().unwrap().kind, "backup.restored");
    }
}

#[test]
fn packs_that_were_left_out_are_named_unless_the_folder_has_them() {
    let station = Station::new("w");
    let file = station.archive(false);
    let restored = put_back(&file, &station.path("new"), false).unwrap();
    let missing: Vec<ImageId> = restored.missing.iter().map(|i| i.id).collect();
    assert_eq!(missing, [image(1).id, image(2).id]);
    let restored = put_back(&file, &station.data(), true).unwrap();
    assert!(restored.missing.is_empty(), "they are still there");
    let pack = archive::pack_name(&image(2).id);
    assert_eq!(
        fs::read(station.data().join(pack)).unwrap(),
        vec![2; 100_000]
    );
}

#[test]
fn what_is_replaced_is_kept_and_nothing_is_replaced_unasked() {
    let station = Station::new("old");
    let file = station.snapshot(AT);
    let mut store = Store::open(&station.data()).unwrap();
    let tx = store.begin().unwrap();
    settings::set(&tx, "word", "new").unwrap();
    tx.commit().unwrap();
    let running = put_back(&file, &station.data(), true).unwrap_err();
    assert!(matches!(running, RestoreError::Running(_)), "{running}");
    store.close().unwrap();
    let unasked = put_back(&file, &station.data(), false).unwrap_err();
    assert!(matches!(unasked, RestoreError::Occupied(_)), "{unasked}");
    assert_eq!(word(&station.data()), "new");
    let restored = put_back(&file, &station.data(), true).unwrap();
    assert_eq!(word(&station.data()), "old");
    let aside = restored.aside.unwrap();
    assert_eq!(word(&aside), "new");
    // A snapshot is of the database alone; everything else comes along.
    let data = station.data();
    assert_eq!(fs::read(data.join("station.key")).unwrap(), b"a key");
    assert!(data.join(archive::pack_name(&image(1).id)).exists());
    assert_eq!(list(&data.join("backups")).unwrap().len(), 1);
    let beside: Vec<_> = fs::read_dir(station.outer.path())
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(beside.len(), 2, "nothing else is left: {beside:?}");
}

#[test]
fn a_damaged_archive_changes_nothing_wherever_it_is_damaged() {
    let station = Station::new("safe");
    let file = station.archive(true);
    let whole = fs::read(&file).unwrap();
    let data = station.data();
    let before = everything(&data);
    let beside = fs::read_dir(station.outer.path()).unwrap().count();
    let stride = whole.len() / 40 + 1;
    let mut tried = 0;
    for at in (0..whole.len()).step_by(stride).chain([whole.len() - 1]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(&file, &bytes).unwrap();
        let refused = put_back(&file, &data, true);
        assert!(refused.is_err(), "byte {at} of {}", whole.len());
        fs::write(&file, &whole[..at]).unwrap();
        assert!(put_back(&file, &data, true).is_err(), "cut at {at}");
        tried += 1;
    }
    assert!(tried > 20);
    assert_eq!(everything(&data), before);
    assert_eq!(fs::read_dir(station.outer.path()).unwrap().count(), beside);
    fs::write(&file, &whole).unwrap();
    put_back(&file, &data, true).unwrap();
}

#[test]
fn an_archive_of_a_stranger_writes_nothing_elsewhere() {
    let station = Station::new("w");
    let real = station.archive(false);
    let names = [
        "../evil",
        "packs/../../evil",
        "/tmp/evil",
        "punnet.db-wal",
        "packs/x.pack",
    ];
    for name in names {
        let forged = station.path("forged");
        let mut decoder = zstd::Decoder::new(fs::File::open(&real).unwrap()).unwrap();
        let mut bytes = Vec::new();
        decoder.read_to_end(&mut bytes).unwrap();
        let manifest = Reader::open(&real).unwrap().manifest().clone();
        let mut manifest = manifest;
        manifest.files[0].name = name.to_owned();
        let mut tar = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
        let list = serde_json::to_vec(&manifest).unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_size(list.len() as u64);
        tar.append_data(&mut header, "manifest.json", &list[..])
            .unwrap();
        let sealed = tar.into_inner().unwrap().finish().unwrap();
        fs::write(&forged, sealed).unwrap();
        let refused = put_back(&forged, &station.path("target"), false).unwrap_err();
        assert!(
            refused.to_string().contains("no backup holds"),
            "{name}: {refused}"
        );
        assert!(!station.path("target").exists() && !station.path("evil").exists());
    }
}

#[test]
fn what_a_newer_punnet_made_is_refused_with_its_schema() {
    let station = Station::new("w");
    let file = station.snapshot(AT);
    let newer = station.path("newer.db");
    fs::copy(&file, &newer).unwrap();
    // The number stands at this place of the file (SQLite, "user version").
    let mut bytes = fs::read(&newer).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&newer, bytes).unwrap();
    let refused = put_back(&newer, &station.path("x"), false).unwrap_err();
    let RestoreError::Database(CopyError::Newer { found, .. }) = refused else {
        panic!("{refused}");
    };
    assert_eq!(found, 99);
    let text = station.path("text");
    fs::write(&text, "hello").unwrap();
    let refused = put_back(&text, &station.path("x"), false).unwrap_err();
    assert!(matches!(refused, RestoreError::NotABackup(_)), "{refused}");
}

#[test]
fn an_archive_never_overwrites_a_file() {
    let station = Station::new("w");
    let to = station.archive(false);
    let before = fs::read(&to).unwrap();
    let snapshot = station.data().join("backups").join(folder::name(AT));
    let source = Source {
        snapshot: &snapshot,
        made: AT,
        data_dir: &station.data(),
        settings: None,
        packs: false,
    };
    let refused = archive::write(&source, &to, &|_, _| {}).unwrap_err();
    assert!(refused.to_string().contains("exists already"), "{refused}");
    assert_eq!(fs::read(&to).unwrap(), before);
}

#[test]
fn an_old_backup_is_a_finding_and_a_fresh_one_is_none() {
    let plan = Station::new("w").plan(14);
    let day = 24 * 60 * 60 * 1000;
    let now = AT.plus(10 * day);
    assert_eq!(
        finding(Some(now.plus(-6 * day)), Some(AT), None, &plan, now),
        None
    );
    let old = finding(
        Some(now.plus(-8 * day)),
        Some(AT),
        Some("no room"),
        &plan,
        now,
    )
    .unwrap();
    assert!(old.text.contains("8 days ago"), "{}", old.text);
    assert!(old.text.contains("no room"), "{}", old.text);
    let never = finding(None, Some(AT), None, &plan, now).unwrap();
    assert!(
        never.text.contains("no backup was ever made"),
        "{}",
        never.text
    );
    assert_eq!(
        finding(None, None, None, &plan, now),
        None,
        "an empty station"
    );
    let silent = Plan {
        warn_days: 0,
        ..plan
    };
    assert_eq!(finding(None, Some(AT), None, &silent, now), None);
}
