//! Boot files by TFTP, fetched by four clients that nobody here wrote.

use punnet_tests::clients::{As, Pi, Tftp, dhclient};
use punnet_tests::net::{Host, Net};
use punnet_tests::running::expect;
use punnet_tests::station::{ADDRESS, Station};
use punnet_tests::{binaries, ground, plan};
use std::process::Command;

const TOOLS: &[&str] = &["dhclient", "tftp", "atftp", "busybox", "mcopy"];

/// A station with an image and a running batch, and a Raspberry Pi 5 that has its address.
fn bench() -> (Net, Station, Host, Pi) {
    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::on(&host, "");
    station.serve();
    plan::product_venue_names(&station, 3);
    plan::image(&station, binaries::small_image());
    plan::batch(&station, 2);
    let client = net.host("pi");
    let pi = Pi::five(0xd137_e638);
    dhclient(&client, As::Pi(pi), 10).expect("a Raspberry Pi is answered");
    (net, station, client, pi)
}

/// A file of the image's own boot partition.
fn in_image(path: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("file");
    expect(
        Command::new("mcopy")
            .arg("-i")
            .arg(format!("{}@@8M", binaries::small_image().display()))
            .arg(format!("::{path}"))
            .arg(&file),
    );
    std::fs::read(file).expect("copied")
}

/// The initramfs that a config.txt names.
fn initramfs(config: &str) -> String {
    config
        .lines()
        .find_map(|line| line.strip_prefix("initramfs ")?.split_whitespace().next())
        .expect("config.txt names an initramfs")
        .to_owned()
}

#[test]
fn every_client_fetches_the_same_boot_tree() {
    let Some(_turn) = ground::lab("lab_tftp: boot tree", TOOLS) else {
        return;
    };
    let (_net, _station, client, pi) = bench();
    let folder = pi.folder();
    let kernel = in_image("kernel_2712.img");
    let dtb = in_image("bcm2712-rpi-5-b.dtb");
    let readme = in_image("overlays/README");
    let get = |with: Tftp, path: &str| {
        with.get(&client, ADDRESS, &format!("{folder}{path}"))
            .unwrap_or_else(|e| panic!("{with:?} could not fetch {path}: {e}"))
    };
    let config = get(Tftp::Curl, "/config.txt");
    let words = String::from_utf8(config.clone()).expect("config.txt is text");
    assert!(words.contains("kernel=kernel_2712.img"), "{words}");
    let initramfs = initramfs(&words);
    for with in Tftp::ALL {
        assert!(
            get(with, "/config.txt") == config,
            "{with:?}: another config.txt"
        );
        // The bootloader doubles slashes; the server must not mind.
        assert!(
            get(with, "//config.txt") == config,
            "{with:?}: another //config.txt"
        );
        assert!(
            get(with, "//overlays/README") == readme,
            "{with:?}: overlays/README"
        );
        assert!(
            get(with, "/bcm2712-rpi-5-b.dtb") == dtb,
            "{with:?}: device tree"
        );
        assert!(get(with, "/kernel_2712.img") == kernel, "{with:?}: kernel");
    }
    let archive = get(Tftp::Curl, &format!("/{initramfs}"));
    assert!(
        archive.len() > 1_000_000,
        "an agent archive of {} bytes",
        archive.len()
    );
    assert!(
        archive.len() < 60_000_000,
        "too big for a factory bootloader: {}",
        archive.len()
    );
    let cmdline = String::from_utf8(get(Tftp::Hpa, "/cmdline.txt")).expect("cmdline.txt is text");
    assert_eq!(cmdline.trim_end().lines().count(), 1, "{cmdline}");
    for words in [
        &format!("punnet.station=http://{ADDRESS}:5001"),
        "punnet.token=",
        "console=",
    ] {
        assert!(cmdline.contains(words), "{words} is not in {cmdline}");
    }
}

