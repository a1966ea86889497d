//! Is there another DHCP server on the wire? Asked before serving, and again from time to time.
//!
//! Servers are picky about whom they answer, so the probe asks in several voices: as a plain
//! computer, as a Raspberry Pi bootloader and as UEFI firmware, each with a client id of its own.
//! Every OFFER that does not come from us names a rival. Nothing is ever requested, so a rival's
//! pool loses no address for longer than an offer lasts. A server that pings an address before it
//! offers it takes up to three seconds; give the probe four where that matters.
//!
//! The kernel plays broadcasts back to this machine, so our own server hears these DISCOVERs too.
//! They carry a mark, drawn once for each run of the program, by which it knows them. Another
//! station's mark is another: its probe is answered, so that two stations on one wire find each
//! other, but it is nobody's board and gets no lease.

use super::CLIENT_PORT;
use super::client::{Answer, Persona};
use super::draft::Draft;
use super::identify::ARCH_ARM64;
use super::packet::MAX_PACKET;
use crate::arp::{ArpSocket, Timing};
use crate::clock::{self, Clock};
use crate::socket::{self, OpenError};
use dhcproto::v4::{MessageType, Opcode, OptionCode};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::net::UdpSocket;
use uuid::Uuid;
use wire::revision::Revision;
use wire::{Mac, Millis};

/// Pauses before each round of questions.
const ROUNDS_MS: [i64; 3] = [0, 1_000, 1_500];
/// Most rivals named; a wire with more has other troubles.
const MOST_RIVALS: usize = 32;
/// User class (option 77) that marks our own probes, with the mark behind it.
const MARK: &[u8] = b"punnet-probe-";

/// Another DHCP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    /// Its address, by which it calls itself.
    pub server: Ipv4Addr,
    /// Its Ethernet address, when it could be found out.
    pub mac: Option<Mac>,
    /// The address it offered; absent for one that only says where to boot from.
    pub offered: Option<Ipv4Addr>,
}

/// Why there was no probe.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Port 68 could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The NIC is down, or the kernel refuses to broadcast.
    #[error(
        "cannot look for other DHCP servers: {0}; check that the NIC is up and the cable is in"
    )]
    Socket(#[source] io::Error),
}

/// The probe as a pure conversation. It is over at its last deadline.
#[derive(Debug)]
pub struct Probe {
    ours: Option<Ipv4Addr>,
    voices: Vec<Voice>,
    rounds: VecDeque<Millis>,
    end: Option<Millis>,
    output: VecDeque<Vec<u8>>,
    rivals: BTreeMap<Ipv4Addr, Rival>,
}

#[derive(Debug)]
struct Voice {
    mac: Mac,
    xid: u32,
    bytes: Vec<u8>,
}

impl Probe {
    /// Begins to ask. `nic` is the Ethernet address of the NIC, where it is known; `ours` the
    /// address of our own server, which does not count; `seed` decides the random numbers.
    pub fn new(
        nic: Option<Mac>,
        ours: Option<Ipv4Addr>,
        patience: Duration,
        seed: [u8; 16],
        now: Millis,
    ) -> Self {
        let end = now.plus(i64::try_from(patience.as_millis()).unwrap_or(i64::MAX));
        let rounds = ROUNDS_MS.iter().scan(now, |at, pause| {
            *at = at.plus(*pause);
            Some(*at)
        });
        let rounds = rounds.filter(|at| *at < end).collect();
        let voices = voices(nic, seed);
        let (end, output, rivals) = (Some(end), VecDeque::new(), BTreeMap::new());
        Self {
            ours,
            voices,
            rounds,
            end,
            output,
            rivals,
        }
    }

    /// The next message to broadcast, until there is none.
    pub fn poll(&mut self) -> Option<Vec<u8>> {
        self.output.pop_front()
    }

    /// When [`Probe::handle_timeout`] has something to do next; `None` when the probe is over.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.rounds.front().copied().or(self.end)
    }

    /// Asks the next round, or ends the probe.
    pub fn handle_timeout(&mut self, now: Millis) {
        while self.rounds.pop_front_if(|at| *at <= now).is_some() {
            self.output
                .extend(self.voices.iter().map(|voice| voice.bytes.clone()));
        }
        self.end = self.end.filter(|end| *end > now);
    }

    /// Takes one datagram from port 67.
    pub fn handle(&mut self, bytes: &[u8], from: SocketAddrV4) {
        let Ok(answer) = Answer::parse(bytes, *from.ip()) else {
            return;
        };
        let ours = self
            .voices
            .iter()
            .any(|voice| answer.is_to(voice.xid, voice.mac));
        let server = answer.server();
        if ours && Some(server) != self.ours && self.rivals.len() < MOST_RIVALS {
            let rival = Rival {
                server,
                mac: None,
                offered: answer.address(),
            };
            let known = self.rivals.entry(server).or_insert(rival);
            known.offered = known.offered.or(answer.address());
        }
    }

    /// The servers that answered so far, lowest address first.
    pub fn rivals(&self) -> Vec<Rival> {
        self.rivals.values().cloned().collect()
    }
}

