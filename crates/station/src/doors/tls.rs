//! TLS in front of the door for operators.
//!
//! A connection has to finish its handshake in time and counts like any other meanwhile. What begins
//! without TLS is a browser whose person typed no `https://`: it is sent on, and nothing else is
//! answered there.

use super::certificate::Certificate;
use super::operator::guard::is_own;
use super::routes::refused;
use axum::Router;
use axum::body::Body;
use axum::http::header::{CONNECTION, HOST, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use rustls::ServerConfig;
use rustls::crypto::ring;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use wire::Refusal;
use wire::refusal::Code;

/// Time for a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The first byte of TLS: a record of the handshake (RFC 8446 §5.1).
const RECORD: u8 = 22;

/// What TLS takes.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    fingerprint: Arc<str>,
    names: Arc<[String]>,
}

/// A connection whose beginning was seen.
pub enum Opened {
    /// It speaks TLS.
    Secret(Box<TlsStream<TcpStream>>),
    /// It does not.
    Plain(TcpStream),
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.fingerprint).finish()
    }
}

impl Tls {
    /// TLS with this certificate, for a machine of these names.
    pub fn new(certificate: Certificate, names: Arc<[String]>) -> Result<Self, rustls::Error> {
        let fingerprint = certificate.fingerprint.into();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificate.chain, certificate.key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            fingerprint,
            names,
        })
    }

    /// The SHA-256 fingerprint of the certificate, as browsers show it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Shakes hands. Nothing for whoever does not in time, or not properly.
    pub async fn open(&self, stream: TcpStream, stop: &CancellationToken) -> Option<Opened> {
        let opening = async {
            let mut first = [0];
            if stream.peek(&mut first).await? != 0 && first[0] != RECORD {
                return Ok(Opened::Plain(stream));
            }
            let stream = self.acceptor.accept(stream).await?;
            Ok::<_, std::io::Error>(Opened::Secret(Box::new(stream)))
        };
        let opened = tokio::time::timeout(HANDSHAKE, stop.run_until_cancelled(opening)).await;
        match opened {
            Ok(Some(Ok(opened))) => Some(opened),
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, "a handshake failed");
                None
            }
            Ok(None) | Err(_) => None,
        }
    }

    /// The only thing that is said without TLS: come with it.
    pub fn sends_on(&self) -> Router {
        let names = Arc::clone(&self.names);
        Router::new().fallback(
            move |method: Method, uri: Uri, headers: HeaderMap| async move {
                let mut response = onward(&method, &uri, &headers, &names);
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
                response
            },
        )
    }
}

fn onward(method: &Method, uri: &Uri, headers: &HeaderMap, names: &[String]) -> Response<Body> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let reads = [Method::GET, Method::HEAD].contains(method);
    let target = host
        .filter(|host| reads && is_own(host, names))
        .and_then(|host| {
            let path = uri.path_and_query().map_or("/", |path| path.as_str());
            HeaderValue::from_str(&format!("https://{host}{path}")).ok()
        });
    let Some(target) = target else {
        let text = "This address speaks HTTPS alone.";
        return refused(Refusal::new(Code::Forbidden, text).next("Write https:// before it."));
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response.headers_mut().insert(LOCATION, target);
    response
}
