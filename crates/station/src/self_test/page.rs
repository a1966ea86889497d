//! Looks at the operators' door as a browser does: over TLS where it is encrypted, and at the
//! certificate that it shows, which has to be the station's own.

use super::steps::{Outcome, wrong};
use crate::doors::pinned::Pinned;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(2);
/// What an answer begins with that is none of somebody else.
const FINE: &[u8] = b"HTTP/1.1 200 ";

/// The operators' door.
#[derive(Debug)]
pub struct Page {
    /// Where it listens.
    pub at: SocketAddr,
    /// The fingerprint of its certificate, when it is encrypted.
    pub fingerprint: Option<String>,
}

impl Page {
    /// Where this machine reaches it.
    fn reached(&self) -> SocketAddr {
        let loopback: IpAddr = match self.at.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        SocketAddr::new(loopback, self.at.port())
    }
}

pub(super) fn look(page: &Page) -> Outcome {
    let at = page.reached();
    let dead = |why: io::Error| {
        wrong(
            format!("The page at {at} does not answer: {why}."),
            "Look into the station's log, and whether a firewall of this machine drops it.",
        )
    };
    let Some(fingerprint) = &page.fingerprint else {
        return connect(at)
            .and_then(|stream| ask(stream, at))
            .map(|()| format!("The page answers at http://{at}."))
            .map_err(dead);
    };
    let pinned = Pinned::new(fingerprint);
    encrypted(&pinned, at).map_err(|why| match pinned.other() {
        Some(other) => wrong(
            format!("https://{at} shows another certificate, with the fingerprint {other}."),
            "Do not log in there. Find out what else answers at that address.",
        ),
        None => dead(why),
    })?;
    Ok(format!("https://{at} shows the station's own certificate."))
}

fn encrypted(pinned: &Arc<Pinned>, at: SocketAddr) -> io::Result<()> {
    let config = pinned.client().map_err(io::Error::other)?;
    let client = ClientConnection::new(Arc::new(config), at.ip().into());
    ask(
        StreamOwned::new(client.map_err(io::Error::other)?, connect(at)?),
        at,
    )
}

fn connect(at: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&at, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Asks for what everybody may know.
fn ask(mut stream: impl Read + Write, at: SocketAddr) -> io::Result<()> {
    let request =
        format!("GET /api/v1/session HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    // In one piece: whoever answers and closes before the last one would break it off.
    stream.write_all(request.as_bytes())?;
    let mut begun = [0; FINE.len()];
    stream.read_exact(&mut begun)?;
    if begun == FINE {
        return Ok(());
    }
    let begun = String::from_utf8_lossy(&begun).into_owned();
    Err(io::Error::other(format!("it says {begun:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doors::certificate::{Certificate, load_or_make};
    use rustls::crypto::ring;
    use rustls::{ServerConfig, ServerConnection};
    use std::net::TcpListener;

    fn certificate() -> Certificate {
        let folder = tempfile::tempdir().unwrap();
        load_or_make(folder.path(), &["localhost".to_owned()]).unwrap()
    }

    /// Answers the first who comes, with this certificate.
    fn answers(own: Certificate) -> SocketAddr {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(own.chain, own.key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let connection = ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            // A visitor who finds another certificate says no more.
            if stream.read(&mut [0; 1024]).is_ok() {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            }
        });
        at
    }

    #[test]
    fn only_the_stations_own_certificate_passes() {
        let own = certificate();
        let fingerprint = Some(own.fingerprint.clone());
        let page = |at: SocketAddr| Page {
            at,
            fingerprint: fingerprint.clone(),
        };
        let found = look(&page(answers(own))).unwrap();
        assert!(found.contains("own certificate"), "{found}");

        let other = certificate();
        let shown = other.fingerprint.clone();
        let (what, next) = look(&page(answers(other))).unwrap_err();
        assert!(what.contains(&shown), "{what}");
        assert!(next.starts_with("Do not log in"), "{next}");

        let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = nobody.local_addr().unwrap();
        drop(nobody);
        let (what, _) = look(&page(at)).unwrap_err();
        assert!(what.contains("does not answer"), "{what}");
    }

    #[test]
    fn a_door_that_listens_everywhere_is_met_on_this_machine() {
        for (at, reached) in [
            ("0.0.0.0:5000", "127.0.0.1:5000"),
            ("[::]:5000", "[::1]:5000"),
            ("192.0.2.7:5000", "192.0.2.7:5000"),
        ] {
            let page = Page {
                at: at.parse().unwrap(),
                fingerprint: None,
            };
            assert_eq!(page.reached().to_string(), reached);
        }
    }
}
