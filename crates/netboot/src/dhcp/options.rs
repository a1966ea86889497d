//! The options of one packet, gathered by code.
//!
//! dhcproto's borrowed iterator walks the raw options and stops at the first broken one; nothing
//! here asks it to interpret a value, because its owned decoder drops every option after one it
//! dislikes. Pieces of one option are joined wherever they stand (RFC 3396), and the `file` and
//! `sname` fields are read as options where option 52 says so (RFC 2132 §9.3).

use dhcproto::v4::borrowed::{DhcpOptionIterator, Message};
use dhcproto::v4::{HType, OptionCode};
use std::net::Ipv4Addr;

/// Where `sname` and `file` lie in the fixed header.
const SNAME: std::ops::Range<usize> = 44..108;
const FILE: std::ops::Range<usize> = 108..236;

/// What the packet says, option by option, in the order of first appearance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options(Vec<(u8, Vec<u8>)>);

impl Options {
    /// Gathers the options of a packet whose fixed header was found sound.
    pub(super) fn gather(packet: &[u8]) -> Self {
        let mut all = Self::default();
        let Ok(message) = Message::new(packet) else {
            return all;
        };
        debug_assert_eq!(message.htype(), HType::Eth, "checked before");
        all.take(message.opts());
        // The order is that of RFC 3396 §5: options, then file, then sname.
        let overload = all.byte(OptionCode::OptionOverload).unwrap_or(0);
        for (bit, field) in [(1, FILE), (2, SNAME)] {
            if overload & bit != 0
                && let Some(bytes) = packet.get(field)
            {
                all.take(DhcpOptionIterator::new(bytes));
            }
        }
        all
    }

    fn take(&mut self, options: DhcpOptionIterator<'_>) {
        for option in options {
            let code = u8::from(option.code());
            match self.0.iter_mut().find(|(known, _)| *known == code) {
                Some((_, value)) => value.extend_from_slice(option.data()),
                None => self.0.push((code, option.data().to_vec())),
            }
        }
    }

    /// The raw value of an option.
    pub(super) fn raw(&self, code: OptionCode) -> Option<&[u8]> {
        let code = u8::from(code);
        let found = self.0.iter().find(|(known, _)| *known == code);
        found.map(|(_, value)| value.as_slice())
    }

    /// A value of exactly one byte.
    pub(super) fn byte(&self, code: OptionCode) -> Option<u8> {
        self.exactly(code).map(|[byte]| byte)
    }

    /// A value of exactly two bytes, as a number.
    pub(super) fn short(&self, code: OptionCode) -> Option<u16> {
        self.exactly(code).map(u16::from_be_bytes)
    }

    /// A value of exactly four bytes, as a number.
    pub(super) fn long(&self, code: OptionCode) -> Option<u32> {
        self.exactly(code).map(u32::from_be_bytes)
    }

    /// A value of exactly four bytes, as an address; `0.0.0.0` counts as absent.
    pub(super) fn address(&self, code: OptionCode) -> Option<Ipv4Addr> {
        let address = self.exactly::<4>(code).map(Ipv4Addr::from)?;
        (!address.is_unspecified()).then_some(address)
    }

    /// A value as text for people: at most 64 characters, anything unprintable replaced.
    pub(super) fn text(&self, code: OptionCode) -> Option<String> {
        let value = self.raw(code)?;
        let text = String::from_utf8_lossy(value);
        let shown = text.trim_end_matches('\0').chars().take(64);
        Some(
            shown
                .map(|c| if c.is_control() { '\u{fffd}' } else { c })
                .collect(),
        )
    }

    fn exactly<const N: usize>(&self, code: OptionCode) -> Option<[u8; N]> {
        self.raw(code)?.try_into().ok()
    }
}
