//! By HTTP: the message as JSON in a POST. With a secret the body is signed, so that the receiver can
//! tell a station from anybody who knows the address:
//! `X-Punnet-Signature: sha256=<HMAC-SHA-256 of the body, in hex>`.

use super::{Message, handshake, secret};
use crate::config::{Authority, Webhook};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::sync::Arc;
use std::time::Duration;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The header with the signature.
const SIGNATURE: &str = "x-punnet-signature";
/// Longest time for the whole request.
const PATIENCE: Duration = Duration::from_secs(20);

/// Posts a message.
pub(super) fn send(
    webhook: &Webhook,
    authority: Option<&Authority>,
    message: &Message,
) -> Result<(), String> {
    let at = webhook.shown();
    let body = serde_json::to_vec(message).map_err(|e| e.to_string())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(trusted(authority)?)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let client: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        // A redirected POST would arrive as a GET, without the message.
        .max_redirects(0)
        .tls_config(tls)
        .build()
        .into();
    let mut request = client
        .post(&webhook.url)
        .header("content-type", "application/json")
        .header("user-agent", concat!("punnet/", env!("CARGO_PKG_VERSION")));
    if let Some(file) = &webhook.secret_file {
        request = request.header(SIGNATURE, signature(&secret::read(file)?, &body)?);
    }
    let answer = request.send(&body[..]).map_err(|e| in_words(&at, &e))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    Err(format!(
        "{at} answered {status}. Check that the address is the one that the receiver gave you"
    ))
}

/// Those whom this machine believes, and the owner's own authority.
fn trusted(authority: Option<&Authority>) -> Result<RootCerts, String> {
    let mut all = rustls_native_certs::load_native_certs().certs;
    if let Some(authority) = authority {
        all.extend(authority.certificates()?);
    }
    let all = all.iter().map(|der| Certificate::from_der(der).to_owned());
    Ok(RootCerts::from(all))
}

fn in_words(at: &str, error: &ureq::Error) -> String {
    let untrusted = match error {
        ureq::Error::Io(error) => handshake::in_words(at, error),
        ureq::Error::Rustls(error) => handshake::in_words(at, error),
        _ => None,
    };
    untrusted.unwrap_or_else(|| {
        format!("{at} cannot be reached: {error}. Check the address and the network")
    })
}

fn signature(secret: &str, body: &[u8]) -> Result<String, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|e| e.to_string())?;
    mac.update(body);
    Ok(format!(
        "sha256={}",
        hex::encode(mac.finalize().into_bytes())
    ))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_is_the_one_of_rfc_4231() {
        // Test case 2.
        let signed = super::signature("Jefe", b"what do ya want for nothing?").unwrap();
        let wanted = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(signed, wanted);
    }
}
