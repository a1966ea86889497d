//! IGMP for an ordinary person: the helper opens no raw socket to them, and yet a board's own kernel
//! is heard joining a group and answers when it is asked.

use netboot::packets::checksum;
use punnet_net::{Channel, Reply, Request, What};
use punnet_tests::ground;
use punnet_tests::net::Net;
use punnet_tests::person::Person;
use punnet_tests::running::Running;
use punnet_tests::station::ADDRESS;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::OwnedFd;
use std::time::Duration;

const TOOLS: &[&str] = &["setcap", "setpriv"];
const BOARD: Ipv4Addr = Ipv4Addr::new(192, 168, 151, 100);
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 151, 0, 1);
const ALL_HOSTS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);

/// Kinds of a group's record in a report (RFC 3376 §4.2.12).
const ANSWER: u8 = 2;
const JOINED: u8 = 4;

/// Waits until a board says this of [`GROUP`]. Everything that comes meanwhile has to be IGMP.
fn until_report(wire: &OwnedFd, kind: u8) {
    loop {
        let mut frame = [0; 2000];
        let (length, _) = recv(wire, &mut frame, RecvFlags::empty()).expect("a frame");
        let packet = &frame[14..length];
        assert_eq!(packet[9], 2, "no IGMP: {packet:02x?}");
        let said = &packet[usize::from(packet[0] & 15) * 4..];
        // A version 3 report (RFC 3376 §4.2); no board here names sources.
        let records = said.get(8..).filter(|_| said[0] == 0x22);
        let of_group = |record: &[u8]| record[4..8] == GROUP.octets() && record[0] == kind;
        if records.is_some_and(|records| records.chunks_exact(8).any(of_group)) {
            return;
        }
    }
}

/// "Who belongs to which groups?" (RFC 3376 §4.1), to be answered within a tenth of a second.
fn general_query(mac: [u8; 6], from: Ipv4Addr) -> Vec<u8> {
    let igmp = with_checksum(vec![0x11, 1, 0, 0, 0, 0, 0, 0, 2, 125, 0, 0], 2);
    let mut header = vec![0x46, 0xc0, 0, 36, 0, 0, 0x40, 0, 1, 2, 0, 0];
    header.extend(from.octets());
    header.extend(ALL_HOSTS.octets());
    // "Router alert" (RFC 2113).
    header.extend([0x94, 4, 0, 0]);
    let to = [1, 0, 0x5e, 0, 0, 1];
    [&to[..], &mac, &[8, 0], &with_checksum(header, 10), &igmp].concat()
}

/// Writes the checksum of the bytes to where it stands in them.
fn with_checksum(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    let sum = checksum(&bytes);
    bytes.splice(at..at + 2, sum.to_be_bytes());
    bytes
}

#[test]
fn a_board_joins_a_group_and_says_so_when_asked() {
    let Some(_turn) = ground::lab("lab_igmp", TOOLS) else {
        return;
    };
    let net = Net::new();
    let (host, board) = (net.host("station"), net.host("board"));
    host.address(&format!("{ADDRESS}/24"));
    board.address(&format!("{BOARD}/24"));
    let folder = Person::folder();
    let person = Person::in_folder(folder.path());
    let (far, near) = Channel::pair().expect("a channel");
    let channel = Channel::over(near).expect("a channel");
    let _helper = Running::start(person.helper(&host, far));
    let hear = || {
        channel
            .receive::<Reply>()
            .expect("a reply")
            .expect("a helper")
    };
    let Some(Reply::Ready { rights: true, .. }) = hear().message else {
        panic!("a helper without rights");
    };
    let address: Ipv4Addr = ADDRESS.parse().expect("an address");
    let wish = Request::Use {
        nic: "eth1".to_owned(),
        address,
        prefix: 24,
        force_default_route: false,
    };
    channel.send(&wish, None).expect("asked");
    assert_eq!(hear().message, Some(Reply::Done));
    channel
        .send(&Request::Open { what: What::Igmp }, None)
        .expect("asked");
    let opened = hear();
    let Some(Reply::Opened { mac }) = opened.message else {
        panic!("{:?}", opened.message);
    };
    let wire = opened.socket.expect("a socket beside the reply");
    set_socket_timeout(&wire, Timeout::Recv, Some(Duration::from_secs(20))).expect("a limit");

    let member = board.on(|| {
        let member = UdpSocket::bind((BOARD, 0)).expect("a socket");
        // Not IGMP, to where IGMP is heard: what `until_report` must never see.
        for group in [ALL_HOSTS, Ipv4Addr::new(224, 0, 0, 22)] {
            member.send_to(b"noise", (group, 9)).expect("sent");
        }
        member.join_multicast_v4(&GROUP, &BOARD).expect("joined");
        member
    });
    until_report(&wire, JOINED);
    // In another's name it does not go out, so it is not what is answered.
    let foreign = general_query(mac, BOARD);
    send(&wire, &foreign, SendFlags::empty()).expect("taken");
    send(&wire, &general_query(mac, address), SendFlags::empty()).expect("taken");
    until_report(&wire, ANSWER);
    drop(member);
}
