//! Every kind of bad input: refused with words that help, an exit status a script can use, and
//! nothing changed or left behind.

use punnet_tests::clients::{As, Pi, Tftp, dhclient};
use punnet_tests::net::{Host, Net};
use punnet_tests::running::{Running, expect, output};
use punnet_tests::station::{ADDRESS, Said, Station};
use punnet_tests::{binaries, ground, plan};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use wire::agent::{CheckIn, Inventory};
use wire::board::{BoardId, Hold, Serial};
use wire::disk::{Disk, DiskContent, DiskKind};
use wire::health::{ServerKind, ServerState};

/// A data folder that no daemon serves: planning works all the same.
fn desk() -> Station {
    Station::prepared(None, "", &[])
}

/// Everything that an operator has planned, as one text.
fn books(station: &Station) -> String {
    [
        &["product", "list", "--json"][..],
        &["venue", "list", "--json"],
        &["names", "list", "--json"],
        &["batch", "list", "--json"],
        &["image", "list", "--json"],
    ]
    .iter()
    .map(|verb| station.ok(verb).out)
    .collect()
}

/// A command line that must be refused, saying all of `words`, and change nothing.
fn refused(station: &Station, arguments: &[&str], words: &[&str]) -> Said {
    let before = books(station);
    let said = station.cli(arguments);
    // 1 is a refusal by the station, 2 a word that the command line itself does not understand.
    assert!(
        matches!(said.status.code(), Some(1 | 2)),
        "punnet {}: {said:?}",
        arguments.join(" ")
    );
    let text = said.words().to_lowercase();
    for word in words {
        assert!(
            text.contains(&word.to_lowercase()),
            "punnet {} does not say {word:?}: {said:?}",
            arguments.join(" ")
        );
    }
    assert!(!text.contains("panicked"), "{said:?}");
    assert_eq!(
        books(station),
        before,
        "punnet {} changed something",
        arguments.join(" ")
    );
    said
}

fn planned() -> Station {
    let station = desk();
    station.ok(&[
        "product",
        "add",
        "KXP2",
        "--name",
        "Kart",
        "--pattern",
        "{product}-{venue}-{number:03}",
    ]);
    station.ok(&["venue", "add", "CORO", "--name", "Corona"]);
    station.ok(&["names", "import", "CORO", "--product", "KXP2", "1-3"]);
    station
}

#[test]
fn venue_codes_products_and_batches() {
    let _turn = ground::beside_others();
    let station = planned();
    for (code, word) in [
        ("COR", "4"),
        ("COROX", "4"),
        ("COR-", "letters"),
        ("CÖRO", "letters"),
    ] {
        refused(&station, &["venue", "add", code, "--name", "X"], &[word]);
    }
    refused(
        &station,
        &["venue", "add", "coro", "--name", "Again"],
        &["CORO", "already"],
    );
    refused(
        &station,
        &[
            "product",
            "add",
            "kxp2",
            "--name",
            "Again",
            "--pattern",
            "{product}-{number:03}",
        ],
        &["KXP2", "already"],
    );
    refused(
        &station,
        &[
            "product",
            "add",
            "NEW",
            "--name",
            "New",
            "--pattern",
            "{product}_{colour}",
        ],
        &["colour", "placeholder"],
    );
    // Three names are free: seven boards need four more.
    refused(
        &station,
        &[
            "batch",
            "create",
            "--product",
            "KXP2",
            "--venue",
            "CORO",
            "--count",
            "7",
        ],
        &["4", "names"],
    );
    refused(
        &station,
        &[
            "batch",
            "create",
            "--product",
            "NOPE",
            "--venue",
            "CORO",
            "--count",
            "1",
        ],
        &["NOPE"],
    );
    refused(&station, &["batch", "start", "99"], &["99"]);
    refused(
        &station,
        &["names", "release", "KXP2-CORO-001", "--reason", "x"],
        &["KXP2-CORO-001"],
    );
    refused(
        &station,
        &["names", "retire", "KXP2-CORO-099", "--reason", "x"],
        &["KXP2-CORO-099"],
    );
}

