//! The order of requests, held against logs of real boards.

use super::*;
use crate::chance::Chance;
use std::collections::BTreeMap;
use wire::Serial;
use wire::revision::Revision;

/// A server's files; paths as a server sees them after joining slashes.
#[derive(Default)]
struct Tree(BTreeMap<String, Bytes>);

impl Tree {
    fn with(mut self, path: &str, text: &str) -> Self {
        self.0.insert(path.to_owned(), text.to_owned().into());
        self
    }

    fn files(mut self, folder: &str, names: &[&str]) -> Self {
        for name in names {
            let content = format!("content of {name}");
            self = self.with(&format!("{folder}{name}"), &content);
        }
        self
    }

    fn answer(&self, ask: &Ask) -> Answer {
        match self.0.get(&ask.path.replace("//", "/")) {
            Some(_) if ask.probe => Answer::There,
            Some(bytes) => Answer::File {
                bytes: bytes.clone(),
                acknowledged: ask.options != Options::None,
            },
            None => Answer::NotFound,
        }
    }

    /// Boots a board: every request as `path`, `path?` for a probe, ` nf` behind when missing.
    fn boot(&self, board: Identity) -> (Vec<String>, Next) {
        let mut bootloader = Bootloader::new(board, Firmware::default(), Eeprom::default());
        let mut log = Vec::new();
        loop {
            match bootloader.next_step() {
                Next::Ask(ask) => {
                    let answer = self.answer(&ask);
                    log.push(format!(
                        "{}{}{}",
                        ask.path,
                        if ask.probe { "?" } else { "" },
                        if answer == Answer::NotFound {
                            " nf"
                        } else {
                            ""
                        }
                    ));
                    bootloader.answer(answer);
                }
                end => return (log, end),
            }
        }
    }
}

fn board(model: Model, serial: u32, revision: u32) -> Identity {
    Identity {
        serial: Serial(u64::from(serial)),
        revision: Revision(revision),
        ..Identity::draw(model, &mut Chance::new(1, 1))
    }
}

fn started(next: Next) -> Loaded {
    match next {
        Next::Start(loaded) => *loaded,
        other => panic!("it did not start: {other:?}"),
    }
}

const PI5_FILES: [&str; 5] = [
    "kernel_2712.img",
    "bcm2712-rpi-5-b.dtb",
    "overlays/overlay_map.dtb",
    "overlays/bcm2712d0.dtbo",
    "cmdline.txt",
];

/// The raw log of a Pi 5 with D0 silicon, os_check=0, no initramfs.
#[test]
fn a_pi_5_asks_as_in_the_log() {
    let tree = Tree::default()
        .files("da591740/", &PI5_FILES)
        .with("da591740/config.txt", "os_check=0\n");
    let (log, end) = tree.boot(board(Model::Pi5, 0xda59_1740, 0xb0_4171));
    let expected = [
        "da591740/config.txt?",
        "da591740/config.txt",
        "da591740/pieeprom.sig nf",
        "da591740//config.txt",
        "da591740//config.txt",
        "da591740/kernel_2712.img?",
        "da591740/bcm2712-rpi-5-b.dtb",
        "da591740//overlays/overlay_map.dtb",
        "da591740//overlays/bcm2712d0.dtbo",
        "da591740//config.txt",
        "da591740//cmdline.txt",
        "da591740/armstub8-2712.bin nf",
        "da591740/kernel_2712.img",
    ];
    assert_eq!(log, expected);
    let loaded = started(end);
    assert_eq!(loaded.folder, "da591740/");
    assert_eq!(&loaded.kernel.1[..], b"content of kernel_2712.img");
}

