//! Boards: from the first DHCP packet to being declined.

use crate::image;
use crate::rig::{Rig, mac_of};
use netboot::tftp::client::Outcome;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use wire::agent::{
    Ack, AgentEvent, CheckIn, Hello, HelloAck, Inventory, Order, Outcome as Finished, Report,
};
use wire::batch::VerifyLevel;
use wire::disk::{Disk, DiskContent, DiskKind};
use wire::query::{Answer, Query};
use wire::revision::Revision;
use wire::{BoardId, Serial, Stage};

const SERIAL: u32 = 0xd137_e638;

fn found(outcome: Outcome) -> Vec<u8> {
    match outcome {
        Outcome::File { bytes } => bytes,
        other => panic!("{other:?}"),
    }
}

fn token_in(cmdline: &str) -> String {
    let word = cmdline
        .split_whitespace()
        .find_map(|w| w.strip_prefix("punnet.token="));
    word.expect("no token").to_owned()
}

pub(crate) fn check_in(serial: u32, token: Option<String>) -> CheckIn {
    CheckIn {
        protocol: 1,
        agent: "test".to_owned(),
        token,
        inventory: Inventory {
            board: BoardId::Pi(serial),
            serial: Some(Serial(0x9d00_ce41_0000_0000 | u64::from(serial))),
            revision: Some(Revision(0x00d0_4170)),
            model: "Raspberry Pi 5".to_owned(),
            arch: "aarch64".to_owned(),
            ram_mib: 8192,
            mac: mac_of(serial),
            macs: vec![mac_of(serial)],
            link_mbit: Some(1000),
            disks: vec![Disk {
                path: "/dev/mmcblk0".to_owned(),
                kind: DiskKind::Sd,
                bytes: 32_000_000_000,
                sector: 512,
                model: "SD".to_owned(),
                serial: String::new(),
                removable: false,
                read_only: false,
                content: DiskContent::Blank,
            }],
            eeprom_version: None,
            boot_order: None,
            temperature_millicelsius: None,
            throttled: None,
        },
    }
}

#[test]
fn a_board_gets_its_own_boot_files_under_every_prefix() {
    let rig = Rig::with_batch();
    std::fs::write(rig.folder().join("punnet-agent-arm64.cpio"), b"").unwrap();
    let ip = rig.lease(SERIAL).address;
    let station = format!("punnet.station=http://{} ", rig.at.http.unwrap());

    let config = rig.fetch_text(ip, "d137e638/config.txt");
    assert!(
        config.contains("initramfs punnet-agent.cpio followkernel"),
        "{config}"
    );
    assert!(config.contains("[pi5]\nkernel=kernel8.img"), "{config}");
    let cmdline = rig.fetch_text(ip, "d137e638//cmdline.txt");
    assert!(cmdline.contains(&station), "{cmdline}");
    assert!(
        cmdline.contains(&format!("punnet.mac={}", mac_of(SERIAL))),
        "{cmdline}"
    );
    assert_eq!(cmdline.lines().count(), 1);
    for path in ["cmdline.txt", "2c-cf-67-37-e6-38/cmdline.txt"] {
        assert_eq!(rig.fetch_text(ip, path), cmdline, "{path}");
    }

    assert_eq!(
        found(rig.fetch(ip, "d137e638/kernel8.img")),
        image::kernel()
    );
    assert_eq!(
        found(rig.fetch(ip, "d137e638//overlays/overlay_map.dtb")),
        b"map"
    );
    assert_eq!(found(rig.fetch(ip, "start4.elf")).len(), 5000);
    let initramfs = found(rig.fetch(ip, "d137e638/punnet-agent.cpio"));
    let name = b"etc/punnet/station.pub";
    assert!(initramfs.windows(name.len()).any(|w| w == name));

    for path in [
        "d137e638/pieeprom.sig",
        "d137e638/autoboot.txt",
        "d137e638/recovery.bin",
        "d137e638/nothing",
        "../punnet.db",
    ] {
        assert!(
            !matches!(rig.fetch(ip, path), Outcome::File { .. }),
            "{path}"
        );
    }
}

