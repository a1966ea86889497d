//! Why a receiver was not spoken to although it was reached, in words: what its certificate lacks, and
//! what a person does about it.

use rustls::CertificateError as Why;
use std::error::Error;
use std::io;

/// The words, where the cause of an error is that TLS did not come about.
pub(super) fn in_words(at: &str, error: &(dyn Error + 'static)) -> Option<String> {
    match cause(error)? {
        rustls::Error::InvalidCertificate(why) => {
            Some(format!("{at} shows a certificate {}", of_certificate(why)))
        }
        rustls::Error::InvalidMessage(_) => Some(format!(
            "{at} does not answer with TLS. Check the port and how the receiver encrypts"
        )),
        _ => None,
    }
}

fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // What an I/O error wraps is not its source: its source is that of what it wraps.
        next = match error.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

fn of_certificate(why: &Why) -> String {
    match why {
        // A bad signature is an authority that goes by the name of one that is known.
        Why::UnknownIssuer | Why::BadSignature => {
            "that is not trusted: nobody whom this machine knows vouches for it. If the receiver \
             is yours, name the file of its authority as certificate_authority under [alerts], or \
             install the authority on this machine; else check the address"
                .to_owned()
        }
        Why::NotValidForName => {
            "for another name. Write the address as the certificate has it, or \
                                 have a certificate made for this address"
                .to_owned()
        }
        Why::NotValidForNameContext { presented, .. } => format!(
            "for another name ({}). Write the address as the certificate has it, or have a \
             certificate made for this address",
            presented
                .iter()
                .map(|name| plain(name))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        Why::Expired | Why::ExpiredContext { .. } => {
            "that has expired. Renew it there, and see whether this machine's clock is right"
                .to_owned()
        }
        Why::NotValidYet | Why::NotValidYetContext { .. } => {
            "that is not valid yet. See whether this machine's clock is right".to_owned()
        }
        other => format!("that is not trusted: {other}. Have a sound one put there"),
    }
}

/// `mail.example` of `DnsName("mail.example")`.
fn plain(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_end_matches(')').trim_matches('"')
}
