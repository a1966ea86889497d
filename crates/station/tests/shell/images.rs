//! Packs and images over HTTP, and imports.

use crate::rig::Rig;
use sha2::{Digest as _, Sha256};
use std::net::Ipv4Addr;
use wire::command::{Command, ImportState, Receipt};
use wire::manifest::Manifest;
use wire::query::{Answer, Query};

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;

fn get(rig: &Rig, path: &str, headers: &str) -> crate::rig::Reply {
    rig.board(HERE, &format!("GET {path} HTTP/1.1{headers}"), b"")
}

#[test]
fn a_pack_is_served_by_ranges_and_resumes() {
    let rig = Rig::with_batch();
    let board = rig.at_work(7);
    let (id, path, session) = (board.job.image, board.pack(), board.session());
    let get = |rig: &Rig, path: &str, headers: &str| {
        let request = format!("GET {path} HTTP/1.1{session}{headers}");
        rig.board(board.ip, &request, b"")
    };
    let pack = rig.folder().join(format!("data/packs/{id}.pack"));
    let pack = std::fs::read(pack).unwrap();
    let tag = format!("\"{id}\"");

    let whole = get(&rig, &path, "");
    assert_eq!((whole.status, whole.body.len()), (200, pack.len()));
    assert_eq!(whole.body, pack);
    assert_eq!(whole.header("etag"), Some(tag.as_str()));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));

    let part = get(&rig, &path, "\r\nRange: bytes=1000-300999");
    assert_eq!(part.status, 206);
    assert_eq!(part.body, &pack[1000..301_000.min(pack.len())]);
    let length = pack.len();
    let shown = format!("bytes 1000-{}/{length}", 300_999.min(length - 1));
    assert_eq!(part.header("content-range"), Some(shown.as_str()));
    let tail = get(&rig, &path, "\r\nRange: bytes=-16");
    assert_eq!(tail.body, &pack[length - 16..]);

    let beyond = get(&rig, &path, &format!("\r\nRange: bytes={length}-"));
    assert_eq!(beyond.status, 416);
    let shown = format!("bytes */{length}");
    assert_eq!(beyond.header("content-range"), Some(shown.as_str()));

    let same = get(
        &rig,
        &path,
        &format!("\r\nRange: bytes=0-9\r\nIf-Range: {tag}"),
    );
    assert_eq!(same.status, 206);
    let other = get(&rig, &path, "\r\nRange: bytes=0-9\r\nIf-Range: \"other\"");
    assert_eq!((other.status, other.body.len()), (200, length));
    let unchanged = get(&rig, &path, &format!("\r\nIf-None-Match: {tag}"));
    assert_eq!(unchanged.status, 304);

    let head = rig.board(board.ip, &format!("HEAD {path} HTTP/1.1{session}"), b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        head.header("content-length"),
        Some(length.to_string().as_str())
    );

    let manifest = get(&rig, &format!("{path}/manifest"), "");
    assert_eq!(*blake3::hash(&manifest.body).as_bytes(), id.0);
    assert_eq!(manifest.header("x-punnet-signature").unwrap().len(), 128);
    manifest.as_::<Manifest>().check().unwrap();

    for (path, status) in [
        (format!("/agent/v1/packs/{}", "00".repeat(32)), 403),
        ("/agent/v1/packs/..%2f..%2fpunnet.db".to_owned(), 400),
    ] {
        assert_eq!(get(&rig, &path, "").status, status, "{path}");
    }
}

#[test]
fn the_reconstruction_is_the_image_with_its_checksum() {
    let rig = Rig::open_to_installers();
    rig.stock();
    rig.import(&rig.image("kart.img", 1), true);
    let Answer::Images(images) = rig.query(Query::Images).unwrap() else {
        panic!("no images")
    };
    let whole = get(&rig, "/images/kart.img", "");
    assert_eq!(whole.status, 200);
    assert_eq!(whole.body.len() as u64, images[0].raw_bytes);
    assert_eq!(hex::encode(Sha256::digest(&whole.body)), images[0].sha256);
    let part = get(&rig, "/images/kart.img", "\r\nRange: bytes=1048500-2097300");
    assert_eq!(part.status, 206);
    assert_eq!(part.body, &whole.body[1_048_500..=2_097_300]);
    let by_id = format!("/images/{}.img", images[0].id);
    assert_eq!(get(&rig, &by_id, "\r\nRange: bytes=0-0").status, 206);
    let missing = get(&rig, "/images/none.img", "");
    assert_eq!(missing.status, 404);
    assert_eq!(missing.json()["error"], "Image not found.");
}

#[test]
fn what_is_no_image_is_refused_and_leaves_nothing() {
    let rig = Rig::new();
    rig.stock();
    let junk = rig.folder().join("junk.img");
    std::fs::write(&junk, vec![7; 3 << 20]).unwrap();
    let ended = rig.try_import(&junk, true);
    assert!(matches!(ended, ImportState::Failed { .. }), "{ended:?}");
    let left = std::fs::read_dir(rig.folder().join("data/packs")).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn an_image_that_is_there_already_is_said_so_and_kept() {
    let rig = Rig::open_to_installers();
    rig.stock();
    let path = rig.image("kart.img", 1);
    let id = rig.import(&path, true);
    let ended = rig.try_import(&path, false);
    let ImportState::Failed { why } = ended else {
        panic!("{ended:?}")
    };
    assert!(why.contains("already"), "{why}");
    let image = format!("/images/{id}.img");
    assert_eq!(get(&rig, &image, "\r\nRange: bytes=0-0").status, 206);
}

#[test]
fn a_removed_image_takes_its_pack_along() {
    let rig = Rig::open_to_installers();
    rig.stock();
    let first = rig.import(&rig.image("a.img", 1), true);
    let second = rig.import(&rig.image("b.img", 2), true);
    assert_ne!(first, second);
    let receipt = rig.command(Command::ImageRemove { image: first }).unwrap();
    assert!(matches!(receipt, Receipt::Done { .. }));
    let pack = rig.folder().join(format!("data/packs/{first}.pack"));
    let gone = std::time::Instant::now();
    while pack.exists() {
        assert!(gone.elapsed() < crate::rig::PATIENCE);
        std::thread::yield_now();
    }
    assert_eq!(get(&rig, &format!("/images/{first}.img"), "").status, 404);
}

#[test]
fn a_browser_sends_an_image_and_nothing_of_the_upload_stays() {
    let rig = Rig::new();
    rig.stock();
    let bytes = std::fs::read(rig.image("kart.img", 1)).unwrap();
    let line = "POST /api/v1/upload?file_name=kart.img HTTP/1.1";
    assert_eq!(rig.operator(line, b"x").status, 401);
    let line = format!("{line}\r\nAuthorization: Bearer {}", rig.token());
    let sent = rig.operator(&line, &bytes);
    assert_eq!(sent.status, 200, "{}", sent.json());
    let path = std::path::PathBuf::from(sent.json()["path"].as_str().unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    rig.import(&path, true);
    assert!(!path.exists());
    let left = std::fs::read_dir(rig.folder().join("data/uploads")).unwrap();
    assert_eq!(left.count(), 0);
}