#[test]
fn a_name_list_with_one_bad_token_imports_nothing() {
    let _turn = ground::beside_others();
    let station = planned();
    let said = refused(
        &station,
        &[
            "names",
            "import",
            "CORO",
            "--product",
            "KXP2",
            "10-12, 12a, 20",
        ],
        &["12a"],
    );
    assert!(
        said.words().contains("line 1") && said.words().contains("column 8"),
        "{said:?}"
    );
    let said = refused(
        &station,
        &["names", "import", "CORO", "--product", "KXP2", "9-5"],
        &["9-5"],
    );
    assert!(said.words().contains("column 1"), "{said:?}");

    let table = station.scratch().join("names.csv");
    std::fs::write(&table, "number,serial\n30,\nthirty-one,\n").expect("written");
    let table = table.display().to_string();
    let said = refused(
        &station,
        &["names", "import", "CORO", "--product", "KXP2", &table],
        &["thirty-one"],
    );
    assert!(said.words().contains("line 3"), "{said:?}");
    refused(
        &station,
        &["names", "import", "NOWH", "--product", "KXP2", "1-5"],
        &["NOWH"],
    );
}

#[test]
fn a_configuration_that_cannot_be_meant_is_named_by_line() {
    let _turn = ground::beside_others();
    let station = desk();
    let wrong = station.scratch().join("wrong.toml");
    let cases = [
        ("[deployment]\naddress = \"192.168.151.1/33\"\n", 2),
        ("[deployment]\n\nhttp_port = 70000\n", 3),
        ("[deployment\ninterface = 1\n", 1),
        ("[deployment]\ninterface = \"eth1\"\ncolour = \"red\"\n", 3),
        (
            "[deployment]\naddress = \"10.0.0.1/24\"\nleases = \"10.9.0.1-10.9.0.9\"\n",
            3,
        ),
    ];
    for (text, line) in cases {
        std::fs::write(&wrong, text).expect("written");
        let file = wrong.display().to_string();
        // A service manager does not start again what says 78 (sysexits.h: EX_CONFIG).
        for (arguments, status) in [
            (&["config", "check", &file][..], 1),
            (&["--daemon", "--config", &file], 78),
        ] {
            let said = station.cli(arguments);
            assert_eq!(said.status.code(), Some(status), "{text}: {said:?}");
            assert!(
                said.words().contains(&format!("line {line}")),
                "{text}: {said:?}"
            );
            assert!(!said.words().contains("panicked"), "{said:?}");
        }
    }
    std::fs::remove_file(&wrong).expect("removed");
    let said = station.cli(&["--daemon", "--config", &wrong.display().to_string()]);
    assert_eq!(said.status.code(), Some(78), "{said:?}");
    assert!(said.words().contains("wrong.toml"), "{said:?}");
}

/// What the packs folder holds.
fn packs(station: &Station) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(station.data().join("packs")) else {
        return Vec::new();
    };
    entries.flatten().map(|e| e.path()).collect()
}

/// An image that must be refused, leaving nothing.
fn image_refused(station: &Station, file: &Path, words: &[&str]) {
    let before = packs(station);
    let name = file.file_name().and_then(|n| n.to_str()).expect("a name");
    let words = [words, &[name]].concat();
    let file = file.display().to_string();
    refused(
        station,
        &["image", "add", &file, "--product", "KXP2", "--version", "1"],
        &words,
    );
    assert_eq!(
        packs(station),
        before,
        "a refused image left something behind"
    );
}

