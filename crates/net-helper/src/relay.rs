//! Ethernet frames of one protocol for somebody who may not open a packet socket.
//!
//! A packet socket can be tied to another card, or to every protocol, by whoever holds it; so it is
//! never handed over. What is handed over is one end of a pair of sockets. A thread carries frames
//! between the other end and the card, those that a [`Passage`] lets through. It ends when either
//! side does.

use crate::channel::Channel;
use crate::passage::Passage;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use socket2::Socket;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// The longest frame that Ethernet carries without tags; what is cut off here is none.
const LONGEST: usize = 1514;

/// A packet socket on a card.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) socket: Socket,
    /// As long as this is open the card lets in what is sent to its groups.
    pub(crate) groups: Option<Socket>,
}

/// Carries frames between a card and the returned end.
pub(crate) fn begin(card: Card, passage: Passage) -> io::Result<OwnedFd> {
    let (far, near) = Channel::pair()?;
    card.socket.set_nonblocking(true)?;
    std::thread::Builder::new()
        .name("relay".to_owned())
        .spawn(move || {
            let Card { socket, groups } = card;
            while carry(&socket, &far, passage).is_ok() {}
            drop(groups);
        })?;
    Ok(near)
}

/// Waits for a frame on either side and carries it over. Fails at the end of either side.
fn carry(card: &Socket, station: &OwnedFd, passage: Passage) -> io::Result<()> {
    let mut ends = [
        PollFd::new(card, PollFlags::IN),
        PollFd::new(station, PollFlags::IN),
    ];
    match poll(&mut ends, None) {
        Err(rustix::io::Errno::INTR) => return Ok(()),
        waited => waited?,
    };
    let (from_card, from_station) = (ends[0].revents(), ends[1].revents());
    let mut frame = [0; LONGEST];
    if !from_card.is_empty() {
        let frame = take(card, &mut frame)?;
        // One that does not keep up misses a frame, as on any wire.
        if passage.enters(frame) {
            match send(station, frame, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Err(rustix::io::Errno::AGAIN) | Ok(_) => {}
                Err(why) => return Err(why.into()),
            }
        }
    }
    if !from_station.is_empty() {
        let frame = take(station, &mut frame)?;
        if passage.leaves(frame) {
            send(card, frame, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?;
        }
    }
    Ok(())
}

/// Takes a frame that is there.
fn take(from: impl AsFd, frame: &mut [u8; LONGEST]) -> io::Result<&[u8]> {
    match recv(from, &mut frame[..], RecvFlags::DONTWAIT)? {
        (0, _) => Err(io::ErrorKind::UnexpectedEof.into()),
        (length, _) => Ok(frame.get(..length).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passage::ARP;
    use socket2::{Domain, Type};
    use std::time::Duration;

    const OURS: [u8; 6] = [2, 0, 0, 0, 0, 1];

    fn frame(source: [u8; 6], kind: u16, mark: u8) -> Vec<u8> {
        let mut frame = vec![0xff; 6];
        frame.extend(source);
        frame.extend(kind.to_be_bytes());
        frame.extend([mark; 28]);
        frame
    }

    /// A wire that keeps frames apart, in place of a card; and the station's end.
    fn relay() -> (Socket, Socket) {
        let (card, wire) = Socket::pair(Domain::UNIX, Type::SEQPACKET, None).unwrap();
        let passage = Passage::Arp { mac: OURS };
        let card = Card {
            socket: card,
            groups: None,
        };
        let station = Socket::from(begin(card, passage).unwrap());
        for socket in [&wire, &station] {
            let soon = Some(Duration::from_secs(10));
            socket.set_read_timeout(soon).unwrap();
        }
        (wire, station)
    }

    fn heard(socket: &Socket) -> Vec<u8> {
        let mut buffer = [0; 200];
        let (length, _) = recv(socket, &mut buffer, RecvFlags::empty()).unwrap();
        buffer[..length].to_vec()
    }

    #[test]
    fn only_our_own_arp_gets_out_and_only_arp_gets_in() {
        let (wire, station) = relay();
        let others = [2, 0, 0, 0, 0, 9];
        station.send(&frame(others, ARP, 1)).unwrap();
        station.send(&frame(OURS, 0x0800, 2)).unwrap();
        station.send(b"short").unwrap();
        station.send(&frame(OURS, ARP, 3)).unwrap();
        assert_eq!(heard(&wire), frame(OURS, ARP, 3));
        wire.send(&frame(others, 0x0800, 4)).unwrap();
        wire.send(&frame(others, ARP, 5)).unwrap();
        assert_eq!(heard(&station), frame(others, ARP, 5));
    }

    #[test]
    fn either_end_ends_it() {
        let (wire, station) = relay();
        drop(station);
        assert_eq!(heard(&wire), b"");
        let (wire, station) = relay();
        drop(wire);
        assert_eq!(heard(&station), b"");
    }
}
