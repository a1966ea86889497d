//! An archive downloaded by an administrator, and the station that comes of it.

use crate::management::{PAGE, cookie};
use crate::rig::{PATIENCE, Reply, Rig, config};
use station::backup::restore::restore;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::time::Instant;
use tokio_stream::StreamExt as _;
use wire::backup::Download;
use wire::operator::{DeedOutcome, Role};

const BEGIN: &str = "POST /api/v1/archive HTTP/1.1";

impl Rig {
    fn begin_archive(&self, headers: &str, packs: bool) -> Reply {
        let body = format!(r#"{{"packs":{packs}}}"#);
        self.operator(&format!("{BEGIN}{headers}"), body.as_bytes())
    }

    /// Fetches as an old client does, which is sent no chunks.
    fn fetch_archive(&self, key: &str) -> Reply {
        self.operator(&format!("GET /api/v1/archive/{key} HTTP/1.0"), b"")
    }

    fn admin(&self) -> String {
        self.add_operator("ada", Role::Admin);
        format!("{}{PAGE}", self.login("ada"))
    }

    /// What lies in the data folder of an archive on its way.
    fn traces(&self) -> Vec<PathBuf> {
        let data = config(self.folder()).data_dir;
        let entries = std::fs::read_dir(data).unwrap().flatten();
        let names = entries.map(|entry| entry.path());
        names
            .filter(|path| path.to_string_lossy().contains(".archive-"))
            .collect()
    }

    fn until_no_trace_is_left(&self) {
        let end = Instant::now() + PATIENCE;
        while !self.traces().is_empty() {
            assert!(Instant::now() < end, "{:?}", self.traces());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

#[test]
fn an_administrator_downloads_the_station_and_it_comes_back_elsewhere() {
    let rig = Rig::with_batch();
    let ada = rig.admin();
    let begun: Download = rig.begin_archive(&ada, true).as_();
    let reply = rig.fetch_archive(&begun.key);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/zstd"));
    let save = format!("attachment; filename=\"{}\"", begun.file_name);
    assert_eq!(reply.header("content-disposition"), Some(&*save));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(rig.fetch_archive(&begun.key).status, 404, "it counts once");
    rig.until_no_trace_is_left();

    let file = rig.folder().join(&begun.file_name);
    std::fs::write(&file, &reply.body).unwrap();
    let mut other = Rig::new();
    other.stop();
    let data = config(other.folder()).data_dir;
    let restored = restore(&file, &data, true, &|_, _| {}).unwrap();
    assert!(restored.missing.is_empty(), "the pack is in it");
    let key = |folder: PathBuf| std::fs::read(folder.join("station.key")).unwrap();
    assert_eq!(key(data), key(config(rig.folder()).data_dir));
    other.restart();
    let known = |rig: &Rig| {
        let line = format!(
            "GET /api/v1/names HTTP/1.1\r\nAuthorization: Bearer {}",
            rig.token()
        );
        rig.operator(&line, b"").json()
    };
    assert_eq!(known(&other), known(&rig));
    assert!(!known(&rig).as_array().unwrap().is_empty());
    other.login("ada");

    let rows = rig.deeds();
    let row = rows.iter().find(|row| row.action == "archive").unwrap();
    assert_eq!(
        (row.who.as_str(), row.subject.as_str()),
        ("ada", "with packs")
    );
}

#[test]
fn only_an_administrator_begins_one_and_no_other_site_does() {
    let rig = Rig::new();
    let ada = rig.admin();
    rig.add_operator("wall", Role::Viewer);
    rig.add_operator("tess", Role::Operator);
    for name in ["wall", "tess"] {
        let with = format!("{}{PAGE}", rig.login(name));
        assert_eq!(rig.begin_archive(&with, false).status, 403, "{name}");
    }
    assert_eq!(rig.begin_archive("", false).status, 401);
    let forged = ada.replace(PAGE, "");
    assert_eq!(rig.begin_archive(&forged, false).status, 403, "a form");
    let elsewhere = format!("{ada}\r\nOrigin: http://evil.example");
    assert_eq!(rig.begin_archive(&elsewhere, false).status, 403);
    let get = format!("GET /api/v1/archive HTTP/1.1{ada}");
    assert_eq!(rig.operator(&get, b"").status, 405, "a link begins nothing");
    assert!(rig.traces().is_empty());
}

#[test]
fn one_is_on_its_way_at_a_time_and_one_that_breaks_off_leaves_nothing() {
    let mut rig = Rig::new();
    rig.stock();
    let path = rig.noisy_image("kart.img");
    rig.import(&path, true);
    let ada = rig.admin();
    let begun: Download = rig.begin_archive(&ada, true).as_();
    let second = rig.begin_archive(&ada, true);
    assert_eq!(second.status, 409, "{}", second.json());
    let words = second.json()["message"].as_str().unwrap().to_owned();
    assert!(words.contains("already"), "{words}");
    assert_eq!(rig.traces().len(), 1);
    // It has begun to come, and most of it is still to be made when its reader goes.
    let mut stream = rig.connect();
    let host = rig.operator_host();
    let line = format!(
        "GET /api/v1/archive/{} HTTP/1.1\r\nHost: {host}\r\n\r\n",
        begun.key
    );
    stream.write_all(line.as_bytes()).unwrap();
    let mut first = [0; 4096];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(
        rig.begin_archive(&ada, false).status,
        409,
        "still on its way"
    );
    drop(stream);
    rig.until_no_trace_is_left();

    let begun: Download = rig.begin_archive(&ada, false).as_();
    assert_eq!(rig.fetch_archive(&begun.key).status, 200);
    let rows = rig.deeds();
    let of = rows.iter().filter(|row| row.action == "archive");
    let seen: Vec<_> = of.map(|row| (row.subject.as_str(), row.outcome)).collect();
    assert_eq!(
        seen,
        [
            ("with packs", DeedOutcome::Done),
            ("with packs", DeedOutcome::Refused),
            ("without packs", DeedOutcome::Refused),
            ("without packs", DeedOutcome::Done),
        ]
    );
    // What a crash left is gone at the next start.
    let left = config(rig.folder()).data_dir.join(".archive-x");
    rig.stop();
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("snapshot"), "x").unwrap();
    rig.restart();
    assert!(!left.exists());
}

#[test]
fn an_archive_is_not_fetched_after_the_login_that_asked_for_it() {
    let rig = Rig::new();
    rig.add_operator("ada", Role::Admin);
    let login = cookie(&rig.try_login("ada", crate::management::GOOD));
    let ada = format!("{login}{PAGE}");
    let begun: Download = rig.begin_archive(&ada, false).as_();
    rig.operator(&format!("POST /api/v1/logout HTTP/1.1{ada}"), b"");
    assert_eq!(rig.fetch_archive(&begun.key).status, 401);
    rig.until_no_trace_is_left();
}

#[test]
fn a_window_gets_the_archive_of_its_own_station_and_of_a_service() {
    let rig = Rig::new();
    let there = rig.wait(station::link::Station::attach(&rig.at.socket));
    for station in [rig.station().station(), there.unwrap()] {
        let bytes = rig.wait(async {
            let mut archive = station.archive(false).await.unwrap();
            let mut all = Vec::new();
            while let Some(piece) = archive.bytes.next().await {
                all.extend(piece.unwrap());
            }
            all
        });
        rig.until_no_trace_is_left();
        let file = rig.folder().join("archive");
        std::fs::write(&file, bytes).unwrap();
        let to = rig.folder().join("elsewhere");
        restore(&file, &to, false, &|_, _| {}).unwrap();
        std::fs::remove_dir_all(&to).unwrap();
    }
}
