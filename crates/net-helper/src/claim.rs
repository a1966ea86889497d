//! Whose NIC it is: a name that the kernel gives to one process at a time.
//!
//! An abstract Unix address (unix(7)) belongs to a network namespace, like the NIC itself, and is
//! free again the moment its process is gone, however that came about.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::time::{Duration, Instant};

/// How long a predecessor may take to undo what it did.
const PREDECESSOR: Duration = Duration::from_secs(2);
/// Pause between two looks.
const GLANCE: Duration = Duration::from_millis(20);

/// A NIC that is ours for as long as this lives.
#[derive(Debug)]
pub(crate) struct Claim {
    _name: UnixListener,
}

/// Claims a NIC if nobody has it.
pub(crate) fn claim(nic: &str) -> io::Result<Claim> {
    let address = SocketAddr::from_abstract_name(format!("punnet-net/{nic}"))?;
    UnixListener::bind_addr(&address).map(|name| Claim { _name: name })
}

/// Claims a NIC, and waits a moment for one who is about to leave it.
pub(crate) fn claim_soon(nic: &str) -> io::Result<Claim> {
    let begun = Instant::now();
    loop {
        match claim(nic) {
            Err(why) if why.kind() == io::ErrorKind::AddrInUse => {
                if begun.elapsed() > PREDECESSOR {
                    return Err(why);
                }
                std::thread::sleep(GLANCE);
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_keeps_others_out_until_it_is_dropped() {
        let held = claim("no-such-nic0").unwrap();
        assert_eq!(
            claim("no-such-nic0").unwrap_err().kind(),
            io::ErrorKind::AddrInUse
        );
        claim("no-such-nic1").unwrap();
        drop(held);
        claim_soon("no-such-nic0").unwrap();
    }
}
