//! Boards in QEMU: real firmware, a real arm64 kernel, the real agent, an empty NVMe disk each.
//! Netbooted by UEFI PXE through the station's own DHCP and TFTP, provisioned side by side from the
//! small system image (the full Debian one in a soak run), and started from their own disks.

use punnet_tests::machine::{Build, First, Machine, empty_disk, firmware};
use punnet_tests::net::{Host, Net};
use punnet_tests::station::Station;
use punnet_tests::{binaries, ground, plan};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use wire::batch::{BatchState, VerifyLevel};
use wire::board::Board;
use wire::query::{Answer, HistoryFilter, Query};
use wire::{BoardId, Stage};

const TOOLS: &[&str] = &["qemu-system-aarch64", "grub-mkimage", "mcopy"];
/// Four boards emulated on two cores, in the slowest of builds.
const PATIENCE: Duration = Duration::from_mins(10);

fn uuid(n: usize) -> String {
    format!("c0ffee00-0000-4000-8000-00000000000{n}")
}

fn mac(n: usize) -> String {
    format!("52:54:00:c0:ff:0{n}")
}

fn id(n: usize) -> BoardId {
    uuid(n).parse().expect("a board id")
}

fn build(net: &Net, folder: &Path, n: usize, first: First, disk_mib: u64) -> Build {
    let disk = folder.join(format!("disk{n}.img"));
    empty_disk(&disk, disk_mib);
    Build {
        uuid: uuid(n),
        mac: mac(n),
        tap: net.tap(),
        disk,
        first,
    }
}

fn station(host: &Host) -> Station {
    station_with_leases_of(host, 3600)
}

fn station_with_leases_of(host: &Host, seconds: u32) -> Station {
    let extra = format!(
        "[dhcp]\nanswer_uefi = true\nlease_seconds = {seconds}\n[uefi]\narm64_loader = \"{}\"\n[agent]\narm64 = \"{}\"\n",
        binaries::loader_arm64().display(),
        binaries::agent_arm64().display()
    );
    Station::on(host, &extra)
}

fn turn(test: &str) -> Option<ground::Turn> {
    if firmware().is_none() {
        ground::not_run(test, "needs the firmware of the package qemu-efi-aarch64");
        return None;
    }
    ground::heavy_lab(test, TOOLS)
}

/// The value of `key=` in the line that the installed system prints when it is up.
fn field(line: &str, key: &str) -> String {
    line.split_whitespace()
        .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("no {key} in {line:?}"))
        .to_owned()
}

#[test]
fn four_boards_come_up_from_their_own_disks_under_their_own_names() {
    let Some(_turn) = turn("qemu_boards: four boards") else {
        return;
    };
    let (image, disk_mib) = match binaries::debian_image() {
        Some(debian) => (debian, 4096),
        None => (binaries::small_image().to_owned(), 512),
    };
    let net = Net::new();
    let host = net.host("station");
    let mut station = station(&host);
    station.serve();
    plan::product_venue_names(&station, 6);
    let image = plan::image(&station, &image);
    let batch = plan::batch(&station, 4);

    // Three try their own empty disk first, as boards set to 0xf2461 do; one tries the network
    // first, so that the station must decline it once it is finished.
    let folder = station.scratch().to_owned();
    let builds: Vec<Build> = (0..4)
        .map(|n| {
            let first = if n == 3 { First::Network } else { First::Disk };
            build(&net, &folder, n, first, disk_mib)
        })
        .collect();
    let machines: Vec<Machine> = builds.iter().map(Machine::power_on).collect();

    let mut names = BTreeSet::new();
    let mut machine_ids = BTreeSet::new();
    for (n, machine) in machines.iter().enumerate() {
        let board: Board =
            station.until_board(PATIENCE, id(n), &[Stage::Done, Stage::FirstBootConfirmed]);
        let hostname = board
            .hostname
            .expect("a finished board has a name")
            .to_string();
        let (up, _) = machine.until_line(PATIENCE, "PUNNET-UP", 0);
        assert_eq!(field(&up, "hostname"), hostname, "{up}");
        station.until_board(PATIENCE, id(n), &[Stage::FirstBootConfirmed]);
        // Nothing of the golden image's identity is left, and the disk is used in full.
        let machine_id = field(&up, "machine-id");
        assert_ne!(machine_id, "0123456789abcdef0123456789abcdef", "{up}");
        assert_eq!(machine_id.len(), 32, "{up}");
        let root = field(&up, "root");
        let root: u64 = root.trim_end_matches('k').parse().expect("KiB");
        assert!(
            root > disk_mib * 1024 / 2,
            "the root file system has not grown: {up}"
        );
        names.insert(hostname);
        machine_ids.insert(machine_id);
    }
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(machine_ids.len(), 4, "{machine_ids:?}");

    station.until("the batch to be complete", |heard| {
        let batches = &heard.now.as_ref()?.batches;
        let it = batches.iter().find(|b| b.id == batch.id)?;
        (it.state == BatchState::Completed && it.counters.confirmed == 4).then_some(())
    });
    let Answer::History(rows) = station.query(&Query::History(HistoryFilter::default())) else {
        panic!("history was asked for")
    };
    assert_eq!(rows.len(), 4, "{rows:?}");
    for row in rows {
        assert_eq!(row.image, image);
        assert_eq!(row.verified, Some(VerifyLevel::FullReadBack), "{row:?}");
        assert!(row.bytes_read_back > 0 && row.bytes_written > 0, "{row:?}");
    }
}

