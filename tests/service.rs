//! The package on a whole machine under systemd, as its owner installs, starts, breaks, restarts and
//! removes it. Takes minutes, because every processor in it is emulated: part of `make soak`.

use punnet_tests::guest::{Guest, emulator};
use punnet_tests::packages::{TOOLS, of_version, packages};
use punnet_tests::{binaries, ground};
use std::time::Duration;

/// Until a server is where it should be, on a machine that is emulated.
const SOON: Duration = Duration::from_mins(2);
/// Until boards have fetched their boot files from a program that was built for tests, on that machine.
const BOOTED: Duration = Duration::from_mins(8);
const UNITS: [&str; 3] = ["punnet.service", "punnet-net.socket", "punnet-net@.service"];
/// How a board asks.
const HEALTH: &str = "ip netns exec wire curl -s http://192.168.151.1:5001/health";

/// Plugs in the card that the boards hang on, with two boards' addresses at the far end.
fn plug_in(guest: &mut Guest) {
    guest.ok(
        "ip netns add wire && ip link add boards0 type veth peer name eth1 netns wire && \
              ip -n wire link set lo up && ip -n wire link set eth1 up && \
              for n in 100 101 102 103; do ip -n wire addr add 192.168.151.$n/24 dev eth1; done && \
              ip -n wire route add default dev eth1",
    );
}

fn healthy(guest: &mut Guest) {
    guest.until(SOON, &format!("{HEALTH} | grep '\"healthy\"'"));
}

#[test]
#[ignore = "a whole machine in emulation takes minutes"]
fn the_packaged_service_does_what_is_promised() {
    let tools = [TOOLS, &[emulator(), "mmdebstrap", "mke2fs"]].concat();
    let Some(_turn) = ground::heavy_lab("service: the packaged service", &tools) else {
        return;
    };
    let newer = of_version("99.0.0");
    let boards = binaries::example("virtual-pi", "boards");
    let source = binaries::root().join("packaging/systemd");
    let units = UNITS.map(|unit| source.join(unit));
    let mut files = vec![&*packages().daemon, &newer.daemon, &boards];
    files.extend([binaries::small_image()]);
    files.extend(units.iter().map(|unit| &**unit));
    let mut guest = Guest::start(&files);

    installs_closed_and_ready(&mut guest);
    serves_a_card_that_comes_later(&mut guest);
    says_when_it_is_ill_and_which_line_is_wrong(&mut guest);
    each_server_comes_back(&mut guest);
    boards_outlive_a_kill_and_an_upgrade(&mut guest);

    guest.reboot();
    plug_in(&mut guest);
    healthy(&mut guest);
    assert_eq!(guest.ok("systemctl is-enabled punnet"), "enabled");
    goes_and_leaves_the_data_until_purged(&mut guest);
}

fn installs_closed_and_ready(guest: &mut Guest) {
    let version = env!("CARGO_PKG_VERSION");
    guest.ok(&format!("dpkg -i /mnt/punnet-daemon_{version}_*.deb"));
    for unit in UNITS {
        let place = format!("/lib/systemd/system/{unit}");
        assert_eq!(
            guest.ok(&format!("stat -c '%U:%G %a' {place}")),
            "root:root 644"
        );
        guest.ok(&format!("cmp /mnt/{unit} {place}"));
    }
    let helper = "/usr/lib/punnet/punnet-net";
    assert_eq!(
        guest.ok(&format!("stat -c '%U:%G %a' {helper}")),
        "root:punnet 750"
    );
    assert!(
        guest
            .ok(&format!("getcap {helper}"))
            .contains("cap_net_raw")
    );
    let said = guest.ok("systemctl daemon-reload; systemd-analyze verify --man=no punnet.service");
    assert_eq!(said, "");
    for (verb, state) in [("disable", "disabled"), ("enable", "enabled")] {
        guest.ok(&format!("systemctl {verb} punnet"));
        assert_eq!(guest.run("systemctl is-enabled punnet").1.trim(), state);
    }
    // Type=notify: active is ready.
    assert_eq!(guest.ok("systemctl is-active punnet"), "active");
    let rights = guest.ok("cat /proc/$(systemctl show -p MainPID --value punnet)/status");
    for line in [
        "CapEff:\t0000000000000000",
        "CapBnd:\t0000000000000000",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
    ] {
        assert!(rights.contains(line), "{line} is not in {rights}");
    }
    assert!(!rights.contains("Uid:\t0"), "{rights}");
    let page =
        guest.ok("curl -s -o /dev/null -w '%{http_code} %{content_type}' http://127.0.0.1:5000/");
    if binaries::root().join("ui/dist/index.html").exists() {
        assert!(page.starts_with("200 text/html"), "{page}");
    }
    guest.ok("useradd -m -G punnet tess && useradd -m joe && runuser -u tess -- punnet boards");
    let (status, said) = guest.run("runuser -u joe -- punnet boards");
    assert!(status == 1 && said.contains("usermod -aG punnet"), "{said}");
}

fn serves_a_card_that_comes_later(guest: &mut Guest) {
    guest.ok("printf '[deployment]\\ninterface = \"boards0\"\\n\
              leases = \"192.168.151.100-192.168.151.103\"\\n' >/etc/punnet/station.toml");
    guest.ok("systemctl restart punnet");
    let status = guest.ok("systemctl show -p StatusText punnet");
    assert!(status.contains("no interface boards0"), "{status}");
    plug_in(guest);
    healthy(guest);
    guest.ok("sed -i 's/192.168.151.103/192.168.151.104/' /etc/punnet/station.toml && systemctl reload punnet");
    guest.until(
        SOON,
        "journalctl -u punnet | grep 'configuration was read again'",
    );
    healthy(guest);
}

