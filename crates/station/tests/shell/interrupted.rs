//! The station is killed in the middle of an import: it says so at its next start, and all else is as it
//! was.

use crate::rig::{PATIENCE, Rig, config};
use station::service::{Mode, run};
use std::ffi::OsStr;
use std::fs::{File, read_dir};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::time::Instant;
use wire::ImageId;
use wire::command::Command;
use wire::event::Event;
use wire::image::Image;
use wire::query::{Answer, EventFilter, Query};

const FOLDER: &str = "PUNNET_TEST_INTERRUPTED_FOLDER";
/// Of zeros that lie nowhere; reading them takes far longer than the test.
const LONG: u64 = 8 << 30;

/// Runs in the process that is killed.
#[test]
#[ignore = "runs only as the process that the test below kills"]
fn the_station_that_is_killed_in_an_import() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let station = run(config(&folder), Mode::Rehearsal).await.unwrap();
        let wanted = Command::ImageAdd {
            path: folder.join("long.img").to_str().unwrap().to_owned(),
            product: "KXP2".parse().unwrap(),
            version: "2".to_owned(),
            description: String::new(),
            activate: true,
        };
        station.engine().command(wanted).await.unwrap();
        std::future::pending::<()>().await;
    });
}

fn partial(packs: &Path) -> Option<PathBuf> {
    let files = read_dir(packs).unwrap().map(|entry| entry.unwrap().path());
    files
        .into_iter()
        .find(|f| f.extension() == Some(OsStr::new("partial")))
}

fn active(rig: &Rig) -> Vec<ImageId> {
    let Answer::Images(images) = rig.query(Query::Images).unwrap() else {
        panic!("no images")
    };
    let active = |image: Image| image.active.then_some(image.id);
    images.into_iter().filter_map(active).collect()
}

fn told(rig: &Rig) -> Vec<String> {
    let Answer::Events(all) = rig.query(Query::Events(EventFilter::default())).unwrap() else {
        panic!("no events")
    };
    let interrupted = |event: Event| (event.kind == "image.interrupted").then_some(event.text);
    all.into_iter().filter_map(interrupted).collect()
}

#[test]
fn an_import_that_was_cut_off_is_told_and_the_image_before_it_stays() {
    let mut rig = Rig::new();
    rig.stock();
    rig.prepare_image();
    let before = active(&rig);
    let long = rig.image("long.img", 2);
    File::options()
        .write(true)
        .open(&long)
        .unwrap()
        .set_len(LONG)
        .unwrap();
    let packs = rig.folder().join("data/packs");
    rig.stop();
    let mut station = Process::new(std::env::current_exe().unwrap())
        .args(["--ignored", "the_station_that_is_killed_in_an_import"])
        .env(FOLDER, rig.folder())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while partial(&packs).is_none() {
        assert!(begun.elapsed() < PATIENCE && station.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    station.kill().unwrap();
    station.wait().unwrap();
    assert!(partial(&packs).is_some());

    rig.restart();
    let words = "The import of long.img was interrupted; import it again.";
    assert_eq!(told(&rig), [words]);
    assert_eq!((active(&rig), partial(&packs)), (before, None));
    // Told once, and what ended well or was refused is not told.
    rig.import(&rig.image("next.img", 3), false);
    rig.restart();
    assert_eq!(told(&rig), [words]);
}
