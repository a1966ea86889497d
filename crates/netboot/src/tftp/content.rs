//! The bytes of one file as they travel: as they are, or as netascii.
//!
//! Netascii (RFC 1350, RFC 764) is made while reading, not beforehand: a converted copy could be
//! twice the size of the file, once per request, and a stranger would decide how often.

use bytes::Bytes;

use super::request::Mode;

/// One pass over a file.
#[derive(Debug, Clone)]
pub(super) struct Content {
    bytes: Bytes,
    at: usize,
    mode: Mode,
    /// The second byte of a converted line end that did not fit any more.
    owed: Option<u8>,
}

impl Content {
    pub(super) fn new(bytes: Bytes, mode: Mode) -> Self {
        Self {
            bytes,
            at: 0,
            mode,
            owed: None,
        }
    }

    /// Bytes of the file itself, whatever the mode.
    pub(super) fn file_size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The most bytes that can travel.
    pub(super) fn most(&self) -> usize {
        match self.mode {
            Mode::Octet => self.bytes.len(),
            Mode::Netascii => self.bytes.len().saturating_mul(2),
        }
    }

    /// Whether everything was read.
    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len() && self.owed.is_none()
    }

    /// Fills `out` as far as there is anything left and says how far.
    pub(super) fn read(&mut self, out: &mut [u8]) -> usize {
        match self.mode {
            Mode::Octet => {
                let next = self.next_octets(out.len());
                out[..next.len()].copy_from_slice(&next);
                next.len()
            }
            Mode::Netascii => {
                let mut filled = 0;
                for (to, from) in out
                    .iter_mut()
                    .zip(std::iter::from_fn(|| self.next_netascii()))
                {
                    *to = from;
                    filled += 1;
                }
                filled
            }
        }
    }

    /// Reads on as [`Content::read`] does and says whether it would have given these very bytes.
    pub(super) fn matches(&mut self, got: &[u8]) -> bool {
        match self.mode {
            Mode::Octet => self.next_octets(got.len()) == got,
            Mode::Netascii => got.iter().all(|byte| self.next_netascii() == Some(*byte)),
        }
    }

    fn next_octets(&mut self, most: usize) -> Bytes {
        let end = self.bytes.len().min(self.at.saturating_add(most));
        let next = self.bytes.slice(self.at..end);
        self.at = end;
        next
    }

    fn next_netascii(&mut self) -> Option<u8> {
        if let Some(owed) = self.owed.take() {
            return Some(owed);
        }
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        match byte {
            b'\n' => {
                self.owed = Some(b'\n');
                Some(b'\r')
            }
            b'\r' => {
                self.owed = Some(0);
                Some(b'\r')
            }
            byte => Some(byte),
        }
    }
}