#[test]
fn images_that_are_none() {
    let _turn = ground::beside_others();
    let station = planned();
    let scratch = station.scratch().to_owned();
    let file = |name: &str| scratch.join(name);
    let small = binaries::small_image().display().to_string();
    let sh = |script: &str| {
        expect(
            Command::new("sh")
                .current_dir(&scratch)
                .args(["-c", script]),
        )
    };

    std::fs::write(file("letter.img"), "Dear technician,\n".repeat(100_000)).expect("written");
    image_refused(&station, &file("letter.img"), &["partition table"]);
    std::fs::write(file("nothing.img"), "").expect("written");
    image_refused(&station, &file("nothing.img"), &["empty"]);
    std::fs::write(file("letter.txt"), "Dear technician,\n").expect("written");
    image_refused(&station, &file("letter.txt"), &["not a disk image"]);
    image_refused(&station, &file("absent.img"), &["no such file"]);

    // Cut off, once between file systems' parts and once inside each kind of compression.
    sh(&format!("head -c 60000000 '{small}' >cut.img"));
    image_refused(&station, &file("cut.img"), &["cut short"]);
    for (packer, name) in [
        ("xz -0 -c", "cut.img.xz"),
        ("gzip -1 -c", "cut.img.gz"),
        ("zstd -q -1 -c", "cut.img.zst"),
        ("bzip2 -1 -c", "cut.img.bz2"),
    ] {
        sh(&format!(
            "head -c 30000000 '{small}' | {packer} >whole; head -c $(($(stat -c %s whole) * 2 / 3)) whole >{name}"
        ));
        image_refused(&station, &file(name), &["too early"]);
    }
    sh(&format!(
        "head -c 30000000 '{small}' >part.img; zip -q -1 whole.zip part.img; head -c $(($(stat -c %s whole.zip) * 2 / 3)) whole.zip >cut.img.zip"
    ));
    image_refused(&station, &file("cut.img.zip"), &["zip", "damaged"]);
    std::fs::write(file("two-1.img"), "x").expect("written");
    sh("cp two-1.img two-2.img; zip -q two.zip two-1.img two-2.img");
    image_refused(&station, &file("two.zip"), &["two-1.img"]);

    // Damaged in the middle: the compression's own checksum must be believed.
    sh(&format!("gzip -1 -c '{small}' >damaged.img.gz"));
    damage(&file("damaged.img.gz"));
    image_refused(&station, &file("damaged.img.gz"), &["gzip"]);

    // A disk image without a boot partition.
    sh(
        "truncate -s 32M bootless.img; printf 'label: dos\\nstart=2048, type=83\\n' | /usr/sbin/sfdisk -q bootless.img",
    );
    image_refused(&station, &file("bootless.img"), &["boot partition"]);
}

fn damage(path: &Path) {
    let mut file = File::options()
        .read(true)
        .write(true)
        .open(path)
        .expect("opened");
    let middle = file.metadata().expect("there").len() / 2;
    let mut bytes = [0; 64];
    file.seek(SeekFrom::Start(middle)).expect("sought");
    file.read_exact(&mut bytes).expect("read");
    for byte in &mut bytes {
        *byte ^= 0x5a;
    }
    file.seek(SeekFrom::Start(middle)).expect("sought");
    file.write_all(&bytes).expect("written");
}

#[test]
fn a_full_disk_stops_an_import_and_nothing_else() {
    let Some(_turn) = ground::lab("bad_input: full disk", &["unshare", "mount"]) else {
        return;
    };
    let station = planned();
    let small = binaries::small_image().display().to_string();
    let packs = station.data().join("packs");
    std::fs::create_dir_all(&packs).expect("a folder");
    // A file system of 8 MB where the packs go, seen by this one command line only.
    let script = format!(
        "mount -t tmpfs -o size=8m none '{packs}' && '{punnet}' image add '{small}' --product KXP2 \
         --version 1; echo \"status $?\"; ls -A '{packs}' | wc -l",
        packs = packs.display(),
        punnet = binaries::punnet().display(),
    );
    let said = output(
        Command::new("unshare")
            .args(["--mount", "sh", "-c", &script])
            .env("PUNNET_CONFIG", station.configuration()),
    );
    let words = format!(
        "{}{}",
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr)
    );
    assert!(words.contains("status 1"), "{words}");
    assert!(
        words.to_lowercase().contains("full") || words.contains("space"),
        "{words}"
    );
    assert!(
        String::from_utf8_lossy(&said.stdout)
            .trim_end()
            .ends_with('0'),
        "something was left behind: {words}"
    );
    assert_eq!(station.ok(&["image", "list", "--json"]).json(), json!([]));
}