/// The same lab with a stock tree in the root: the folder is forgotten, os_check reads the device
/// tree first, the initramfs comes before it.
#[test]
fn a_pi_5_falls_back_to_the_root() {
    let tree = Tree::default()
        .files("", &PI5_FILES)
        .files("", &["initramfs_2712", "overlays/vc4-kms-v3d-pi5.dtbo"])
        .with(
            "config.txt",
            "auto_initramfs=1\ndtoverlay=vc4-kms-v3d-pi5\n",
        );
    let (log, end) = tree.boot(board(Model::Pi5, 0xda59_1740, 0xb0_4171));
    let expected = [
        "da591740/config.txt? nf",
        "config.txt",
        "pieeprom.sig nf",
        "bcm2712-rpi-5-b.dtb",
        "config.txt",
        "config.txt",
        "kernel_2712.img?",
        "initramfs_2712",
        "bcm2712-rpi-5-b.dtb",
        "overlays/overlay_map.dtb",
        "overlays/bcm2712d0.dtbo",
        "config.txt",
        "overlays/vc4-kms-v3d-pi5.dtbo",
        "cmdline.txt",
        "armstub8-2712.bin nf",
        "kernel_2712.img",
    ];
    assert_eq!(log, expected);
    assert_eq!(started(end).initramfs, b"content of initramfs_2712");
}

/// The raw log of a Pi 4 8 GB (revision d03114: no separate VL805 EEPROM).
#[test]
fn a_pi_4_asks_as_in_the_log() {
    let names = [
        "start4.elf",
        "fixup4.dat",
        "kernel8.img",
        "installer.cpio",
        "bcm2711-rpi-4-b.dtb",
        "overlays/overlay_map.dtb",
        "overlays/one.dtbo",
        "cmdline.txt",
    ];
    let config = "initramfs installer.cpio followkernel\ndtoverlay=one,x=1\n";
    let tree = Tree::default()
        .files("91cdf03d/", &names)
        .with("91cdf03d/config.txt", config);
    let (log, end) = tree.boot(board(Model::Pi4, 0x91cd_f03d, 0xd0_3114));
    let expected = [
        "start4.elf?",
        "config.txt",
        "pieeprom.sig nf",
        "recover4.elf? nf",
        "recovery.elf? nf",
        "start4.elf",
        "fixup4.dat",
        "recovery.elf? nf",
        "config.txt?",
        "config.txt",
        "config.txt",
        "dt-blob.bin nf",
        "recovery.elf? nf",
        "config.txt?",
        "config.txt",
        "config.txt",
        "bootcfg.txt nf",
        "installer.cpio?",
        "installer.cpio",
        "bcm2711-rpi-4-b.dtb?",
        "bcm2711-rpi-4-b.dtb",
        "overlays/overlay_map.dtb?",
        "overlays/overlay_map.dtb",
        "config.txt",
        "overlays/one.dtbo?",
        "overlays/one.dtbo",
        "cmdline.txt?",
        "cmdline.txt",
        "recovery8.img? nf",
        "kernel8.img?",
        "armstub8-gic.bin nf",
        "kernel8.img?",
        "kernel8.img",
    ];
    let expected: Vec<_> = expected.iter().map(|e| format!("91cdf03d/{e}")).collect();
    assert_eq!(log, expected);
    assert_eq!(started(end).overlays.len(), 1);
}

/// An early Pi 4 whose folder is missing: both probes, then the root, with its VL805 question.
#[test]
fn a_pi_4_falls_back_to_the_root() {
    let tree = Tree::default().files("", &["start4.elf", "fixup4.dat"]);
    let (log, _) = tree.boot(board(Model::Pi4, 0x5b15_4510, 0xa0_3111));
    let expected = [
        "5b154510/start4.elf? nf",
        "5b154510/start.elf? nf",
        "config.txt nf",
        "vl805.sig nf",
        "pieeprom.sig nf",
        "recover4.elf? nf",
        "recovery.elf? nf",
        "start4.elf",
        "fixup4.dat",
    ];
    assert_eq!(log[..expected.len()], expected);
}

