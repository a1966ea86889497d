//! By e-mail: a plain text over SMTP.

use super::{Message, secret};
use crate::config::{Mail, Security};
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{SmtpTransport, Transport as _};
use std::time::Duration;

/// Longest wait for a word of the server.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends a message.
pub(super) fn send(mail: &Mail, message: &Message) -> Result<(), String> {
    let at = format!("{} port {}", mail.host, mail.port);
    let letter = letter(mail, message)?;
    let encrypted = || {
        let parameters = TlsParameters::new(mail.host.clone());
        parameters.map_err(|e| format!("no encryption to {at}: {e}"))
    };
    let tls = match mail.security {
        Security::None => Tls::None,
        Security::StartTls => Tls::Required(encrypted()?),
        Security::Tls => Tls::Wrapper(encrypted()?),
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
        .map_err(|e| format!("{at} did not take the e-mail: {e}"))
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
