//! The real shell and the real client over loopback sockets.

use super::*;
use crate::dhcp::client::{Conversation, Event, Lessee, Network, Persona};
use crate::dhcp::{ReplyTo, Told, serve};
use crate::socket;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use wire::revision::Revision;

fn loopback(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 64, 7, last)
}

#[test]
fn a_rack_of_boards_boots_over_loopback() {
    let pool = Ipv4Addr::new(127, 64, 7, 10)..=Ipv4Addr::new(127, 64, 7, 40);
    let settings = Settings {
        reply: ReplyTo::Source,
        ..Settings::new(loopback(1), Ipv4Addr::new(255, 0, 0, 0), pool)
    };
    let listener = socket::open(None, SocketAddrV4::new(loopback(1), 0)).expect("a free port");
    let Ok(SocketAddr::V4(address)) = listener.local_addr() else {
        panic!("an IPv4 address")
    };
    let (events, mut told) = mpsc::channel(4);
    let (vouch, vouched) = mpsc::channel(4);
    let (stop, stopped) = oneshot::channel::<()>();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let server = Server::new(settings, Vec::new());
    let serving = runtime.spawn(serve(listener, server, events, vouched, async move {
        let _ = stopped.await;
    }));

    let boards: Vec<_> = (0..20_u8)
        .map(|n| {
            std::thread::spawn(move || {
                let board = Mac([0x2c, 0xcf, 0x67, 1, 1, n]);
                let serial = 0x1000 + u32::from(n);
                let persona = match n % 4 {
                    0 => Persona::rom_3b_plus(serial),
                    1 => Persona::agent(Some(wire::BoardId::Pi(serial))),
                    _ => Persona::eeprom(Revision(0x00d0_4170), board, serial, n % 4 == 2),
                };
                let from = SocketAddrV4::new(loopback(100 + n), 0);
                let socket = socket::open(None, from).expect("loopback");
                let network = Network::Only(address);
                let mut talk = Conversation::begin(socket, |now| {
                    Lessee::new(persona, board, network, n.into(), now)
                });
                match talk
                    .next_event(Duration::from_secs(20))
                    .expect("a socket that works")
                {
                    Some(Event::Bound(grant)) => grant.address,
                    other => panic!("board {n}: {other:?}"),
                }
            })
        })
        .collect();
    let mut given: Vec<_> = boards
        .into_iter()
        .map(|board| board.join().expect("no panic"))
        .collect();
    given.sort_unstable();
    given.dedup();
    assert_eq!(given.len(), 20);

    // A stranger is ignored until somebody vouches for it.
    let stranger = Mac([2, 0, 0, 0, 0, 9]);
    let socket = socket::open(None, SocketAddrV4::new(loopback(200), 0)).expect("loopback");
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    socket
        .send_to(&laptop(1, stranger).bytes(), address)
        .expect("sent");
    let next = |told: &mut mpsc::Receiver<Told>| {
        runtime.block_on(async { told.recv().await.expect("still serving").event })
    };
    while next(&mut told)
        != (DhcpEvent::NotOurs {
            mac: stranger,
            vendor_class: Some("MSFT 5.0".to_owned()),
        })
    {}
    vouch.blocking_send(stranger).expect("still serving");
    let mut buffer = [0; 1500];
    socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .expect("a timeout");
    // The voucher and the packet travel on two ways, so the first packet may come too early.
    let answered = (2..40).find_map(|xid| {
        socket
            .send_to(&laptop(xid, stranger).bytes(), address)
            .expect("sent");
        socket.recv_from(&mut buffer).ok()
    });
    let (_, from) = answered.expect("an answer");
    assert_eq!(from, SocketAddr::V4(address));
    stop.send(()).expect("still serving");
    runtime
        .block_on(serving)
        .expect("no panic")
        .expect("a clean end");
}
