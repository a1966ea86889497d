//! Alerts over TLS, to receivers on the loopback whose certificates come from an authority that the
//! test makes: who is trusted, who is not, and that nothing secret is said before that is known.

use crate::alerts::{GREETING, Letter, Post, answer, private_file, take_letter, written};
use crate::rig::PATIENCE;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sha2::Sha256;
use station::alerts::{Message, ways};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use tempfile::TempDir;

const PASSWORD: &str = "open sesame";
/// `AUTH PLAIN` with the user and the password above (RFC 4616): NUL, user, NUL, password, in base64.
const LOGIN: &str = "AUTH PLAIN AHB1bm5ldABvcGVuIHNlc2FtZQ==";

/// Somebody who vouches for servers.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    /// What a server of this name is set with.
    fn server(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.unwrap())
    }
}

/// A station's side of it: an authority that it is told to trust, and a folder for its secrets.
struct Bench {
    trusted: Authority,
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let trusted = Authority::new("Hall");
        fs::write(folder.path().join("authority.pem"), trusted.0.pem()).unwrap();
        Self { trusted, folder }
    }

    fn secret(&self, text: &str) -> PathBuf {
        private_file(self.folder.path(), "secret", text)
    }

    /// Sends a message over the one way of this section.
    fn send(&self, section: &str) -> Result<(), String> {
        let file = self.folder.path().join("authority.pem");
        let section = format!("certificate_authority = \"{}\"\n{section}", file.display());
        ways(&written(&section)).remove(0).send(&Message::test())
    }

    fn post(&self, port: u16) -> Result<(), String> {
        let secret = self.secret("between us");
        self.send(&format!(
            "webhook = \"https://127.0.0.1:{port}/hooks/s3cret\"\n\
             webhook_secret_file = \"{}\"\n",
            secret.display()
        ))
    }

    fn mail(&self, port: u16, security: &str) -> Result<(), String> {
        let password = self.secret(PASSWORD);
        self.send(&format!(
            "smtp_host = \"127.0.0.1\"\nsmtp_port = {port}\nsmtp_security = \"{security}\"\n\
             smtp_user = \"punnet\"\nsmtp_password_file = \"{}\"\n\
             mail_from = \"punnet@example.org\"\nmail_to = [\"tess@example.org\"]\n",
            password.display()
        ))
    }
}

type Secret = StreamOwned<ServerConnection, TcpStream>;

fn encrypted(server: &Arc<ServerConfig>, stream: TcpStream) -> Secret {
    StreamOwned::new(ServerConnection::new(Arc::clone(server)).unwrap(), stream)
}

/// Deals with the first who comes, in a thread; where, and what came of it.
fn serve<T: Send + 'static>(
    deal: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (u16, Receiver<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        tell.send(deal(stream))
    });
    (port, told)
}

/// A receiver of a POST; nothing came when no handshake was made.
fn receiver(server: Arc<ServerConfig>) -> (u16, Receiver<Option<Post>>) {
    serve(move |stream| {
        let mut stream = encrypted(&server, stream);
        let StreamOwned { conn, sock } = &mut stream;
        conn.complete_io(sock).ok()?;
        let (tell, told) = channel();
        answer(stream, 200, &tell)?;
        told.try_recv().ok()
    })
}

/// What a server of e-mail was told before and after the connection was encrypted.
#[derive(Debug, Default)]
struct Visit {
    clear: Vec<String>,
    secret: Letter,
}

/// A server that is encrypted after a plain beginning; without a certificate it offers nothing of it.
fn plain_at_first(server: Option<Arc<ServerConfig>>) -> (u16, Receiver<Visit>) {
    serve(move |stream| {
        let mut visit = Visit::default();
        let mut stream = BufReader::new(stream);
        stream.get_mut().write_all(GREETING).unwrap();
        let mut line = String::new();
        while stream.read_line(&mut line).is_ok_and(|n| n > 0) {
            let said = line.trim_end().to_owned();
            line.clear();
            let verb = said.split(' ').next().unwrap().to_owned();
            visit.clear.push(said);
            let reply: &[u8] = match (verb.as_str(), &server) {
                ("EHLO", Some(_)) => b"250-post.example\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n",
                ("EHLO", None) => b"250-post.example\r\n250 AUTH PLAIN\r\n",
                ("STARTTLS", Some(server)) => {
                    stream.get_mut().write_all(b"220 go on\r\n").unwrap();
                    assert!(stream.buffer().is_empty(), "it did not wait");
                    visit.secret = take_letter(encrypted(server, stream.into_inner()), b"");
                    return visit;
                }
                _ => b"250 fine\r\n",
            };
            if stream.get_mut().write_all(reply).is_err() {
                break;
            }
        }
        visit
    })
}

/// The letter came, from somebody who had logged in.
fn arrived(letter: &Letter) {
    let order = ["EHLO", LOGIN, "MAIL FROM:", "RCPT TO:", "DATA"];
    let mut said = letter.said.iter();
    for wanted in order {
        assert!(
            said.any(|line| line.starts_with(wanted)),
            "{wanted}: {letter:?}"
        );
    }
    assert!(letter.text.contains("Alerts of this station arrive here"));
}

