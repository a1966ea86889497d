//! What the boot servers say, in the bench's own words. The one place where their events become
//! ours.

use crate::engine::NewImage;
use netboot::dhcp::{self, DhcpEvent};
use netboot::tftp::{TftpEvent, What};
use std::net::{IpAddr, Ipv4Addr};
use wire::board::Mac;
use wire::health::Lease;
use wire::image::Image;
use wire::manifest::ChunkClass;
use wire::revision::Revision;
use wire::{BoardId, Millis};

/// Who a DHCP client says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// A Raspberry Pi bootloader that gives its serial number and revision.
    Pi {
        /// Low 32 bits of its serial number.
        board: BoardId,
        /// Its revision code.
        revision: Option<Revision>,
    },
    /// A Raspberry Pi boot ROM that gives neither.
    PiUnknown,
    /// A UEFI network boot client.
    Uefi {
        /// Its machine UUID.
        board: BoardId,
        /// Option 93.
        arch: u16,
    },
    /// Our agent.
    Agent {
        /// The board it runs on.
        board: Option<BoardId>,
    },
    /// Anything else whose address we know: an installed system, mostly.
    Other,
}

/// What became of a boot file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transfer {
    /// The first block is on its way; the file has this many bytes.
    Started {
        /// Size in bytes.
        size: u64,
    },
    /// So many bytes were acknowledged.
    Progress {
        /// Bytes.
        sent: u64,
    },
    /// All of it.
    Done {
        /// Bytes.
        bytes: u64,
    },
    /// The client only asked for the size, or stopped on purpose.
    Declined,
    /// There is no such file.
    NotFound,
    /// Broken off.
    Failed {
        /// Why.
        why: String,
    },
}

/// One thing that a boot server noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A client asks for an address.
    Discover {
        /// Its Ethernet address.
        mac: Mac,
        /// Who it says it is.
        client: Client,
        /// Option 60, for people.
        vendor_class: Option<String>,
    },
    /// An address was offered; some boot ROMs take it without another word.
    Offered {
        /// To whom.
        mac: Mac,
        /// Which.
        ip: Ipv4Addr,
    },
    /// An address was given.
    Leased {
        /// To whom, which, until when.
        lease: Lease,
        /// Who it says it is.
        client: Client,
    },
    /// No address was left.
    PoolFull {
        /// Who went without.
        mac: Mac,
    },
    /// A client that is none of ours; it was not answered.
    NotOurs {
        /// Its Ethernet address.
        mac: Mac,
        /// Option 60, for people.
        vendor_class: Option<String>,
    },
    /// Another DHCP server is on the wire.
    Rival {
        /// Its address.
        server: Ipv4Addr,
        /// Its Ethernet address.
        mac: Option<Mac>,
        /// How it was noticed.
        how: String,
    },
    /// A client gave its address back.
    Released {
        /// Who.
        mac: Mac,
        /// Which.
        ip: Ipv4Addr,
    },
    /// A client found its address in use by somebody else.
    Declined {
        /// Who.
        mac: Mac,
        /// Which.
        ip: Ipv4Addr,
    },
    /// A boot file was asked for.
    File {
        /// By whom.
        ip: Ipv4Addr,
        /// Which, as asked for.
        path: String,
        /// What became of it.
        transfer: Transfer,
    },
}

impl Input {
    /// May be dropped when the engine is behind: only the newest of its kind counts.
    pub fn is_droppable(&self) -> bool {
        matches!(
            self,
            Self::File {
                transfer: Transfer::Progress { .. },
                ..
            }
        )
    }
}

/// The board whose folder a boot file lies in (`d137e638/config.txt`), when it lies in one.
pub fn folder_of(path: &str) -> Option<BoardId> {
    let (folder, _) = path.trim_start_matches('/').split_once('/')?;
    folder.parse().ok()
}

impl From<dhcp::Client> for Client {
    fn from(client: dhcp::Client) -> Self {
        match client {
            dhcp::Client::Pi(pi) => Self::Pi {
                board: pi.board,
                revision: pi.revision,
            },
            dhcp::Client::PiUnknown => Self::PiUnknown,
            dhcp::Client::Uefi { arch, uuid } => Self::Uefi {
                board: BoardId::Uuid(uuid),
                arch,
            },
            dhcp::Client::Agent { board } => Self::Agent { board },
            dhcp::Client::Other => Self::Other,
        }
    }
}

impl From<DhcpEvent> for Input {
    fn from(event: DhcpEvent) -> Self {
        match event {
            DhcpEvent::Seen {
                mac,
                client,
                vendor_class,
                ..
            } => Self::Discover {
                mac,
                client: client.into(),
                vendor_class,
            },
            DhcpEvent::Offered { mac, ip } => Self::Offered { mac, ip },
            DhcpEvent::Leased { lease, client } => Self::Leased {
                lease,
                client: client.into(),
            },
            DhcpEvent::PoolFull { mac } => Self::PoolFull { mac },
            DhcpEvent::NotOurs { mac, vendor_class } => Self::NotOurs { mac, vendor_class },
            DhcpEvent::Rival { server, mac, how } => Self::Rival { server, mac, how },
            DhcpEvent::Released { mac, ip } => Self::Released { mac, ip },
            DhcpEvent::Declined { mac, ip } => Self::Declined { mac, ip },
        }
    }
}

impl Input {
    /// What the TFTP server noticed; nothing for clients that are not on IPv4.
    pub fn of_tftp(event: TftpEvent) -> Option<Self> {
        let IpAddr::V4(ip) = event.client.ip() else {
            return None;
        };
        let transfer = match event.what {
            What::Started { size } => Transfer::Started { size },
            What::Progress { sent } => Transfer::Progress { sent },
            What::Done { bytes, .. } => Transfer::Done { bytes },
            What::Declined => Transfer::Declined,
            What::NotFound => Transfer::NotFound,
            What::Failed { why } => Transfer::Failed { why },
        };
        Some(Self::File {
            ip,
            path: event.path,
            transfer,
        })
    }
}

/// The row of an image that was imported.
pub fn image(new: &NewImage, now: Millis) -> Image {
    let imported = &new.imported;
    let manifest = &imported.manifest;
    let data = |i: &usize| manifest.chunks[*i].class == ChunkClass::Data;
    let data_bytes = (0..manifest.chunks.len())
        .filter(data)
        .map(|i| manifest.len_of(i) as u64);
    Image {
        id: imported.id,
        product: new.product.clone(),
        file_name: imported.file_name.clone(),
        version: new.version.clone(),
        description: new.description.clone(),
        raw_bytes: manifest.raw_bytes,
        data_bytes: data_bytes.sum(),
        pack_bytes: imported.pack_bytes,
        sha256: imported.sha256.clone(),
        contents: imported.contents.clone(),
        active: false,
        imported: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_path_names_the_board() {
        let pi = BoardId::Pi(0xd137_e638);
        assert_eq!(folder_of("d137e638/config.txt"), Some(pi));
        assert_eq!(folder_of("/d137e638/overlays/x.dtbo"), Some(pi));
        for other in [
            "config.txt",
            "overlays/x.dtbo",
            "",
            "d137e638",
            "\u{fffd}/x",
        ] {
            assert_eq!(folder_of(other), None, "{other:?}");
        }
    }
}