#[test]
fn interfaces_that_cannot_serve() {
    let Some(_turn) = ground::lab("bad_input: interfaces", &["dhclient"]) else {
        return;
    };
    let net = Net::new();
    let refused_on = |host: &Host, configuration: &str| {
        let mut station = Station::prepared(Some(host.clone()), configuration, &[]);
        station.start();
        let mut reasons = Vec::new();
        for server in ServerKind::ALL {
            let state = station.until_server(server, |s| matches!(s, ServerState::Refused { .. }));
            if let ServerState::Refused { why } = state {
                reasons.push(why);
            }
        }
        reasons.join("\n")
    };
    let host = net.host("unknown");
    let why = refused_on(&host, "[deployment]\ninterface = \"enx99\"\n");
    assert!(why.contains("enx99") && why.contains("eth1"), "{why}");

    let host = net.host("uplink");
    host.address("10.9.9.2/24");
    host.ip(&["route", "add", "default", "via", "10.9.9.1"]);
    let why = refused_on(&host, "[deployment]\ninterface = \"eth1\"\n");
    assert!(
        why.contains("default route") && why.contains("eth1"),
        "{why}"
    );
}

#[test]
fn a_port_in_use_names_its_holder() {
    let Some(_turn) = ground::lab("bad_input: port in use", &["in.tftpd", "dnsmasq"]) else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    // tftpd-hpa wants an address beside loopback before it starts.
    host.address("10.9.9.1/24");
    let mut command = host.command("in.tftpd");
    command
        .args([
            "--foreground",
            "--address",
            "0.0.0.0:69",
            "--user",
            "root",
            "--secure",
            "/tmp",
        ])
        .stdin(Stdio::null());
    let holder = Running::start(command);
    let bound = || {
        let said = output(host.command("ss").args(["-Hlun", "sport = :69"]));
        !said.stdout.is_empty()
    };
    while !bound() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut station = Station::on(&host, "");
    station.start();
    let state = station.until_server(ServerKind::Tftp, |s| {
        matches!(s, ServerState::Refused { .. })
    });
    let ServerState::Refused { why } = state else {
        return;
    };
    assert!(why.contains("69") && why.contains("in.tftpd"), "{why}");
    assert!(why.contains(&holder.pid().to_string()), "{why}");
    holder.kill();
    station.ok(&["server", "start", "tftp"]);
    station.until_server(ServerKind::Tftp, |s| matches!(s, ServerState::Serving));
}

