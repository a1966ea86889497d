//! Starting, stopping, restarting; servers that are started and stopped by the operator.

use crate::rig::{PATIENCE, Rig, config};
use station::service::{Mode, StartError, run};
use std::net::UdpSocket;
use std::time::Instant;
use wire::command::Command;
use wire::health::{ServerKind, ServerState};

#[test]
fn a_stopped_station_comes_back_with_everything_and_the_same_secrets() {
    let mut rig = Rig::with_batch();
    let token = rig.token();
    let lease = rig.lease(7);
    rig.restart();
    assert_eq!(rig.token(), token);
    assert_eq!(rig.lease(7).address, lease.address, "leases are sticky");
    let boards = rig.operator("GET /api/v1/boards HTTP/1.1", b"").json();
    assert_eq!(boards[0]["id"], "00000007");
}

#[test]
fn two_stations_do_not_share_a_folder() {
    let rig = Rig::new();
    let refused = rig.second().unwrap_err();
    assert!(matches!(refused, StartError::Engine(_)), "{refused}");
    // The first one is untouched by the attempt.
    assert_eq!(
        rig.operator_socket("GET /api/v1/boards HTTP/1.1", b"")
            .status,
        200
    );
}

#[test]
fn a_taken_port_is_refused_by_name() {
    let holder = UdpSocket::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.deployment.tftp_port = holder.local_addr().unwrap().port();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let station = runtime.block_on(async {
        // A rehearsal waits for its servers; the port is given back while it does.
        let free = tokio::spawn(async move {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
            drop(holder);
        });
        let station = run(config, Mode::Rehearsal).await.unwrap();
        free.await.unwrap();
        station
    });
    assert!(
        station.addresses().tftp.is_some(),
        "it serves once the port is free"
    );
    runtime.block_on(station.stop());
}

#[test]
fn the_operator_stops_and_starts_a_server() {
    let rig = Rig::with_batch();
    let state = || {
        let servers = rig.station().servers();
        let tftp = servers.into_iter().find(|s| s.server == ServerKind::Tftp);
        tftp.unwrap().state
    };
    let until = |wanted: ServerState| {
        let begun = Instant::now();
        while state() != wanted {
            assert!(begun.elapsed() < PATIENCE, "still {:?}", state());
            std::thread::yield_now();
        }
    };
    let server = ServerKind::Tftp;
    rig.command(Command::ServerStop { server }).unwrap();
    until(ServerState::Stopped);
    let health = rig.operator("GET /api/v1/ready HTTP/1.1", b"");
    assert_eq!(health.status, 503);
    rig.command(Command::ServerStart { server }).unwrap();
    until(ServerState::Serving);
}
