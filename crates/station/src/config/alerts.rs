//! `[alerts]`: where what happens is told to people who do not look at the page.

use super::authority::Authority;
use super::meant::Meaning;
use super::written::{AlertsWritten, At, Place, Text};
use lettre::message::Mailbox;
use std::path::PathBuf;
use std::time::Duration;

/// The ways to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// By HTTP.
    pub webhook: Option<Webhook>,
    /// By e-mail.
    pub mail: Option<Mail>,
    /// Vouches for the receivers' certificates, beside the authorities that this machine knows.
    pub authority: Option<Authority>,
    /// What happens within this time becomes one message.
    pub gather: Duration,
}

/// An address that messages are posted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The address; often a secret itself.
    pub url: String,
    /// The file with the secret that messages are signed with.
    pub secret_file: Option<PathBuf>,
}

impl Webhook {
    /// The address without the part that only the receiver may know.
    pub fn shown(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("http", &self.url));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        format!("{scheme}://{host}")
    }
}

/// A server that takes e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its name.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// User, and the file with the password.
    pub login: Option<(String, PathBuf)>,
    /// Who it is from.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
}

/// How a connection to an SMTP server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    None,
    /// After a plain beginning (STARTTLS).
    StartTls,
    /// From the first byte.
    Tls,
}

impl Security {
    fn of(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::None),
            "starttls" => Some(Self::StartTls),
            "tls" => Some(Self::Tls),
            _ => None,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::StartTls => "starttls",
            Self::Tls => "tls",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::StartTls => 587,
            Self::Tls => 465,
        }
    }
}

/// What the section means.
pub(super) fn alerts(written: &AlertsWritten, read: &mut Meaning<'_>) -> Alerts {
    let seconds = read.number(&written.gather_seconds, "gather_seconds", 1..=3600, 15);
    let secret_file = read.path(&written.webhook_secret_file, "webhook_secret_file");
    let webhook = written.webhook.as_ref().and_then(|at| url(at, read));
    if let (None, Some(at)) = (&written.webhook, &written.webhook_secret_file) {
        read.wrong(
            at.place,
            "there is no webhook that this would sign".to_owned(),
        );
    }
    Alerts {
        webhook: webhook.map(|url| Webhook { url, secret_file }),
        mail: mail(written, read),
        authority: authority(written, read),
        gather: Duration::from_secs(seconds),
    }
}

fn authority(written: &AlertsWritten, read: &mut Meaning<'_>) -> Option<Authority> {
    let at = written.certificate_authority.as_ref()?;
    let file = read.path(&written.certificate_authority, "certificate_authority")?;
    let authority = Authority::of(file);
    authority
        .map_err(|why| read.wrong(at.place, format!("certificate_authority: {why}")))
        .ok()
}

fn url(at: &At<String>, read: &mut Meaning<'_>) -> Option<String> {
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| at.value.strip_prefix(scheme));
    if rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace)) {
        return Some(at.value.clone());
    }
    let text = "webhook wants an address that begins with https:// or http://".to_owned();
    read.wrong(at.place, text);
    None
}

fn mail(written: &AlertsWritten, read: &mut Meaning<'_>) -> Option<Mail> {
    let host = written.smtp_host.as_ref()?;
    let security = match &written.smtp_security {
        None => Security::StartTls,
        Some(at) => Security::of(&at.value).unwrap_or_else(|| {
            let text = format!(
                "smtp_security = {:?}; it may be starttls, tls or none",
                at.value
            );
            read.wrong(at.place, text);
            Security::StartTls
        }),
    };
    let port = read.port(&written.smtp_port, "smtp_port", security.port());
    let mut need = |value: &Text, key: &str| {
        if value.is_none() {
            let text = format!("e-mail is sent through {}, so {key} is needed", host.value);
            read.wrong(host.place, text);
        }
    };
    need(&written.mail_from, "mail_from");
    if written.mail_to.is_empty() {
        need(&None, "mail_to");
    }
    let login = match (&written.smtp_user, &written.smtp_password_file) {
        (None, None) => None,
        (Some(user), file @ Some(_)) => {
            let file = read.path(file, "smtp_password_file")?;
            Some((user.value.clone(), file))
        }
        (Some(one), None) | (None, Some(one)) => {
            let text = "smtp_user and smtp_password_file belong together".to_owned();
            read.wrong(one.place, text);
            None
        }
    };
    let from = written.mail_from.as_ref().map(|at| address(at, read));
    let to: Vec<String> = written.mail_to.iter().map(|at| address(at, read)).collect();
    Some(Mail {
        host: host.value.clone(),
        port,
        security,
        login,
        from: from.unwrap_or_default(),
        to,
    })
}

fn address(at: &At<String>, read: &mut Meaning<'_>) -> String {
    if let Err(why) = at.value.parse::<Mailbox>() {
        let place: Place = at.place;
        read.wrong(place, format!("{:?} is no e-mail address: {why}", at.value));
    }
    at.value.clone()
}
