//! The TFTP datagrams that are not requests: DATA, ACK, ERROR and OACK.
//!
//! Parsing borrows from the datagram and copies nothing, so that it can sit on the path of every
//! block. Sources: RFC 1350 §5 (packets), RFC 2347 (OACK), RFC 2348, 2349 and 7440 (options).

/// Bytes in front of the data of a DATA packet.
pub(super) const HEADER: usize = 4;
/// The block size when none was negotiated (RFC 1350 §2).
pub(super) const DEFAULT_BLOCK: u16 = 512;
/// The largest block size there is (RFC 2348).
pub(super) const LARGEST_BLOCK: u16 = 65464;
/// The smallest block size there is (RFC 2348).
pub(super) const SMALLEST_BLOCK: u16 = 8;

pub(super) const READ_REQUEST: u16 = 1;
pub(super) const WRITE_REQUEST: u16 = 2;
const DATA: u16 = 3;
const ACK: u16 = 4;
const ERROR: u16 = 5;
const OPTIONS: u16 = 6;

/// Error codes of RFC 1350 §"Appendix" and RFC 2347 that are said or understood here.
pub(super) mod code {
    /// Not defined, see the message. Boards send it to end a probe ("Early terminate").
    pub(in super::super) const SEE_MESSAGE: u16 = 0;
    /// File not found.
    pub(in super::super) const NOT_FOUND: u16 = 1;
    /// Access violation.
    pub(in super::super) const ACCESS: u16 = 2;
    /// Illegal TFTP operation.
    pub(in super::super) const ILLEGAL: u16 = 4;
    /// Options refused (RFC 2347). UEFI firmware sends it to end a probe.
    pub(in super::super) const OPTIONS_REFUSED: u16 = 8;
}

/// How much of a peer's error message is kept.
const LONGEST_MESSAGE: usize = 120;

/// One datagram of a running transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    Data { block: u16, data: &'a [u8] },
    Ack(u16),
    Error { code: u16, message: &'a [u8] },
    Options(&'a [u8]),
}

impl<'a> Packet<'a> {
    /// Reads one datagram; `None` when it is nothing that belongs into a running transfer.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (kind, rest) = number(bytes)?;
        match kind {
            DATA => number(rest).map(|(block, data)| Self::Data { block, data }),
            ACK => number(rest).map(|(block, _)| Self::Ack(block)),
            ERROR => number(rest).map(|(code, message)| Self::Error { code, message }),
            OPTIONS => Some(Self::Options(rest)),
            _ => None,
        }
    }
}

/// Takes a big-endian 16-bit number off the front.
pub(super) fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    Some((u16::from_be_bytes(*head), rest))
}

/// The four bytes in front of a block's data.
pub(super) fn data_header(block: u16) -> [u8; HEADER] {
    header(DATA, block)
}

/// A whole ACK packet.
pub(super) fn ack(block: u16) -> [u8; 4] {
    header(ACK, block)
}

/// A whole ERROR packet.
pub(super) fn error(code: u16, message: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + message.len() + 1);
    bytes.extend(header(ERROR, code));
    bytes.extend(message.bytes().filter(|b| *b != 0));
    bytes.push(0);
    bytes
}

/// A whole OACK packet that grants these options.
pub(super) fn options<'a>(granted: impl IntoIterator<Item = (&'a str, u64)>) -> Vec<u8> {
    let mut bytes = OPTIONS.to_be_bytes().to_vec();
    for (name, value) in granted {
        push_option(&mut bytes, name, value);
    }
    bytes
}

/// Appends one option, as it stands in a request as well as in an OACK.
pub(super) fn push_option(bytes: &mut Vec<u8>, name: &str, value: u64) {
    bytes.extend(name.as_bytes());
    bytes.push(0);
    bytes.extend(value.to_string().as_bytes());
    bytes.push(0);
}

/// A peer's error message as text for people: bounded, no control characters.
pub(super) fn message_text(message: &[u8]) -> String {
    printable(message.split(|b| *b == 0).next().unwrap_or_default())
}

/// Any bytes of the wire as text for people: bounded, no control characters.
pub(super) fn printable(bytes: &[u8]) -> String {
    let bounded = &bytes[..bytes.len().min(LONGEST_MESSAGE)];
    String::from_utf8_lossy(bounded)
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn header(kind: u16, second: u16) -> [u8; 4] {
    let [a, b] = kind.to_be_bytes();
    let [c, d] = second.to_be_bytes();
    [a, b, c, d]
}
