//! The only code of Punnet with rights, kept small enough to be read in one sitting.
//!
//! Serving boards needs four things that an ordinary process may not do: giving the NIC an address,
//! switching it on, opening UDP ports below 1024, and speaking ARP and IGMP. [`Hands`] does these, one
//! [`Request`] at a time, for one NIC, and only after [`nic::fit`] has said that the NIC may be
//! used; it undoes what it did when it is dropped. Sockets leave over a [`Channel`], a Unix socket
//! that carries one message with at most one open socket at a time.
//!
//! ```text
//! station ── Request ──▶ Channel ──▶ Hands ──▶ kernel
//!         ◀── Reply, open socket ──┘
//! ```
//!
//! The program `punnet-net` is that loop and nothing else. It ends, and undoes, when the other side
//! of its channel is gone, for whatever reason. A process that has the rights itself runs the same
//! loop in a thread ([`in_this_process`]).
//!
//! What was given is written down in the kernel, not in a file: an address carries the label
//! [`MARK`], a NIC that was switched on carries it as its alias, and a running [`Hands`] holds a
//! claim on its NIC that the kernel drops with the process. So a helper that was killed leaves
//! nothing that the next one could not tell from what a person set up, nobody without rights can
//! forge the labels, and a NIC that is pulled out takes them along. The claim alone is a name that any
//! process of this machine could take: it keeps two stations apart and protects from nobody.

mod channel;
mod claim;
mod hands;
mod kernel;
mod manager;
pub mod nic;
mod own;
mod passage;
mod relay;
mod sockets;
mod words;

pub use channel::{Channel, Received};
pub use hands::Hands;
pub use own::{greet, has_rights, in_this_process, serve_next};
pub use words::{Denied, Reason, Reply, Request, What};

/// The label of an address that is to be taken away, and the first word of the alias of a NIC that is
/// to be set back.
pub const MARK: &str = "punnet";

/// Where service managers put the helper's socket.
pub const SERVICE_SOCKET: &str = "/run/punnet/net.sock";
