//! The agent's receive → hash → decompress → write pipeline against `curl | zstd -d | dd`, over the
//! same wire onto a file of the same file system: a whole image compressed once by zstd, from nginx.

use crate::files;
use crate::http::{PEER, nginx, wait_for};
use crate::table::{Contestant, race};
use punnet_tests::binaries;
use punnet_tests::net::Net;
use punnet_tests::plan;
use punnet_tests::running::expect;
use punnet_tests::station::{ADDRESS, Station};
use std::process::Command;
use std::time::Instant;

pub(crate) fn run() {
    let net = Net::new();
    let host = net.host("station");
    let mut station = Station::on(&host, "[boards]\nrequire_token = false\n");
    station.serve();
    plan::product_venue_names(&station, 1);
    let source = files::image();
    let raw = source.metadata().expect("there").len();
    let id = plan::image(&station, &source);
    // Beside the target folder: a disk, where a temporary folder may be memory.
    let folder = tempfile::tempdir_in(binaries::target()).expect("a folder");
    let packed = folder.path().join("image.zst");
    expect(
        Command::new("zstd")
            .args(["-q", "-3", "-T2"])
            .arg(&source)
            .arg("-o")
            .arg(&packed),
    );
    let peer = net.host("nginx");
    peer.address(&format!("{PEER}/24"));
    let _nginx = nginx(&peer, folder.path(), &[("served", &packed)]);
    let client = net.host("client");
    client.address("192.168.151.9/24");
    wait_for(&client, "served");

    let target = folder.path().join("target");
    let agent = binaries::example("agent", "write").display().to_string();
    let pack = format!("http://{ADDRESS}:5001/agent/v1/packs/{id}");
    let ours = |extra: &'static [&'static str]| {
        let (client, agent, pack, target) = (&client, &agent, &pack, &target);
        move || {
            let _ = std::fs::remove_file(target);
            let begun = Instant::now();
            expect(client.command(agent).arg(pack).arg(target).args(extra));
            begun.elapsed()
        }
    };
    let script = format!(
        "set -o pipefail; curl -sS --fail http://{PEER}/served | zstd -q -d | \
         dd of='{}' bs=4M iflag=fullblock oflag=direct conv=fsync status=none",
        target.display()
    );
    let theirs = || {
        let _ = std::fs::remove_file(&target);
        let begun = Instant::now();
        expect(client.command("bash").args(["-c", &script]));
        begun.elapsed()
    };
    race(
        &format!("Writing {} over the wire", source.display()),
        3,
        raw as f64 / 1e6,
        "MB/s",
        &mut [
            Contestant::new("punnet agent pipeline", ours(&[])),
            Contestant::new("punnet, with full read-back", ours(&["--read-back"])),
            Contestant::new("curl | zstd -d | dd", theirs),
        ],
    );
}