#[test]
fn what_is_not_there_is_said_at_once() {
    let Some(_turn) = ground::lab("lab_tftp: not found", TOOLS) else {
        return;
    };
    let (_net, station, client, pi) = bench();
    let folder = pi.folder();
    let absent = [
        format!("{folder}/pieeprom.sig"),
        format!("{folder}/CONFIG.TXT"),
        format!("{folder}/armstub8-2712.bin"),
        format!("{folder}/../../../../etc/passwd"),
        format!("{folder}/overlays"),
        "/etc/passwd".to_owned(),
        "0badcafe/config.txt".to_owned(),
    ];
    for path in &absent {
        for with in Tftp::ALL {
            let refused = with
                .get(&client, ADDRESS, path)
                .expect_err(&format!("{with:?} was given {path}"));
            assert!(
                !refused.to_lowercase().contains("time"),
                "{with:?} waited for {path}: {refused}"
            );
        }
    }
    // A file that is not there is the ordinary case and no failure of the board.
    let board = station
        .boards()
        .into_iter()
        .find(|b| b.id == wire::BoardId::Pi(pi.serial));
    assert_eq!(board.and_then(|b| b.failure), None);
}

#[test]
fn a_finished_board_is_sent_on_to_its_own_disk() {
    let Some(_turn) = ground::lab("lab_tftp: declined board", TOOLS) else {
        return;
    };
    let (_net, station, client, pi) = bench();
    let config = format!("{}/config.txt", pi.folder());
    assert!(Tftp::Curl.get(&client, ADDRESS, &config).is_ok());
    crate::device_api::install(&client, &pi);
    station.until_board(
        std::time::Duration::from_secs(10),
        wire::BoardId::Pi(pi.serial),
        &[wire::Stage::Done],
    );

    // The next power-on: it gets an address, and then nothing, at once.
    assert!(dhclient(&client, As::Pi(pi), 10).is_some());
    for path in ["config.txt", "start4.elf", "kernel_2712.img", "cmdline.txt"] {
        let path = format!("{}/{path}", pi.folder());
        for with in Tftp::ALL {
            let refused = with
                .get(&client, ADDRESS, &path)
                .expect_err("served once more");
            assert!(
                !refused.to_lowercase().contains("time"),
                "{with:?} waited: {refused}"
            );
        }
    }
}

#[test]
fn a_wire_that_loses_packets_is_slower_and_nothing_else() {
    let Some(_turn) = ground::lab("lab_tftp: a bad cable", TOOLS) else {
        return;
    };
    let (net, _station, client, pi) = bench();
    let fetch = |file: &str| {
        let path = format!("{}/{file}", pi.folder());
        let got = Tftp::Curl.get(&client, ADDRESS, &path);
        got.unwrap_or_else(|why| panic!("{path}: {why}"))
    };
    let config = String::from_utf8(fetch("config.txt")).expect("config.txt is text");
    let name = initramfs(&config);
    let whole = fetch(&name);
    let far = net.host("far");
    far.lose(2);
    let pi = Pi::five(0xd137_e639);
    dhclient(&far, As::Pi(pi), 60).expect("a Raspberry Pi is answered in the end");
    // Thousands of blocks for each client, and so hundreds that it has to be told again.
    let path = format!("{}/{name}", pi.folder());
    std::thread::scope(|all| {
        for with in Tftp::ALL {
            let (far, path, whole) = (&far, &path, &whole);
            all.spawn(move || {
                let mut got = with.get(far, ADDRESS, path);
                // atftp gives up when an OACK comes again, because its own answer was lost.
                while matches!(&got, Err(why) if why.contains("unexpected OACK")) {
                    got = with.get(far, ADDRESS, path);
                }
                let got = got.unwrap_or_else(|why| panic!("{with:?}: {why}"));
                assert!(got == *whole, "{with:?}: {} bytes", got.len());
            });
        }
    });
}