#[test]
fn a_pi_3b_plus_asks_as_in_the_notes() {
    let names = [
        "start.elf",
        "fixup.dat",
        "config.txt",
        "kernel8.img",
        "bcm2710-rpi-3-b-plus.dtb",
        "overlays/overlay_map.dtb",
        "cmdline.txt",
    ];
    let tree = Tree::default()
        .files("", &["bootcode.bin"])
        .files("12345678/", &names);
    let (log, end) = tree.boot(board(Model::Pi3BPlus, 0x1234_5678, 0xa0_20d3));
    let expected = [
        "start.elf?",
        "autoboot.txt? nf",
        "start.elf?",
        "config.txt",
        "recovery.elf? nf",
        "start.elf",
        "fixup.dat",
        "recovery.elf? nf",
        "config.txt?",
        "config.txt",
        "config.txt",
        "dt-blob.bin nf",
        "config.txt",
        "bootcfg.txt nf",
        "bcm2710-rpi-3-b-plus.dtb?",
        "bcm2710-rpi-3-b-plus.dtb",
        "overlays/overlay_map.dtb?",
        "overlays/overlay_map.dtb",
        "cmdline.txt?",
        "cmdline.txt",
        "kernel8.img?",
        "armstub8.bin nf",
        "kernel8.img",
    ];
    assert_eq!(log[..2], ["bootcode.bin", "bootsig.bin nf"]);
    let expected: Vec<_> = expected.iter().map(|e| format!("12345678/{e}")).collect();
    assert_eq!(log[2..], expected);
    assert_eq!(started(end).kernel.0, "kernel8.img");
}

