//! Writing a packet: a fixed header, options in a chosen order, zeros at the end.
//!
//! dhcproto writes the header and splits long options; the order of options is ours, because old
//! boot ROMs were only ever tried against servers that put the message type first. So is the
//! padding: some boot ROMs drop a packet below the 300 bytes of BOOTP, and early Pi 4 images
//! stumble over pad options *between* options, so zeros follow the end mark only.

use dhcproto::error::EncodeResult;
use dhcproto::v4::{
    Encodable, Encoder, Flags, MIN_PACKET_SIZE, Message, MessageType, Opcode, OptionCode,
    encode_long_opt_bytes,
};
use std::net::Ipv4Addr;
use wire::Mac;

/// A packet being written.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) direction: Opcode,
    pub(super) xid: u32,
    pub(super) flags: u16,
    pub(super) ciaddr: Ipv4Addr,
    pub(super) yiaddr: Ipv4Addr,
    pub(super) siaddr: Ipv4Addr,
    pub(super) giaddr: Ipv4Addr,
    pub(super) mac: Mac,
    pub(super) file: Option<String>,
    options: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    code: OptionCode,
    value: Vec<u8>,
    needed: bool,
}

impl Entry {
    /// Its length on the wire: two bytes of frame for each 255 of value.
    fn wire_len(&self) -> usize {
        self.value.len() + 2 * self.value.len().div_ceil(255)
    }
}

impl Draft {
    /// An empty packet of this type.
    pub(super) fn new(direction: Opcode, kind: MessageType, xid: u32, mac: Mac) -> Self {
        let none = Ipv4Addr::UNSPECIFIED;
        let mut draft = Self {
            direction,
            xid,
            flags: 0,
            ciaddr: none,
            yiaddr: none,
            siaddr: none,
            giaddr: none,
            mac,
            file: None,
            options: Vec::new(),
        };
        draft.push(OptionCode::MessageType, [u8::from(kind)]);
        draft
    }

    /// Adds an option that the receiver needs.
    pub(super) fn push(&mut self, code: OptionCode, value: impl Into<Vec<u8>>) {
        let (value, needed) = (value.into(), true);
        self.options.push(Entry {
            code,
            value,
            needed,
        });
    }

    /// Adds an option that is left out when there is no room for it.
    pub(super) fn push_if_room(&mut self, code: OptionCode, value: impl Into<Vec<u8>>) {
        let (value, needed) = (value.into(), false);
        self.options.push(Entry {
            code,
            value,
            needed,
        });
    }

    /// The packet's bytes, at most `limit` of them as long as the needed options alone allow it.
    pub(super) fn encode(mut self, limit: usize) -> EncodeResult<Vec<u8>> {
        const HEADER_AND_END: usize = 241;
        while HEADER_AND_END + self.options.iter().map(Entry::wire_len).sum::<usize>() > limit
            && let Some(last) = self.options.iter().rposition(|option| !option.needed)
        {
            self.options.remove(last);
        }
        let mut header = Message::new_with_id(
            self.xid,
            self.ciaddr,
            self.yiaddr,
            self.siaddr,
            self.giaddr,
            &self.mac.0,
        );
        header.set_opcode(self.direction);
        header.set_flags(Flags::from(self.flags));
        // The field keeps room for the zero that ends it; a longer name travels as option 67 only.
        if let Some(file) = self.file.as_deref().filter(|name| name.len() < 128) {
            header.set_fname(file.as_bytes());
        }
        let mut bytes = Vec::with_capacity(576);
        let mut encoder = Encoder::new(&mut bytes);
        header.encode(&mut encoder)?;
        for option in &self.options {
            encode_long_opt_bytes(option.code, &option.value, &mut encoder)?;
        }
        encoder.write_u8(OptionCode::End.into())?;
        bytes.resize(bytes.len().max(MIN_PACKET_SIZE), 0);
        Ok(bytes)
    }
}
