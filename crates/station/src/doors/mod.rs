//! The two doors: one for boards on the deployment NIC, one for operators on loopback and a Unix
//! socket. Two listeners, two routers, nothing shared but the engine: the deployment network is
//! hostile by nature, and a board has no business with the operator's verbs.
//!
//! [`listen`] is the accept loop under both, [`json`] reads and writes bodies, [`bytes`] serves packs
//! and images by ranges, [`sendfile`] spares them the way through this program, [`routes`] lists what
//! is served with what it needs, [`limits`] counts how often somebody asks, [`apart`] keeps boards from
//! the operators' door, `health` says whether the station is fit, [`tls`] encrypts with a
//! [`certificate`]. [`board`] and [`operator`] hold the routes.

pub mod apart;
pub mod board;
pub mod bytes;
pub mod certificate;
pub mod clock;
pub mod counted;
mod health;
pub mod json;
pub mod limits;
pub mod listen;
pub mod operator;
pub mod pinned;
pub mod routes;
pub mod sendfile;
pub mod terms;
pub mod tls;
