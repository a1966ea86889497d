//! DHCP for boards that boot from the network, and for the agent that then runs on them.
//!
//! A datagram is guarded and taken apart in [`packet`], its sender is recognised in [`identify`]
//! (before any byte is served: model, memory, revision, serial), [`server`] decides with the
//! address book in `pool` and says so as a [`DhcpEvent`], `reply` writes what Raspberry Pi
//! bootloaders and UEFI firmware need to read. [`serve`] is the socket around it, and [`news`] says which
//! clients the station has yet to hear of.
//!
//! [`client`] is the other side of the same conversation, spoken by the agent and, in the voice of
//! each bootloader, by virtual boards. [`probe`] looks for servers that are not ours.

pub mod client;
mod draft;
mod event;
pub mod identify;
mod limits;
pub mod news;
mod options;
pub mod packet;
mod pool;
pub mod probe;
mod reply;
pub mod serve;
pub mod server;
mod settings;
pub mod visitor;

pub use event::{DhcpEvent, Output};
pub use identify::{Client, PiIdentity};
pub use news::{News, Told};
pub use packet::{Ignored, Request};
pub use serve::{ServeError, serve, serve_watched};
pub use server::Server;
pub use settings::{ReplyTo, Settings, SettingsError};

/// Port of a DHCP server.
pub const SERVER_PORT: u16 = dhcproto::v4::SERVER_PORT;
/// Port of a DHCP client.
pub const CLIENT_PORT: u16 = dhcproto::v4::CLIENT_PORT;

#[cfg(test)]
mod tests;