#[test]
fn one_board_does_not_get_the_token_of_another() {
    let rig = Rig::with_batch();
    let first = rig.lease(SERIAL).address;
    let second = rig.lease(0x0000_0007).address;
    let own = token_in(&rig.fetch_text(second, "00000007/cmdline.txt"));
    let others = token_in(&rig.fetch_text(first, "d137e638/cmdline.txt"));
    assert_ne!(own, others);
    let stolen = rig.fetch(second, "d137e638/cmdline.txt");
    assert!(!matches!(stolen, Outcome::File { .. }), "{stolen:?}");
}

#[test]
fn a_board_is_provisioned_confirmed_and_then_declined() {
    let rig = Rig::with_batch();
    let ip = rig.lease(SERIAL).address;
    let token = token_in(&rig.fetch_text(ip, "d137e638/cmdline.txt"));

    let refused = rig.board_post(ip, "/agent/v1/check-in", &check_in(SERIAL, None));
    assert_eq!(refused.status, 403, "{}", refused.json());
    let order: Order = rig
        .board_post(ip, "/agent/v1/check-in", &check_in(SERIAL, Some(token)))
        .as_();
    let Order::Provision(job) = order else {
        panic!("{order:?}")
    };
    assert_eq!(job.hostname.as_str(), "KXP2-CORO-001");

    let done = AgentEvent::Done(Finished {
        verified: VerifyLevel::FullReadBack,
        bytes_written: 1 << 30,
        bytes_read_back: 1 << 30,
        bytes_received: 5,
        rewritten_chunks: 0,
        transport: "http".to_owned(),
        stage_ms: Vec::new(),
        changed_files: Vec::new(),
    });
    let step = |stage| AgentEvent::Step {
        stage,
        detail: None,
    };
    let report = Report {
        deployment: job.deployment.clone(),
        secret: job.secret.clone(),
        events: vec![
            (1, step(Stage::Writing)),
            (2, step(Stage::Verifying)),
            (3, done),
        ],
        progress: None,
    };
    let ack: Ack = rig.board_post(ip, "/agent/v1/report", &report).as_();
    assert_eq!((ack.acked, ack.stop), (3, None));

    let again = rig.lease(SERIAL).address;
    assert_eq!(again, ip, "the lease is sticky");
    for path in ["d137e638/config.txt", "config.txt", "d137e638/start4.elf"] {
        assert_eq!(rig.fetch(ip, path), Outcome::NotFound, "{path}");
    }

    let call = job.personalise.hello.expect("no call home");
    let path = call
        .url
        .split_once("/agent")
        .map(|(_, p)| format!("/agent{p}"));
    let hello = Hello {
        secret: call.secret,
        hostname: "KXP2-CORO-001".to_owned(),
        machine_id: None,
    };
    let heard: HelloAck = rig.board_post(ip, &path.unwrap(), &hello).as_();
    assert!(heard.confirmed);
    let Answer::Board(board) = rig
        .query(Query::Board {
            board: BoardId::Pi(SERIAL),
        })
        .unwrap()
    else {
        panic!("no board")
    };
    assert_eq!(board.stage, Stage::FirstBootConfirmed);
}

#[test]
fn a_report_that_nobody_knows_is_refused_in_words() {
    let rig = Rig::new();
    let from = Ipv4Addr::LOCALHOST;
    let junk = rig.board(from, "POST /agent/v1/report HTTP/1.1", b"{not json");
    assert_eq!(junk.status, 400);
    assert!(
        junk.json()["message"]
            .as_str()
            .unwrap()
            .contains("not the JSON")
    );
    let unknown = Report {
        deployment: "nobody".to_owned(),
        secret: String::new(),
        events: Vec::new(),
        progress: None,
    };
    assert_eq!(
        rig.board_post(from, "/agent/v1/report", &unknown).status,
        404
    );
    let huge = vec![b' '; 3 << 20];
    assert_eq!(
        rig.board(from, "POST /agent/v1/report HTTP/1.1", &huge)
            .status,
        413
    );
}

#[test]
fn the_agent_archive_goes_out_as_it_was_built() {
    let rig = Rig::new();
    let archive: PathBuf = rig.folder().join("punnet-agent-arm64.cpio");
    std::fs::write(&archive, b"the agent's own bytes").unwrap();
    rig.prepare(1);
    let ip = rig.lease(SERIAL).address;
    let initramfs = found(rig.fetch(ip, "d137e638/punnet-agent.cpio"));
    assert!(initramfs.starts_with(b"the agent's own bytes\0\0\0"));
}
