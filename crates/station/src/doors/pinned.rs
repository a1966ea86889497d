//! A certificate that is known by its fingerprint, met as a client: nobody has to vouch for it, and no
//! other one will do.

use super::certificate::fingerprint;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::{Arc, OnceLock};

/// What a client is set with that expects one certificate.
#[derive(Debug)]
pub struct Pinned {
    expected: String,
    shown: OnceLock<String>,
    provider: CryptoProvider,
}

impl Pinned {
    /// Expects the certificate with this SHA-256 fingerprint.
    pub fn new(expected: &str) -> Arc<Self> {
        Arc::new(Self {
            expected: expected.to_owned(),
            shown: OnceLock::new(),
            provider: ring::default_provider(),
        })
    }

    /// The settings of a client.
    pub fn client(self: &Arc<Self>) -> Result<ClientConfig, Error> {
        let provider = Arc::new(self.provider.clone());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let verifier = Arc::clone(self) as Arc<dyn ServerCertVerifier>;
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        Ok(builder.with_no_client_auth())
    }

    /// The fingerprint of another certificate that was shown instead.
    pub fn other(&self) -> Option<&str> {
        let shown = self.shown.get()?;
        (*shown != self.expected).then_some(shown)
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let shown = self.shown.get_or_init(|| fingerprint(end_entity));
        if *shown == self.expected {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::General("it is another certificate".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let known = &self.provider.signature_verification_algorithms;
        known.supported_schemes()
    }
}
