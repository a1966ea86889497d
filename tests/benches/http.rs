//! Image bytes by HTTP against nginx, with the same client on the same wire: the pack that agents
//! fetch, and the whole image that foreign installers fetch.

use crate::files;
use crate::process::{forget_peak, processor, status};
use crate::table::{Contestant, figure, race};
use punnet_tests::net::{Host, Net};
use punnet_tests::plan;
use punnet_tests::running::Running;
use punnet_tests::station::{ADDRESS, Station};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use wire::query::{Answer, Query};

pub(crate) const PEER: &str = "192.168.151.2";
/// How often a client fetches the file over its connection, so that its own start does not count.
const TIMES: usize = 10;

pub(crate) fn run() {
    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::on(
        &host,
        "[boards]\nrequire_token = false\ndevice_api = \"open\"\n",
    );
    station.serve();
    plan::product_venue_names(&station, 1);
    let source = files::image();
    let id = plan::image(&station, &source);
    let Answer::Images(images) = station.query(&Query::Images) else {
        panic!("images were asked for")
    };
    let image = images.first().expect("imported above");
    let pack = station.data().join("packs").join(format!("{id}.pack"));
    let peer = net.host("nginx");
    peer.address(&format!("{PEER}/24"));
    let folder = tempfile::tempdir().expect("a folder");
    let nginx = nginx(&peer, folder.path(), &[("pack", &pack), ("image", &source)]);
    let client = net.host("client");
    client.address("192.168.151.9/24");
    wait_for(&client, "pack");

    let ours = format!("http://{ADDRESS}:5001/agent/v1/packs/{id}");
    let theirs = format!("http://{PEER}/pack");
    for (at_once, rounds) in [(1, 5), (8, 3)] {
        race(
            &format!("HTTP, the pack, {at_once} client(s) (curl)"),
            rounds,
            (at_once * TIMES) as f64 * image.pack_bytes as f64 / 1e6,
            "MB/s",
            &mut [
                Contestant::new("punnet", || curls(&client, at_once, &ours, TIMES)),
                Contestant::new("nginx (sendfile)", || {
                    curls(&client, at_once, &theirs, TIMES)
                }),
            ],
        );
    }
    let ours = format!("http://{ADDRESS}:5001/images/{}", image.file_name);
    let theirs = format!("http://{PEER}/image");
    race(
        "HTTP, the whole image rebuilt from the pack, 1 client (curl)",
        3,
        TIMES as f64 * image.raw_bytes as f64 / 1e6,
        "MB/s",
        &mut [
            Contestant::new("punnet (from the pack)", || curls(&client, 1, &ours, TIMES)),
            Contestant::new("nginx (sendfile of the .img)", || {
                curls(&client, 1, &theirs, TIMES)
            }),
        ],
    );

    println!("\nWhat it costs that 20 boards fetch the pack over a link of 1 Gbit/s");
    let url = format!("http://{ADDRESS}:5001/agent/v1/packs/{id}");
    for (name, pid, host, url) in [
        ("punnet", station.pid(), &host, url),
        ("nginx", nginx.pid(), &peer, format!("http://{PEER}/pack")),
    ] {
        host.limit("1gbit");
        forget_peak(pid);
        let before = processor(pid);
        let took = curls(&client, 20, &url, 1);
        let used = processor(pid).saturating_sub(before);
        let share = 100.0 * used.as_secs_f64() / took.as_secs_f64();
        figure(name, &format!("{share:.1} %"), "of one core");
        if name == "punnet" {
            let most = format!("{:.1} MB", status(pid, "VmHWM"));
            figure("its most resident memory", &most, "under 100 MB");
        }
    }
}

pub(crate) fn nginx(host: &Host, folder: &Path, files: &[(&str, &Path)]) -> Running {
    for (name, file) in files {
        std::os::unix::fs::symlink(file, folder.join(name)).expect("linked");
    }
    let folder = folder.display();
    let configuration = format!(
        "user root;\nworker_processes auto;\ndaemon off;\npid {folder}/pid;\n\
         error_log /dev/null;\nevents {{ worker_connections 512; }}\n\
         http {{ access_log off; sendfile on; tcp_nopush on;\n\
         client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;\n\
         fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;\n\
         server {{ listen {PEER}:80; root {folder}; }} }}\n"
    );
    let file = format!("{folder}/nginx.conf");
    std::fs::write(&file, configuration).expect("written");
    let mut command = host.command("nginx");
    command
        .args(["-c", &file, "-e", "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Running::start(command)
}

pub(crate) fn wait_for(client: &Host, file: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let answers = || {
        let mut command = client.command("curl");
        command.args(["-s", "-o", "/dev/null", "--max-time", "2", "-r", "0-0"]);
        let said = punnet_tests::running::output(command.arg(format!("http://{PEER}/{file}")));
        said.status.success()
    };
    while !answers() {
        assert!(Instant::now() < deadline, "nginx does not serve");
    }
}

/// So many curls at once, each of which fetches a file so many times; the time until the last is done.
fn curls(client: &Host, how_many: usize, url: &str, times: usize) -> Duration {
    let begun = Instant::now();
    let mut all: Vec<Running> = (0..how_many)
        .map(|_| {
            let mut command = client.command("curl");
            command
                .args(["--silent", "--show-error", "--fail", "-r", "0-"])
                .args(["-o", "/dev/null", url].repeat(times))
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            Running::start(command)
        })
        .collect();
    for curl in &mut all {
        let status = curl.wait_blocking();
        assert!(status.success(), "a fetch of {url} ended with {status}");
    }
    begun.elapsed()
}
