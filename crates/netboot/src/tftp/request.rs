//! Read requests, parsed strictly: the only bytes a stranger may send to the well-known port.
//!
//! A datagram comes in; out comes a [`Request`] whose path is clean, or a [`Rejected`] that says
//! what the sender is to be told. Nothing is ever met with silence that a firmware would have to
//! wait out, except datagrams that are no requests at all. Sources: RFC 1350 §4–5, RFC 2347 (the
//! request fits into 512 bytes, an option may stand once), RFC 2348, 2349, 7440.

use super::packet::{self, READ_REQUEST, WRITE_REQUEST, code, printable};

/// RFC 2347 allows 512 bytes; some firmware adds vendor options beyond that.
const LONGEST_REQUEST: usize = 1024;
const LONGEST_PATH: usize = 255;
/// More options than exist. The rest of a longer list is not looked at.
const MOST_OPTIONS: usize = 16;

/// A read request that may be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// Without a leading slash, without empty or `.` parts, without `..`, never empty.
    pub(super) path: String,
    pub(super) mode: Mode,
    pub(super) asked: Vec<Asked>,
}

/// How the bytes are to travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Octet,
    Netascii,
}

/// An option the client named with a value it may ask for, in the client's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Any number of at least 8; values above 65464 are for the server to lower.
    BlockSize(u64),
    /// Seconds.
    Timeout(u64),
    TransferSize,
    WindowSize(u64),
}

/// Why a datagram is no request to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rejected {
    /// Not a request. Answering could start an endless exchange of errors between two servers.
    NotARequest,
    /// To be answered with this error at once.
    Answer {
        code: u16,
        message: &'static str,
        /// The name as far as it could be read, for the record.
        shown: String,
    },
}

impl Request {
    /// Reads one datagram that arrived at the well-known port.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Rejected> {
        let (kind, rest) = packet::number(bytes).ok_or(Rejected::NotARequest)?;
        if kind != READ_REQUEST && kind != WRITE_REQUEST {
            return Err(Rejected::NotARequest);
        }
        let mut fields = Fields(rest);
        let name = fields.next().unwrap_or_default();
        let refuse = |code, message| Rejected::Answer {
            code,
            message,
            shown: printable(name),
        };

        if kind == WRITE_REQUEST {
            return Err(refuse(code::ACCESS, "this server only hands out files"));
        }
        if bytes.len() > LONGEST_REQUEST {
            return Err(refuse(code::ILLEGAL, "request is too long"));
        }
        let mode = fields
            .next()
            .ok_or_else(|| refuse(code::ILLEGAL, "request is cut short"))?;
        let mode = Mode::parse(mode)
            .ok_or_else(|| refuse(code::ILLEGAL, "unknown mode, use octet or netascii"))?;
        let path = clean(name).map_err(|(code, message)| refuse(code, message))?;
        Ok(Self {
            path,
            mode,
            asked: options(fields),
        })
    }
}

impl Mode {
    fn parse(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"octet") {
            Some(Self::Octet)
        } else if name.eq_ignore_ascii_case(b"netascii") {
            Some(Self::Netascii)
        } else {
            None
        }
    }
}

/// One spelling per file: boards ask for `d137e638//config.txt`, others for `/config.txt`.
fn clean(name: &[u8]) -> Result<String, (u16, &'static str)> {
    if name.len() > LONGEST_PATH {
        return Err((code::ACCESS, "file name is too long"));
    }
    // Every name served here is UTF-8, so this one cannot exist.
    let name = std::str::from_utf8(name).map_err(|_| (code::NOT_FOUND, "file not found"))?;
    if name.chars().any(char::is_control) {
        return Err((code::ACCESS, "file name holds control characters"));
    }
    let mut path = String::with_capacity(name.len());
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err((code::ACCESS, "file name leads out of the tree")),
            part => {
                if !path.is_empty() {
                    path.push('/');
                }
                path.push_str(part);
            }
        }
    }
    if path.is_empty() {
        return Err((code::ILLEGAL, "request names no file"));
    }
    Ok(path)
}

/// The options this server can grant. Others, repeated ones and impossible values are left out,
/// which by RFC 2347 tells the client that they are not granted.
fn options(fields: Fields<'_>) -> Vec<Asked> {
    let mut asked: Vec<Asked> = Vec::new();
    for (name, value) in pairs(fields).take(MOST_OPTIONS) {
        let Some(option) = decimal(value).and_then(|value| Asked::parse(name, value)) else {
            continue;
        };
        if !asked.iter().any(|a| a.name() == option.name()) {
            asked.push(option);
        }
    }
    asked
}

impl Asked {
    pub(super) const BLOCK_SIZE: &str = "blksize";
    pub(super) const TIMEOUT: &str = "timeout";
    pub(super) const TRANSFER_SIZE: &str = "tsize";
    pub(super) const WINDOW_SIZE: &str = "windowsize";

    fn parse(name: &[u8], value: u64) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is(Self::BLOCK_SIZE) {
            (value >= u64::from(packet::SMALLEST_BLOCK)).then_some(Self::BlockSize(value))
        } else if is(Self::TIMEOUT) {
            (1..=255).contains(&value).then_some(Self::Timeout(value))
        } else if is(Self::TRANSFER_SIZE) {
            Some(Self::TransferSize)
        } else if is(Self::WINDOW_SIZE) {
            (value >= 1).then_some(Self::WindowSize(value))
        } else {
            None
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::BlockSize(_) => Self::BLOCK_SIZE,
            Self::Timeout(_) => Self::TIMEOUT,
            Self::TransferSize => Self::TRANSFER_SIZE,
            Self::WindowSize(_) => Self::WINDOW_SIZE,
        }
    }
}

/// Option names and values of a request or an OACK.
pub(super) fn pairs(fields: Fields<'_>) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut fields = fields;
    std::iter::from_fn(move || Some((fields.next()?, fields.next()?)))
}

/// A plain decimal number; a value too large for 64 bits counts as the largest.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 40 {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        Some(sum.saturating_mul(10).saturating_add(digit))
    })
}

/// The NUL-terminated strings of a request; an unterminated rest is not one.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|b| *b == 0)?;
        let field = &self.0[..end];
        self.0 = &self.0[end + 1..];
        Some(field)
    }
}