fn says_when_it_is_ill_and_which_line_is_wrong(guest: &mut Guest) {
    guest.ok("punnet server stop tftp");
    let said = guest.until(
        SOON,
        &format!("{HEALTH} -w ' %{{http_code}}' | grep unhealthy"),
    );
    assert!(
        said.contains("\"reasons\":[\"tftp\"]") && said.ends_with("503"),
        "{said}"
    );
    guest.ok("punnet server start tftp");
    healthy(guest);

    guest.ok(
        "cp /etc/punnet/station.toml /root/ && echo 'interfaec = 1' >>/etc/punnet/station.toml",
    );
    guest.run("systemctl restart punnet");
    guest.until(SOON, "systemctl is-failed punnet");
    let (_, status) = guest.run("systemctl status --no-pager punnet");
    assert!(
        status.contains("line 4") && status.contains("interface"),
        "{status}"
    );
    guest.ok("cp /root/station.toml /etc/punnet/ && systemctl restart punnet");
    healthy(guest);
}

/// Takes each server's socket away in turn, and then the process that holds the rights.
fn each_server_comes_back(guest: &mut Guest) {
    for socket in [
        "-u sport = :67",
        "-u sport = :69",
        "-t sport = :5001",
        "-t sport = :5000",
    ] {
        let number = format!("ss -Hlne {socket} | grep -o 'ino:[0-9]*'");
        let before = guest.ok(&number);
        guest.ok(&format!("ss -KHln {socket}"));
        let after = guest.until(SOON, &format!("{number} | grep -vx {before}"));
        assert_ne!(after, before, "{socket}");
        healthy(guest);
    }
    guest.ok("curl -sf http://127.0.0.1:5000/health");
    guest.ok("systemctl kill -s KILL 'punnet-net@*'");
    guest.until(SOON, "journalctl -u punnet | grep 'network rights ended'");
    healthy(guest);
}

fn boards_outlive_a_kill_and_an_upgrade(guest: &mut Guest) {
    let image = binaries::small_image()
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    for words in [
        "product add KXP2 --name Kart --pattern {product}-{venue}-{number:03}",
        "venue add CORO --name Corona",
        "names import CORO --product KXP2 1-6",
    ] {
        guest.ok(&format!("runuser -u tess -- punnet {words}"));
    }
    // A file that only its owner may read.
    guest.ok(&format!(
        "install -o tess -m 600 /mnt/{image} /home/tess/golden.img"
    ));
    guest.ok_within(
        Duration::from_mins(8),
        "runuser -u tess -- punnet image add /home/tess/golden.img --product KXP2 --version 1 --activate",
    );
    guest
        .ok("runuser -u tess -- punnet batch create --product KXP2 --venue CORO --count 2 --start");
    guest.ok("{ ip netns exec wire /mnt/boards --dhcp 255.255.255.255:67 --tftp 192.168.151.1:69 \
              --boards 2 --json --retries 8 --timeout 900 --work /var/tmp/boards >/root/report 2>/root/boards.err; \
              echo $? >/root/ended; } &");
    let names = "punnet boards --json | jq -r '[.[].hostname | select(.)] | sort | join(\" \")'";
    let before = guest.until(BOOTED, &format!("{names} | grep ' '"));
    let again = "systemctl show -p MainPID --value punnet";
    let first = guest.ok(again);
    let back = format!("p=$({again}); systemctl is-active -q punnet && [ $p != {first} ]");
    guest.ok(&format!("kill -9 {first}"));
    guest.until(Duration::from_secs(10), &back);
    guest.ok_within(SOON * 2, "dpkg -i /mnt/punnet-daemon_99.0.0_*.deb");
    guest.until(Duration::from_mins(14), "cat /root/ended");
    let end = guest.ok("cat /root/ended /root/boards.err");
    assert_eq!(end.lines().next(), Some("0"), "{end}");
    assert_eq!(
        guest.ok("jq -Mc '[.done, .verified]' /root/report"),
        "[2,true]"
    );
    assert_eq!(guest.ok(names), before);
    // One search finds what happened to one deployment.
    guest.ok("d=$(journalctl -u punnet -o json | jq -r '.PUNNET_DEPLOYMENT // empty' | head -1); \
              [ -n \"$d\" ] && journalctl PUNNET_DEPLOYMENT=$d -o json | jq -e .PUNNET_SERIAL >/dev/null");
}

fn goes_and_leaves_the_data_until_purged(guest: &mut Guest) {
    guest.ok("dpkg -r punnet-daemon");
    assert_ne!(guest.run("systemctl is-active punnet").0, 0);
    guest.ok("ls /var/lib/punnet/punnet.db /etc/punnet/station.toml");
    guest.ok("cd /var/lib && mkdir punnet.replaced-20261118-110640 .punnet.restoring-x1y2z3");
    guest.ok("dpkg -P punnet-daemon");
    guest.ok("[ ! -e /etc/punnet ] && [ ! -e /var/log/punnet ]");
    guest.ok("[ -z \"$(find /var/lib -maxdepth 1 -name '*punnet*')\" ]");
    assert_ne!(
        guest
            .run("dpkg-statoverride --list /usr/lib/punnet/punnet-net")
            .0,
        0
    );
}