#[test]
fn malformed_packets_are_shrugged_off() {
    let Some(_turn) = ground::lab("bad_input: malformed packets", &["dhclient", "busybox"]) else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::on(&host, "");
    station.serve();
    let pid = station.pid();
    let client = net.host("vandal");
    client.address("192.168.151.9/24");
    let mut discover = vec![0; 300];
    discover[..4].copy_from_slice(&[1, 1, 6, 0]);
    discover[236..240].copy_from_slice(&[99, 130, 83, 99]);
    let with = |place: usize, bytes: &[u8]| {
        let mut packet = discover.clone();
        packet[place..place + bytes.len()].copy_from_slice(bytes);
        packet
    };
    let packets: Vec<(u16, Vec<u8>)> = vec![
        (67, vec![]),
        (67, vec![0xff; 1400]),
        (67, with(2, &[255])),
        (67, with(240, &[53, 1, 1, 55, 255])),
        (67, with(240, &[53, 0, 97, 200, 0])),
        (
            67,
            with(240, &[12, 4, 0xff, 0xfe, 0xfd, 0xfc, 53, 1, 1, 97, 17, 0]),
        ),
        (69, vec![]),
        (69, vec![0, 1]),
        (69, b"\0\x01config.txt".to_vec()),
        (69, b"\0\x01config.txt\0octet\0blksize\0".to_vec()),
        (
            69,
            b"\0\x01\xff\xfe\xfd\0octet\0blksize\0-1\0tsize\x0099999999999999999999\0".to_vec(),
        ),
        (69, b"\0\x02upload\0octet\0".to_vec()),
        (69, [&b"\0\x01"[..], &[b'a'; 1300], b"\0octet\0"].concat()),
        (69, vec![0, 4, 0, 1]),
        (69, vec![0, 9, 0, 1]),
    ];
    for (port, packet) in &packets {
        send(&client, station.scratch(), *port, packet);
    }
    for body in [
        "",
        "{",
        "null",
        "{\"protocol\":1}",
        "[[[[[[[[[[[[[[[[",
        "\u{1}",
    ] {
        for path in [
            "agent/v1/check-in",
            "agent/v1/report",
            "agent/v1/hello",
            "api/config",
        ] {
            let said = output(
                client
                    .command("curl")
                    .args(["-sS", "-o", "/dev/null", "-w", "%{http_code}"])
                    .args([
                        "-H",
                        "content-type: application/json",
                        "--data-binary",
                        body,
                    ])
                    .arg(format!("http://{ADDRESS}:5001/{path}")),
            );
            let status = String::from_utf8_lossy(&said.stdout).into_owned();
            // An empty or null request for a name is complete: everything in it may be missing.
            let fine = path == "api/config" && ["", "null"].contains(&body);
            assert!(status.starts_with('4') || fine, "{path} {body:?}: {status}");
        }
    }
    // It is the same process, nothing had to be restarted, and boards are served as ever.
    assert_eq!(station.pid(), pid);
    for server in ServerKind::ALL {
        station.until_server(server, |s| matches!(s, ServerState::Serving));
    }
    let board = net.host("pi");
    assert!(dhclient(&board, As::Pi(Pi::five(7)), 10).is_some());
    assert!(Tftp::Hpa.get(&board, ADDRESS, "nothing").is_err());
    assert!(
        !station.log_tail().contains("panicked"),
        "{}",
        station.log_tail()
    );
}

fn send(host: &Host, folder: &Path, port: u16, packet: &[u8]) {
    let file = folder.join("packet");
    std::fs::write(&file, packet).expect("written");
    // bash writes the file as one datagram.
    let script = format!("cat '{}' >/dev/udp/{ADDRESS}/{port}", file.display());
    output(host.command("bash").args(["-c", &script]));
}

#[test]
fn reports_for_deployments_nobody_knows() {
    let Some(_turn) = ground::lab("bad_input: unknown deployment", &[]) else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::on(&host, "");
    station.serve();
    let client = net.host("stranger");
    client.address("192.168.151.9/24");
    let report =
        json!({"deployment": "01J0000000000000000000000", "secret": "guess", "events": []});
    for (path, body) in [
        ("agent/v1/report", report),
        (
            "agent/v1/hello",
            json!({"secret": "guess", "hostname": "KXP2-CORO-001"}),
        ),
        (
            "api/status",
            json!({"status": "success", "deployment_id": "01J0000000000000000000000"}),
        ),
    ] {
        let (status, words) = post(&client, path, &body);
        assert!((400..500).contains(&status), "{path}: {status} {words}");
        assert!(words.len() > 20, "{path} says nothing: {words}");
    }
    assert!(station.boards().is_empty(), "{:?}", station.boards());
}

fn post(client: &Host, path: &str, body: &Value) -> (u32, String) {
    let said = output(
        client
            .command("curl")
            .args([
                "-sS",
                "-w",
                "\n%{http_code}",
                "-H",
                "content-type: application/json",
            ])
            .args(["-d", &body.to_string()])
            .arg(format!("http://{ADDRESS}:5001/{path}")),
    );
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let (reply, status) = text.rsplit_once('\n').unwrap_or_default();
    (status.parse().unwrap_or(0), reply.to_owned())
}