/// Whose search for servers a packet is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// This run of the program.
    Ourselves,
    /// Another station, or another run of this one.
    AnotherStation,
}

/// Whose probe a packet with this user class is, if it is one.
pub(super) fn asker(user_class: &[u8]) -> Option<Asker> {
    let own = user_class.strip_prefix(MARK)? == own_mark();
    Some(if own {
        Asker::Ourselves
    } else {
        Asker::AnotherStation
    })
}

fn own_mark() -> &'static [u8; 8] {
    static OWN: OnceLock<[u8; 8]> = OnceLock::new();
    OWN.get_or_init(|| {
        getrandom::u64()
            .unwrap_or_else(|_| std::process::id().into())
            .to_be_bytes()
    })
}

fn voices(nic: Option<Mac>, seed: [u8; 16]) -> Vec<Voice> {
    let plain = Persona {
        vendor_class: None,
        wants: vec![1, 3, 6, 15, 28, 51],
        ..Persona::agent(None)
    };
    let [m0, m1, m2, m3, m4, x0, x1, x2, s0, s1, s2, s3, ..] = seed;
    // Locally administered addresses, numbers and a serial that nobody else uses.
    let invented = |voice: u8| Mac([2, m0, m1, m2, m3, m4 ^ voice]);
    let [pi, uefi] = [invented(1), invented(2)];
    let serial = u32::from_be_bytes([s0, s1, s2, s3]);
    let pi_4 = Revision(0x00d0_3114);
    [
        (nic.unwrap_or_else(|| invented(0)), plain),
        (pi, Persona::eeprom(pi_4, pi, serial, false)),
        (uefi, Persona::uefi(ARCH_ARM64, Uuid::from_bytes(seed))),
    ]
    .into_iter()
    .zip(0..)
    .filter_map(|((mac, persona), voice)| {
        let xid = u32::from_be_bytes([x0, x1, x2, voice]);
        let mut draft = Draft::new(Opcode::BootRequest, MessageType::Discover, xid, mac);
        draft.flags = 0x8000;
        persona.introduce(&mut draft);
        draft.push(OptionCode::ClientIdentifier, [&[1], &mac.0[..]].concat());
        draft.push(OptionCode::UserClass, [MARK, own_mark()].concat());
        let bytes = draft.encode(MAX_PACKET).ok()?;
        Some(Voice { mac, xid, bytes })
    })
    .collect()
}

/// Looks for other servers on a NIC; needs the rights to open port 68 (and, to name a rival's
/// Ethernet address, a packet socket).
pub async fn probe(
    device: &str,
    ours: Option<Ipv4Addr>,
    patience: Duration,
) -> Result<Vec<Rival>, ProbeError> {
    let everywhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT);
    let socket = socket::open_shared(Some(device), everywhere)?;
    let arp = ArpSocket::open(device).ok();
    probe_on(&socket, arp.as_ref(), ours, patience).await
}

