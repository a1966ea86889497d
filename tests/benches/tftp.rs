//! TFTP against dnsmasq and tftpd-hpa: one client, a hundred at once, and the boot set of a hundred
//! boards on a link of 1 Gbit/s.

use crate::files;
use crate::table::{Contestant, race};
use punnet_tests::binaries;
use punnet_tests::clients::Tftp;
use punnet_tests::net::{Host, Net};
use punnet_tests::running::Running;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a Raspberry Pi 5 fetches, with the sizes it has there.
const BOOT_SET: [(&str, usize); 5] = [
    ("config.txt", 400),
    ("cmdline.txt", 200),
    ("bcm2712-rpi-5-b.dtb", 78_000),
    ("initramfs", 9_000_000),
    ("kernel_2712.img", 9_700_000),
];
const SINGLE: usize = 50_000_000;
const EACH: usize = 4_000_000;

/// A server with its machine; it ends with this value.
struct Server {
    name: &'static str,
    host: Host,
    address: String,
    _running: Running,
}

pub(crate) fn run() {
    let folder = tempfile::tempdir().expect("a folder");
    files::random(&folder.path().join("single"), SINGLE, 1);
    files::random(&folder.path().join("each"), EACH, 2);
    for (n, (name, bytes)) in BOOT_SET.iter().enumerate() {
        files::random(&folder.path().join(name), *bytes, 3 + n as u64);
    }
    // tftpd-hpa serves only what everybody may read.
    open_to_all(folder.path());
    let net = Net::new();
    let client = &net.host("client");
    client.address("192.168.151.9/24");
    let servers = servers(&net, folder.path());
    for server in &servers {
        wait_for(client, server, folder.path());
    }

    for block in ["1468", "512"] {
        let mut all: Vec<_> = servers
            .iter()
            .map(|server| {
                let url = [format!("tftp://{}/single", server.address)];
                Contestant::new(server.name, move || curls(client, 1, block, &url))
            })
            .collect();
        let title = format!(
            "TFTP, one client, {} MB, blocks of {block} (curl)",
            SINGLE / 1_000_000
        );
        race(&title, 3, SINGLE as f64 / 1e6, "MB/s", &mut all);
    }

    let mut all: Vec<_> = servers
        .iter()
        .map(|server| {
            let url = [format!("tftp://{}/each", server.address)];
            Contestant::new(server.name, move || curls(client, 100, "1468", &url))
        })
        .collect();
    race(
        "TFTP, 100 clients at once, 4 MB each, blocks of 1468",
        2,
        (100 * EACH) as f64 / 1e6,
        "MB/s",
        &mut all,
    );
    drop(all);

    for server in &servers {
        server.host.limit("1gbit");
    }
    let bytes: usize = BOOT_SET.iter().map(|(_, bytes)| bytes).sum();
    let mut all: Vec<_> = servers
        .iter()
        .filter(|server| server.name != "tftpd-hpa")
        .map(|server| {
            let urls = BOOT_SET.map(|(name, _)| format!("tftp://{}/{name}", server.address));
            Contestant::new(server.name, move || curls(client, 100, "1468", &urls))
        })
        .collect();
    race(
        "TFTP, boot set of 100 boards on a link of 1 Gbit/s",
        2,
        (100 * bytes) as f64 / 1e6,
        "MB/s",
        &mut all,
    );
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder, all.clone()).expect("permitted");
    for entry in std::fs::read_dir(folder).expect("listed").flatten() {
        std::fs::set_permissions(entry.path(), all.clone()).expect("permitted");
    }
}

fn servers(net: &Net, folder: &Path) -> Vec<Server> {
    let folder = folder.to_string_lossy().into_owned();
    let start = |name: &'static str, n: u8, arguments: &dyn Fn(&str, &mut Command)| {
        let address = format!("192.168.151.{n}");
        let host = net.host(&format!("server{n}"));
        host.address(&format!("{address}/24"));
        let program = match name {
            "dnsmasq" => "dnsmasq".to_owned(),
            "tftpd-hpa" => "in.tftpd".to_owned(),
            _ => binaries::example("netboot", "tftp_serve")
                .display()
                .to_string(),
        };
        let mut command = host.command(&program);
        arguments(&address, &mut command);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let running = Running::start(command);
        Server {
            name,
            host,
            address,
            _running: running,
        }
    };
    vec![
        start("punnet", 1, &|address, command| {
            command.args([&format!("{address}:69"), &folder, "eth1"]);
        }),
        start("dnsmasq", 2, &|_, command| {
            command
                .args(["--keep-in-foreground", "--conf-file=/dev/null", "--port=0"])
                .args([
                    "--interface=eth1",
                    "--bind-interfaces",
                    "--enable-tftp",
                    "--user=root",
                ])
                .args(["--tftp-max=300", &format!("--tftp-root={folder}")]);
        }),
        start("tftpd-hpa", 3, &|address, command| {
            command.args(["--foreground", "--address", &format!("{address}:69")]);
            command.args(["--user", "nobody", "--secure", &folder]);
        }),
    ]
}

/// Waits until a server answers, and makes sure that it serves the right bytes.
fn wait_for(client: &Host, server: &Server, folder: &Path) {
    let right = std::fs::read(folder.join("kernel_2712.img")).expect("readable");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match Tftp::Curl.get(client, &server.address, "kernel_2712.img") {
            Ok(bytes) => {
                assert!(bytes == right, "{} serves other bytes", server.name);
                return;
            }
            Err(e) => assert!(
                Instant::now() < deadline,
                "{} does not serve: {e}",
                server.name
            ),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// So many curls at once, each fetching every URL in turn; the time until the last is done.
fn curls(client: &Host, how_many: usize, block: &str, urls: &[String]) -> Duration {
    let begun = Instant::now();
    let mut all: Vec<Running> = (0..how_many)
        .map(|_| {
            let mut command = client.command("curl");
            command
                .args([
                    "--silent",
                    "--show-error",
                    "--fail",
                    // Otherwise only the last file of several counts.
                    "--fail-early",
                    "--tftp-blksize",
                    block,
                ])
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            for url in urls {
                command.args(["-o", "/dev/null", url]);
            }
            Running::start(command)
        })
        .collect();
    for curl in &mut all {
        let status = curl.wait_blocking();
        assert!(status.success(), "a fetch of {urls:?} ended with {status}");
    }
    begun.elapsed()
}
