//! Whom the program believes over TLS, with the store of the machine that it runs on.

use super::{Place, text};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::sync::Arc;

/// A server on the loopback, and the certificate of the authority that vouches for it.
fn server() -> (Arc<ServerConfig>, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key);
    (Arc::new(config.unwrap()), authority.pem())
}

/// Answers one POST; false when nothing could be read.
fn answer(server: &Arc<ServerConfig>, stream: TcpStream) -> bool {
    let connection = ServerConnection::new(Arc::clone(server)).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut line = String::new();
    if stream.read_line(&mut line).is_err() || !line.starts_with("POST /hook ") {
        return false;
    }
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.get_mut().write_all(answer).unwrap();
    // Closed while the message is still under way, it would take the answer with it.
    while stream.read_line(&mut line).is_ok_and(|n| n > 0) {}
    true
}

#[test]
fn an_authority_that_the_machine_knows_needs_no_setting() {
    let place = Place::new();
    let (server, authority) = server();
    let store = place.path("store.pem");
    fs::write(&store, authority).unwrap();
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = receiver.local_addr().unwrap();
    let settings = fs::read_to_string(place.path("station.toml")).unwrap();
    let settings = format!("{settings}[alerts]\nwebhook = \"https://{at}/hook\"\n");
    fs::write(place.path("station.toml"), settings).unwrap();
    let came =
        std::thread::spawn(move || [(); 2].map(|()| answer(&server, receiver.accept().unwrap().0)));
    let test = |known: bool| -> Output {
        let mut command = place.punnet();
        command
            .env_remove("SSL_CERT_FILE")
            .env("SSL_CERT_DIR", "/none");
        if known {
            command.env("SSL_CERT_FILE", &store);
        }
        command.args(["alert", "test"]).output().unwrap()
    };
    let unknown = test(false);
    assert_eq!(unknown.status.code(), Some(1));
    let words = text(&unknown);
    assert!(words.contains("that is not trusted"), "{words}");
    let known = test(true);
    assert_eq!(known.status.code(), Some(0), "{}", text(&known));
    assert_eq!(came.join().unwrap(), [false, true]);
}
