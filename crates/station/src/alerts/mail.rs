//! By e-mail: a plain text over SMTP.

use super::{Message, handshake, secret};
use crate::config::{Authority, Mail, Security};
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{SmtpTransport, Transport as _};
use std::time::Duration;

/// Longest wait for a word of the server.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends a message.
pub(super) fn send(
    mail: &Mail,
    authority: Option<&Authority>,
    message: &Message,
) -> Result<(), String> {
    let at = format!("{} port {}", mail.host, mail.port);
    let letter = letter(mail, message)?;
    let tls = match mail.security {
        Security::None => Tls::None,
        Security::StartTls => Tls::Required(encryption(&at, mail, authority)?),
        Security::Tls => Tls::Wrapper(encryption(&at, mail, authority)?),
    };
    let mut server = SmtpTransport::builder_dangerous(&mail.host)
        .port(mail.port)
        .tls(tls)
        .hello_name(ClientId::Domain(message.station.clone()))
        .timeout(Some(PATIENCE));
    if let Some((user, file)) = &mail.login {
        server = server.credentials(Credentials::new(user.clone(), secret::read(file)?));
    }
    server
        .build()
        .send(&letter)
        .map(drop)
        .map_err(|e| in_words(&at, mail, &e))
}

/// Whom to believe: those whom this machine believes, and the owner's own authority.
fn encryption(
    at: &str,
    mail: &Mail,
    authority: Option<&Authority>,
) -> Result<TlsParameters, String> {
    let wrong = |e: smtp::Error| format!("no encryption to {at}: {e}");
    let mut parameters = TlsParameters::builder(mail.host.clone());
    for der in authority.map_or(Ok(Vec::new()), Authority::certificates)? {
        let certificate = Certificate::from_der(der.to_vec()).map_err(wrong)?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters.build().map_err(wrong)
}

fn in_words(at: &str, mail: &Mail, error: &smtp::Error) -> String {
    if let Some(words) = handshake::in_words(at, error) {
        return words;
    }
    // The library has no other sign for it, and gives up before anything is said.
    if mail.security == Security::StartTls
        && error.is_client()
        && error.to_string().contains("STARTTLS")
    {
        return format!(
            "{at} offers no encryption (STARTTLS), so neither the password nor the e-mail was sent. \
             Check the port, and set smtp_security to what the server speaks: tls, or none where \
             everybody on the way may read along"
        );
    }
    format!("{at} did not take the e-mail: {error}")
}

fn letter(mail: &Mail, message: &Message) -> Result<lettre::Message, String> {
    let mailbox = |text: &String| {
        let parsed = text.parse::<Mailbox>();
        parsed.map_err(|e| format!("{text:?} is no e-mail address: {e}"))
    };
    let mut letter = lettre::Message::builder()
        .from(mailbox(&mail.from)?)
        .subject(format!("[{}] {}", message.station, message.subject()))
        .header(ContentType::TEXT_PLAIN);
    for to in &mail.to {
        letter = letter.to(mailbox(to)?);
    }
    let text = format!(
        "{}\n\n-- \nPunnet on {}, {}\n",
        message.text, message.station, message.at
    );
    letter.body(text).map_err(|e| e.to_string())
}