#[test]
fn a_webhook_whose_authority_is_trusted_gets_a_signed_message() {
    let bench = Bench::new();
    let (port, posts) = receiver(bench.trusted.server("127.0.0.1"));
    bench.post(port).unwrap();
    let post = posts.recv_timeout(PATIENCE).unwrap().unwrap();
    assert_eq!(post.json()["test"], true);
    let mut mac = Hmac::<Sha256>::new_from_slice(b"between us").unwrap();
    mac.update(&post.body);
    let wanted = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(post.signature, Some(wanted));
}

#[test]
fn a_webhook_that_nobody_vouches_for_gets_nothing_and_a_person_is_told_what_to_do() {
    let bench = Bench::new();
    // The second only goes by the name of the one that is trusted.
    for authority in ["Street", "Hall"] {
        let (port, posts) = receiver(Authority::new(authority).server("127.0.0.1"));
        let refused = bench.post(port).unwrap_err();
        let wanted = format!("https://127.0.0.1:{port} shows a certificate that is not trusted");
        assert!(refused.starts_with(&wanted), "{refused}");
        assert!(refused.contains("certificate_authority"), "{refused}");
        assert!(!refused.contains("s3cret"), "{refused}");
        assert!(posts.recv_timeout(PATIENCE).unwrap().is_none());
    }
}

#[test]
fn a_webhook_of_another_name_gets_nothing_and_its_name_is_said() {
    let bench = Bench::new();
    let (port, posts) = receiver(bench.trusted.server("other.example"));
    let refused = bench.post(port).unwrap_err();
    assert!(
        refused.contains("for another name (other.example)"),
        "{refused}"
    );
    assert!(refused.contains("Write the address as"), "{refused}");
    assert!(posts.recv_timeout(PATIENCE).unwrap().is_none());
}

#[test]
fn an_address_that_speaks_no_tls_is_named_so() {
    let bench = Bench::new();
    let (port, _told) = serve(|mut stream| {
        stream.write_all(GREETING).unwrap();
        stream.read_to_end(&mut Vec::new())
    });
    let refused = bench.mail(port, "tls").unwrap_err();
    assert!(refused.contains("does not answer with TLS"), "{refused}");
}

#[test]
fn the_password_and_the_letter_wait_for_starttls() {
    let bench = Bench::new();
    let (port, visits) = plain_at_first(Some(bench.trusted.server("127.0.0.1")));
    bench.mail(port, "starttls").unwrap();
    let visit = visits.recv_timeout(PATIENCE).unwrap();
    let verbs: Vec<&str> = visit.clear.iter().map(|line| &line[..4]).collect();
    assert_eq!(verbs, ["EHLO", "STAR"], "{visit:?}");
    arrived(&visit.secret);
}

#[test]
fn without_starttls_nothing_is_said_that_others_could_read() {
    let bench = Bench::new();
    let (port, visits) = plain_at_first(None);
    let refused = bench.mail(port, "starttls").unwrap_err();
    assert!(
        refused.contains("offers no encryption (STARTTLS)"),
        "{refused}"
    );
    assert!(refused.contains("smtp_security"), "{refused}");
    let visit = visits.recv_timeout(PATIENCE).unwrap();
    let allowed = |line: &String| line.starts_with("EHLO ") || line == "QUIT";
    assert!(visit.clear.iter().all(allowed), "{visit:?}");
}

#[test]
fn a_mail_server_that_is_not_trusted_is_told_nothing() {
    let bench = Bench::new();
    let strangers = [
        (
            Authority::new("Street").server("127.0.0.1"),
            "that is not trusted",
        ),
        (bench.trusted.server("post.example"), "(post.example)"),
    ];
    for (server, wanted) in strangers {
        let (port, visits) = plain_at_first(Some(Arc::clone(&server)));
        let refused = bench.mail(port, "starttls").unwrap_err();
        assert!(refused.contains(wanted), "{refused}");
        let visit = visits.recv_timeout(PATIENCE).unwrap();
        assert_eq!(visit.clear.len(), 2, "{visit:?}");
        assert!(visit.secret.said.is_empty(), "{visit:?}");

        let (port, letters) =
            serve(move |stream| take_letter(encrypted(&server, stream), GREETING));
        let refused = bench.mail(port, "tls").unwrap_err();
        assert!(refused.contains(wanted), "{refused}");
        let letter = letters.recv_timeout(PATIENCE).unwrap();
        assert!(letter.said.is_empty(), "{letter:?}");
    }
}

#[test]
fn a_server_may_be_encrypted_from_the_first_byte() {
    let bench = Bench::new();
    let server = bench.trusted.server("127.0.0.1");
    let (port, letters) = serve(move |stream| take_letter(encrypted(&server, stream), GREETING));
    bench.mail(port, "tls").unwrap();
    arrived(&letters.recv_timeout(PATIENCE).unwrap());
}
