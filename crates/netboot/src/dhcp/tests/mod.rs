//! Tests of the whole conversation, by what a board or an operator would notice.

mod client;
mod golden;
mod hostile;
mod loopback;
mod properties;
mod server;
mod stickiness;

use super::{DhcpEvent, Output, Server, Settings};
use std::net::{Ipv4Addr, SocketAddrV4};
use wire::{Mac, Millis};

const SERVER: Ipv4Addr = Ipv4Addr::new(192, 168, 151, 1);
const MASK: Ipv4Addr = Ipv4Addr::new(255, 255, 255, 0);
const NOBODY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
const EVERYBODY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::BROADCAST, 68);

fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, 151, last)
}

fn mac(n: u16) -> Mac {
    let [high, low] = n.to_be_bytes();
    Mac([0x2c, 0xcf, 0x67, 0, high, low])
}

/// A station with addresses from .100 to this one.
fn settings(last: u8) -> Settings {
    Settings::new(SERVER, MASK, ip(100)..=ip(last))
}

fn station() -> Server {
    Server::new(settings(250), Vec::new())
}

/// Bytes from hex digits; blanks are for the reader.
fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("ASCII");
        u8::from_str_radix(pair, 16).expect("hex digits")
    };
    digits.chunks(2).map(byte).collect()
}

/// A packet put together by hand, field by field.
#[derive(Clone)]
struct Raw {
    op: u8,
    xid: u32,
    flags: u16,
    ciaddr: Ipv4Addr,
    yiaddr: Ipv4Addr,
    siaddr: Ipv4Addr,
    giaddr: Ipv4Addr,
    mac: Mac,
    sname: Vec<u8>,
    file: Vec<u8>,
    options: Vec<u8>,
}

impl Raw {
    fn request(xid: u32, mac: Mac, options: &str) -> Self {
        let none = Ipv4Addr::UNSPECIFIED;
        Self {
            op: 1,
            xid,
            flags: 0,
            ciaddr: none,
            yiaddr: none,
            siaddr: none,
            giaddr: none,
            mac,
            sname: Vec::new(),
            file: Vec::new(),
            options: hex(options),
        }
    }

    fn reply(xid: u32, mac: Mac, yiaddr: Ipv4Addr, options: &str) -> Self {
        Self {
            op: 2,
            yiaddr,
            siaddr: SERVER,
            ..Self::request(xid, mac, options)
        }
    }

    /// Adds one option.
    fn with(mut self, code: u8, value: impl AsRef<[u8]>) -> Self {
        let value = value.as_ref();
        self.options
            .extend([code, u8::try_from(value.len()).expect("short")]);
        self.options.extend(value);
        self
    }

    /// The bytes, ended, and padded to the 300 bytes of BOOTP.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.op, 1, 6, 0];
        bytes.extend(self.xid.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(self.flags.to_be_bytes());
        for address in [self.ciaddr, self.yiaddr, self.siaddr, self.giaddr] {
            bytes.extend(address.octets());
        }
        bytes.extend(self.mac.0);
        bytes.resize(44, 0);
        bytes.extend(&self.sname);
        bytes.resize(108, 0);
        bytes.extend(&self.file);
        bytes.resize(236, 0);
        bytes.extend([0x63, 0x82, 0x53, 0x63]);
        bytes.extend(&self.options);
        bytes.push(0xff);
        bytes.resize(bytes.len().max(300), 0);
        bytes
    }
}

/// The fourteen options that bootloaders from EEPROM ask for.
const WANTS_14: &str = "37 0e 01 03 2b 3c 42 43 80 81 82 83 84 85 86 87";
/// `PXEClient:Arch:00000:UNDI:002001`
const PI_CLASS: &str = "3c 20 505845436c69656e743a417263683a30303030303a554e44493a303032303031";

/// A DISCOVER of a Pi 5 with this serial number and this Ethernet address.
fn pi_5(xid: u32, mac: Mac, serial: u32) -> Raw {
    let mut id = hex("00 52506935 7041d000");
    id.extend(&mac.0[2..]);
    id.extend(serial.to_le_bytes());
    Raw::request(
        xid,
        mac,
        &format!("35 01 01 {WANTS_14} 5d 02 0000 5e 03 010201 {PI_CLASS}"),
    )
    .with(97, id)
}

/// A DISCOVER of a laptop.
fn laptop(xid: u32, mac: Mac) -> Raw {
    Raw::request(xid, mac, "35 01 01 37 04 01 03 06 0f").with(60, "MSFT 5.0")
}

/// A REQUEST as bootloaders send it: nothing but address, server and vendor class.
fn request(xid: u32, mac: Mac, address: Ipv4Addr, server: Ipv4Addr) -> Raw {
    Raw::request(xid, mac, &format!("35 01 03 {PI_CLASS}"))
        .with(50, address.octets())
        .with(54, server.octets())
}

/// What came of one datagram.
#[derive(Debug, Default)]
struct Outcome {
    sent: Vec<(SocketAddrV4, Vec<u8>)>,
    events: Vec<DhcpEvent>,
}

impl Outcome {
    fn of(server: &mut Server) -> Self {
        let mut outcome = Self::default();
        while let Some(output) = server.poll() {
            match output {
                Output::Send { to, bytes } => outcome.sent.push((to, bytes)),
                Output::Event(event) => outcome.events.push(event),
            }
        }
        outcome
    }

    /// The only packet sent.
    #[track_caller]
    fn only(&self) -> &[u8] {
        let [(_, bytes)] = &self.sent[..] else {
            panic!("one packet expected: {self:?}")
        };
        bytes
    }

    /// Message type and address of the only packet sent.
    #[track_caller]
    fn said(&self) -> (u8, Ipv4Addr) {
        let bytes = self.only();
        assert_eq!(&bytes[240..242], [53, 1], "the message type comes first");
        (
            bytes[242],
            Ipv4Addr::from([bytes[16], bytes[17], bytes[18], bytes[19]]),
        )
    }

    #[track_caller]
    fn assert_silent(&self) {
        assert!(self.sent.is_empty(), "{self:?}");
    }
}

fn hear(server: &mut Server, packet: &Raw, ms: i64) -> Outcome {
    server.handle(&packet.bytes(), NOBODY, Millis(ms));
    Outcome::of(server)
}

/// A whole exchange of a Pi 5; returns the address it was given.
#[track_caller]
fn exchange(server: &mut Server, mac: Mac, serial: u32, ms: i64) -> Ipv4Addr {
    let xid = serial ^ u32::try_from(ms & 0xffff_ffff).expect("masked");
    let (offer, address) = hear(server, &pi_5(xid, mac, serial), ms).said();
    let (ack, same) = hear(server, &request(xid, mac, address, SERVER), ms).said();
    assert_eq!((offer, ack, same), (2, 5, address));
    address
}