/// A Raspberry Pi 5 with one disk of this size introduces itself; what it is told to wait for.
fn held_for(client: &Host, pi: &Pi, disk_bytes: u64) -> Hold {
    let mac = client.mac().parse().expect("an address");
    let check_in = CheckIn {
        protocol: 1,
        agent: "test".to_owned(),
        token: None,
        inventory: Inventory {
            board: BoardId::Pi(pi.serial),
            serial: Some(Serial(0x1000_0000_0000_0000 | u64::from(pi.serial))),
            revision: None,
            model: "Raspberry Pi 5 Model B Rev 1.0".to_owned(),
            arch: "aarch64".to_owned(),
            ram_mib: 8192,
            mac,
            macs: vec![mac],
            link_mbit: Some(1000),
            disks: vec![Disk {
                path: "/dev/nvme0n1".to_owned(),
                kind: DiskKind::Nvme,
                bytes: disk_bytes,
                sector: 512,
                model: String::new(),
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
    };
    let body = serde_json::to_value(check_in).expect("JSON");
    let (status, words) = post(client, "agent/v1/check-in", &body);
    assert_eq!(status, 200, "{words}");
    let order: Value = serde_json::from_str(&words).expect("JSON");
    assert_eq!(order["order"], "wait", "{words}");
    assert!(
        order["words"].as_str().is_some_and(|w| w.len() > 20),
        "{words}"
    );
    serde_json::from_value(order["hold"].clone()).expect("a hold")
}

#[test]
fn images_that_do_not_suit_the_board_cost_no_name() {
    let Some(_turn) = ground::lab("bad_input: unsuitable images", &["dhclient", "mcopy"]) else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::on(&host, "[boards]\nrequire_token = false\n");
    station.serve();
    plan::product_venue_names(&station, 3);
    plan::image(&station, binaries::small_image());
    plan::batch(&station, 2);
    let client = net.host("pi");
    let pi = Pi::five(0x00c0_ffee);
    dhclient(&client, As::Pi(pi), 10).expect("answered");
    let hold = held_for(&client, &pi, 100_000_000);
    assert!(matches!(hold, Hold::ImageTooBig { .. }), "{hold:?}");

    // The same image with a kernel for another processor, and active now.
    let foreign = station.scratch().join("foreign.img");
    let kernel = station.scratch().join("bzImage");
    std::fs::write(&kernel, x86_kernel()).expect("written");
    expect(
        Command::new("cp")
            .arg("--sparse=always")
            .arg(binaries::small_image())
            .arg(&foreign),
    );
    for name in ["kernel8.img", "kernel_2712.img"] {
        expect(
            Command::new("mcopy")
                .args(["-o", "-i"])
                .arg(format!("{}@@8M", foreign.display()))
                .arg(&kernel)
                .arg(format!("::{name}")),
        );
    }
    plan::image(&station, &foreign);
    let hold = held_for(&client, &pi, 64_000_000_000);
    assert!(matches!(hold, Hold::WrongArchitecture { .. }), "{hold:?}");
    let board = station
        .boards()
        .into_iter()
        .find(|b| b.id == BoardId::Pi(pi.serial));
    assert_eq!(
        board.expect("there").hostname,
        None,
        "a held board was given a name"
    );
}

/// The head of a Linux kernel for x86: boot signature and the `HdrS` of its set-up header.
fn x86_kernel() -> Vec<u8> {
    let mut kernel = vec![0; 65536];
    kernel[..2].copy_from_slice(b"MZ");
    kernel[510..512].copy_from_slice(&[0x55, 0xaa]);
    kernel[0x202..0x206].copy_from_slice(b"HdrS");
    kernel[0x206..0x208].copy_from_slice(&[0x0f, 0x02]);
    // It can be entered in 64-bit mode.
    kernel[0x236] = 1;
    kernel
}