#[test]
fn the_options_are_the_programs_own() {
    let ask = |model, step: usize| {
        let tree = Tree::default().files("", &["bootcode.bin", "start4.elf", "fixup4.dat"]);
        let mut b = Bootloader::new(board(model, 1, 0xd0_3114), Firmware::OLD, Eeprom::default());
        for _ in 0..step {
            let Next::Ask(ask) = b.next_step() else { break };
            b.answer(tree.answer(&ask));
        }
        match b.next_step() {
            Next::Ask(ask) => ask.options,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ask(Model::Pi3BPlus, 0), Options::None);
    assert_eq!(ask(Model::Pi3BPlus, 2), Options::Size);
    assert_eq!(ask(Model::Pi4, 0), Options::SizeAndBlock(1024));
    assert_eq!(ask(Model::Pi4, 8), Options::Size);
    assert_eq!(ask(Model::Pi5, 0), Options::SizeAndBlock(1024));
}

#[test]
fn a_declining_server_is_left_after_a_handful_of_questions() {
    for model in Model::ALL {
        let (log, end) = Tree::default().boot(board(model, 1, 0xb0_4171));
        assert!(matches!(end, Next::GiveUp(_)), "{end:?}");
        assert!(log.len() <= 8, "{model:?} asked {log:?}");
        assert!(log.iter().all(|l| l.ends_with(" nf")), "{log:?}");
    }
}

#[test]
fn a_board_of_d0_silicon_dies_without_its_overlay() {
    let mut tree = Tree::default().files("", &PI5_FILES).with("config.txt", "");
    tree.0.remove("overlays/bcm2712d0.dtbo");
    let (_, end) = tree.boot(board(Model::Pi5, 1, 0xb0_4171));
    assert!(matches!(end, Next::Dead(_)), "{end:?}");
    let (_, end) = tree.boot(board(Model::Pi5, 1, 0xd0_4170));
    assert!(matches!(end, Next::Start(_)), "{end:?}");
}

#[test]
fn a_system_for_another_board_is_refused_by_os_check() {
    let tree = Tree::default()
        .files("", &["kernel_2712.img", "bcm2712-rpi-5-b.dtb"])
        .with("config.txt", "");
    let (_, end) = tree.boot(board(Model::Cm5, 1, 0xc0_4180));
    let Next::GiveUp(why) = end else {
        panic!("{end:?}")
    };
    assert!(why.contains("bcm2712-rpi-cm5-cm5io.dtb"), "{why}");
}

#[test]
fn a_broken_transfer_ends_the_attempt() {
    let mut b = Bootloader::new(
        board(Model::Pi5, 1, 0xd0_4170),
        Firmware::default(),
        Eeprom::default(),
    );
    let Next::Ask(_) = b.next_step() else {
        panic!()
    };
    b.answer(Answer::Failed("no answer".into()));
    assert!(
        matches!(b.next_step(), Next::GiveUp(why) if why.contains("00000001/config.txt: no answer"))
    );
}

#[test]
fn plain_data_costs_an_older_board_its_configuration() {
    let config = b"kernel=mine.img\n";
    let mut b = Bootloader::new(
        board(Model::Pi3BPlus, 1, 0xa0_20d3),
        Firmware::default(),
        Eeprom::default(),
    );
    while let Next::Ask(ask) = b.next_step() {
        if ask.path.ends_with("kernel8.img") {
            return;
        }
        assert!(!ask.path.ends_with("mine.img"), "it read the configuration");
        b.answer(match ask.path.as_str() {
            path if path.ends_with("config.txt") && !ask.probe => Answer::File {
                bytes: Bytes::from_static(config),
                acknowledged: false,
            },
            _ if ask.probe => Answer::There,
            _ => Answer::File {
                bytes: Bytes::new(),
                acknowledged: false,
            },
        });
    }
    panic!("it never looked for a kernel");
}

#[test]
fn an_eeprom_update_is_taken_once_and_only_when_it_is_right() {
    use sha2::{Digest, Sha256};
    let image = vec![7_u8; 2 << 20];
    let hash = hex::encode(Sha256::digest(&image));
    let sig = format!("{hash}\nts: 1800000000\n");
    let mut tree = Tree::default()
        .files("", &PI5_FILES)
        .with("config.txt", "")
        .with("pieeprom.sig", &sig);
    tree.0.insert("pieeprom.upd".into(), image.into());
    let five = board(Model::Pi5, 1, 0xd0_4170);
    let (_, end) = tree.boot(five);
    assert!(
        matches!(
            end,
            Next::Update(Eeprom {
                updated: 1_800_000_000
            })
        ),
        "{end:?}"
    );

    let mut newer = Bootloader::new(
        five,
        Firmware::default(),
        Eeprom {
            updated: 1_800_000_000,
        },
    );
    while let Next::Ask(ask) = newer.next_step() {
        assert!(!ask.path.ends_with("pieeprom.upd"));
        newer.answer(tree.answer(&ask));
    }

    let frozen = tree.with("config.txt", "bootloader_update=0\n");
    assert!(matches!(frozen.boot(five).1, Next::Start(_)));
    let mut torn = Tree(frozen.0).with("config.txt", "");
    torn.0
        .insert("pieeprom.upd".into(), vec![7_u8; 1 << 20].into());
    assert!(matches!(torn.boot(five).1, Next::Start(_)));
}

#[test]
fn a_ram_disk_answers_everything_after_it() {
    let mut disk = std::io::Cursor::new(vec![0_u8; 2 << 20]);
    fatfs::format_volume(&mut disk, fatfs::FormatVolumeOptions::new()).unwrap();
    {
        let fs = fatfs::FileSystem::new(&mut disk, fatfs::FsOptions::new()).unwrap();
        let root = fs.root_dir();
        root.create_dir("overlays").unwrap();
        for name in PI5_FILES.iter().chain(&["config.txt", "installer.cpio"]) {
            let mut file = root.create_file(name).unwrap();
            let text = match *name {
                "config.txt" => "initramfs installer.cpio followkernel\n",
                other => other,
            };
            std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        }
    }
    let mut tree = Tree::default().with("00000001/config.txt", "boot_ramdisk=1\n");
    tree.0
        .insert("00000001/boot.img".into(), disk.into_inner().into());
    let (log, end) = tree.boot(board(Model::Pi5, 1, 0xb0_4171));
    assert_eq!(log.last().unwrap(), "00000001/boot.img");
    let loaded = started(end);
    assert_eq!(loaded.initramfs, b"installer.cpio");
    assert_eq!(loaded.overlays.len(), 1);
}

#[test]
fn included_files_are_fetched_with_every_pass() {
    let tree = Tree::default()
        .files("", &PI5_FILES)
        .files("", &["special.img"])
        .with(
            "config.txt",
            "include more.txt\ninclude none.txt\ninclude config.txt\n",
        )
        .with("more.txt", "kernel=special.img\n");
    let (log, end) = tree.boot(board(Model::Pi5, 1, 0xd0_4170));
    assert_eq!(started(end).kernel.0, "special.img");
    assert_eq!(log.iter().filter(|l| *l == "more.txt").count(), 4);
}