/// Looks for other servers with sockets that somebody else opened: `socket` on port 68 of the NIC,
/// and, to name rivals by Ethernet address, a packet socket.
pub async fn probe_on(
    socket: &std::net::UdpSocket,
    arp: Option<&ArpSocket>,
    ours: Option<Ipv4Addr>,
    patience: Duration,
) -> Result<Vec<Rival>, ProbeError> {
    let socket = socket.try_clone().map_err(ProbeError::Socket)?;
    socket.set_nonblocking(true).map_err(ProbeError::Socket)?;
    let socket = UdpSocket::from_std(socket).map_err(ProbeError::Socket)?;
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(|why| ProbeError::Socket(io::Error::other(why)))?;
    let mut clock = Clock::new();
    let mut probe = Probe::new(arp.map(ArpSocket::mac), ours, patience, seed, clock.now());
    let everybody = SocketAddrV4::new(Ipv4Addr::BROADCAST, super::SERVER_PORT);
    let mut buffer = [0; MAX_PACKET + 1];
    while let Some(due) = probe.next_deadline() {
        probe.handle_timeout(clock.now());
        while let Some(bytes) = probe.poll() {
            socket
                .send_to(&bytes, everybody)
                .await
                .map_err(ProbeError::Socket)?;
        }
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                if let (length, SocketAddr::V4(from)) = received.map_err(ProbeError::Socket)? {
                    probe.handle(buffer.get(..length).unwrap_or_default(), from);
                }
            }
            () = tokio::time::sleep(clock::until(due, clock.now())) => {}
        }
    }
    let mut rivals = probe.rivals();
    if let Some(arp) = arp {
        for rival in &mut rivals {
            // Best effort: a rival is one with or without its Ethernet address.
            rival.mac = arp
                .probe(rival.server, Timing::default())
                .await
                .ok()
                .flatten();
        }
    }
    Ok(rivals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::{Client, Output, Request, Server, Settings};

    const OURS: Ipv4Addr = Ipv4Addr::new(192, 168, 151, 1);
    const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

    fn probe() -> Probe {
        Probe::new(
            None,
            Some(OURS),
            Duration::from_secs(4),
            *b"sixteen bytes of",
            Millis(0),
        )
    }

    fn asked(probe: &mut Probe) -> Vec<Vec<u8>> {
        probe.handle_timeout(Millis(0));
        std::iter::from_fn(|| probe.poll()).collect()
    }

    /// An OFFER as a home router sends it.
    fn offer(discover: &[u8], server: Ipv4Addr) -> Vec<u8> {
        let request = Request::parse(discover).expect("a sound DISCOVER");
        let mut draft = Draft::new(
            Opcode::BootReply,
            MessageType::Offer,
            request.xid(),
            request.mac(),
        );
        draft.yiaddr = Ipv4Addr::new(192, 168, 1, 77);
        draft.push(OptionCode::ServerIdentifier, server.octets());
        draft.encode(548).expect("encodes")
    }

    #[test]
    fn a_router_that_answers_any_voice_is_a_rival() {
        for voice in 0..3 {
            let mut probe = probe();
            let asked = asked(&mut probe);
            let from = SocketAddrV4::new(ROUTER, 67);
            probe.handle(&offer(&asked[voice], ROUTER), from);
            probe.handle(&offer(&asked[voice], OURS), SocketAddrV4::new(OURS, 67));
            let offered = Some(Ipv4Addr::new(192, 168, 1, 77));
            assert_eq!(
                probe.rivals(),
                [Rival {
                    server: ROUTER,
                    mac: None,
                    offered
                }]
            );
        }
    }

    #[test]
    fn offers_to_others_are_none_of_our_business() {
        let mut probe = probe();
        let mut discover = asked(&mut probe)[0].clone();
        discover[7] ^= 1;
        probe.handle(&offer(&discover, ROUTER), SocketAddrV4::new(ROUTER, 67));
        assert_eq!(probe.rivals(), []);
    }

    #[test]
    fn the_voices_are_a_computer_a_pi_and_uefi_and_ask_three_times() {
        let mut probe = probe();
        let first = asked(&mut probe);
        let who: Vec<_> = first
            .iter()
            .map(|bytes| Client::of(&Request::parse(bytes).expect("sound")))
            .collect();
        let [Client::Other, Client::Pi(_), Client::Uefi { .. }] = &who[..] else {
            panic!("{who:?}")
        };
        let mut sent = first.len();
        while let Some(due) = probe.next_deadline() {
            probe.handle_timeout(due);
            sent += std::iter::from_fn(|| probe.poll()).count();
        }
        assert_eq!(sent, 9);
    }

    #[test]
    fn our_own_server_is_deaf_to_our_own_probe_but_not_to_another_stations() {
        let mask = Ipv4Addr::new(255, 255, 255, 0);
        let pool = Ipv4Addr::new(192, 168, 151, 100)..=Ipv4Addr::new(192, 168, 151, 250);
        let mut server = Server::new(Settings::new(OURS, mask, pool), Vec::new());
        let from = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
        for bytes in asked(&mut probe()) {
            server.handle(&bytes, from, Millis(0));
            assert_eq!(server.poll(), None);
        }
        for mut foreign in asked(&mut probe()) {
            let mark = foreign
                .windows(8)
                .position(|w| w == own_mark())
                .expect("marked");
            foreign[mark] ^= 1;
            server.handle(&foreign, from, Millis(0));
            assert!(matches!(server.poll(), Some(Output::Send { .. })));
            assert_eq!(
                (server.poll(), server.leases().len()),
                (None, 0),
                "no board, no lease"
            );
        }
    }
}
