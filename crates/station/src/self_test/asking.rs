//! Asks as a board does: for an address, for boot files.

use netboot::dhcp::visitor::{KEY, Offer, Question};
use netboot::tftp::client::{Client, Outcome, Output, Want};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

/// A reply that is not there by then is asked for again.
const AGAIN: Duration = Duration::from_millis(700);
/// How often an address is asked for.
const TRIES: u32 = 3;
/// Longer than any datagram of the two servers.
const LONGEST: usize = 2048;

fn socket(own: Ipv4Addr) -> std::io::Result<UdpSocket> {
    UdpSocket::bind(SocketAddrV4::new(own, 0))
}

/// Asks the DHCP server for an offer, in the manner of a Raspberry Pi.
pub(super) fn offer(own: Ipv4Addr, server: SocketAddrV4, key: [u8; KEY]) -> std::io::Result<Offer> {
    let question = Question::new(key);
    let socket = socket(own)?;
    socket.set_read_timeout(Some(AGAIN))?;
    let mut buffer = [0; LONGEST];
    for _ in 0..TRIES {
        socket.send_to(question.bytes(), server)?;
        match socket.recv_from(&mut buffer) {
            Ok((length, SocketAddr::V4(from))) => {
                let bytes = buffer.get(..length).unwrap_or_default();
                if let Some(offer) = question.answer(bytes, from) {
                    return Ok(offer);
                }
            }
            Ok(_) => {}
            Err(why) if is_patience(why.kind()) => {}
            Err(why) => return Err(why),
        }
    }
    Err(ErrorKind::TimedOut.into())
}

fn is_patience(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Fetches a boot file, until `end` at most.
pub(super) fn file(
    own: Ipv4Addr,
    server: SocketAddrV4,
    path: &str,
    end: Instant,
) -> Result<Vec<u8>, String> {
    let socket = socket(own).map_err(|e| e.to_string())?;
    let mut client = Client::new(Want::file(path), SocketAddr::V4(server), Instant::now());
    let mut buffer = [0; LONGEST];
    while Instant::now() < end {
        client.handle_timeout(Instant::now());
        while let Some(output) = client.poll(Instant::now()) {
            match output {
                Output::Send { to, bytes } => {
                    socket.send_to(&bytes, to).map_err(|e| e.to_string())?;
                }
                Output::Ended(Outcome::File { bytes }) => return Ok(bytes),
                Output::Ended(other) => return Err(format!("{other:?}")),
            }
        }
        let due = client.next_deadline().unwrap_or(end).min(end);
        let wait = due.saturating_duration_since(Instant::now());
        let wait = wait.max(Duration::from_millis(1));
        socket
            .set_read_timeout(Some(wait))
            .map_err(|e| e.to_string())?;
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            client.handle(buffer.get(..length).unwrap_or_default(), from);
        }
    }
    Err("it did not arrive in time".to_owned())
}