#[test]
fn a_power_cut_leaves_no_unnamed_clone_and_costs_no_second_name() {
    let Some(_turn) = turn("qemu_boards: power cut") else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    let mut station = station(&host);
    station.serve();
    plan::product_venue_names(&station, 3);
    plan::image(&station, binaries::small_image());
    plan::batch(&station, 2);
    let folder = station.scratch().to_owned();
    let built = build(&net, &folder, 0, First::Disk, 512);

    let machine = Machine::power_on(&built);
    let cut = [
        Stage::Writing,
        Stage::Verifying,
        Stage::Personalising,
        Stage::Finishing,
    ];
    let before = station.until_board(PATIENCE, id(0), &cut);
    machine.power_cut();
    // What is on the disk now has no partition table: no firmware will start it.
    let head = std::fs::read(&built.disk).expect("the disk")[510..512].to_vec();
    assert_ne!(head, [0x55, 0xaa], "an unfinished disk can be booted");

    let machine = Machine::power_on(&built);
    let after = station.until_board(PATIENCE, id(0), &[Stage::FirstBootConfirmed]);
    assert_eq!(after.hostname, before.hostname);
    let (up, _) = machine.until_line(PATIENCE, "PUNNET-UP", 0);
    assert_eq!(
        Some(field(&up, "hostname")),
        after.hostname.map(|h| h.to_string())
    );
    let names = station.query(&Query::Names(wire::query::NameFilter::default()));
    let Answer::Names(names) = names else {
        panic!("names were asked for")
    };
    assert_eq!(
        names.iter().filter(|n| n.board.is_some()).count(),
        1,
        "{names:?}"
    );
}

#[test]
fn a_board_without_a_batch_is_held_with_its_disk_untouched() {
    let Some(_turn) = turn("qemu_boards: held board") else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    let mut station = station(&host);
    station.serve();
    plan::product_venue_names(&station, 3);
    plan::image(&station, binaries::small_image());
    let folder = station.scratch().to_owned();
    let built = build(&net, &folder, 0, First::Network, 256);
    let machine = Machine::power_on(&built);
    let held = station.until_board(PATIENCE, id(0), &[Stage::OnHold]);
    assert!(held.hold.is_some(), "{held:?}");
    assert_eq!(held.hostname, None);
    machine.power_cut();
    let disk = std::fs::read(&built.disk).expect("the disk");
    assert!(
        disk.iter().all(|b| *b == 0),
        "a held board's disk was written"
    );
}

#[test]
#[ignore = "takes longer than a lease; `make soak` runs it"]
fn a_board_that_waits_longer_than_its_lease_keeps_its_address() {
    let Some(_turn) = turn("qemu_boards: lease") else {
        return;
    };
    let net = Net::new();
    let host = net.host("station");
    let mut station = station_with_leases_of(&host, 120);
    station.serve();
    plan::product_venue_names(&station, 3);
    plan::image(&station, binaries::small_image());
    let folder = station.scratch().to_owned();
    let built = build(&net, &folder, 0, First::Network, 256);
    let _machine = Machine::power_on(&built);
    let held = station.until_board(PATIENCE, id(0), &[Stage::OnHold]);
    let lease = || {
        let Answer::Leases(leases) = station.query(&Query::Leases) else {
            panic!("leases were asked for")
        };
        leases.into_iter().find(|l| l.mac == held.mac)
    };
    let first = lease().expect("a board on hold has an address");
    // The agent asks again every few seconds, so there is always something to hear.
    let twice = station.until_within(PATIENCE, "two renewals", |_| {
        lease().filter(|l| l.until.since(first.until) > 110_000)
    });
    assert_eq!(twice.ip, first.ip);
    let still = station.until_board(PATIENCE, id(0), &[Stage::OnHold]);
    assert_eq!((still.ip, still.stalled), (held.ip, None));
}
