//! What may change about the door for operators while it stays open: the names that it is reached by, how
//! long logins last, and the certificate that it shows.
//!
//! The listener, the guard and whoever says where the page is look here each time, so that a reload
//! holds from the next connection on. A certificate that was renewed is such a change too, although no
//! setting says so.

use super::certificate::{self, Certificate, CertificateError};
use super::tls::Tls;
use crate::config::{Management, Sessions};
use std::path::Path;
use std::sync::Arc;

/// The terms of the door for operators.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Names that a browser may reach the station by, in lower case; addresses and localhost aside.
    pub names: Arc<[String]>,
    /// How long logins last.
    pub sessions: Sessions,
    /// What encrypts it, when something does.
    pub tls: Option<Tls>,
}

/// Why there are no such terms.
#[derive(Debug, thiserror::Error)]
pub enum TermsError {
    /// There is no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The certificate and its key do not do.
    #[error("the certificate of the door for operators cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

impl Terms {
    /// The terms that are configured. A certificate that the station makes for itself is kept in
    /// `folder`.
    pub fn of(management: &Management, folder: &Path) -> Result<Self, TermsError> {
        let mut names = management.names.clone();
        if management.tls {
            // Its own name counts only where a certificate proves that it is meant.
            names.extend(certificate::host_names());
        }
        let names: Arc<[String]> = names.into();
        let encrypt = || {
            Ok::<_, TermsError>(Tls::new(
                certificate(management, folder)?,
                Arc::clone(&names),
            )?)
        };
        Ok(Self {
            tls: management.tls.then(encrypt).transpose()?,
            names,
            sessions: management.sessions,
        })
    }

    /// The fingerprint of the certificate, when the door is encrypted.
    pub fn fingerprint(&self) -> Option<String> {
        self.tls.as_ref().map(|tls| tls.fingerprint().to_owned())
    }
}

fn certificate(management: &Management, folder: &Path) -> Result<Certificate, CertificateError> {
    if let Some((certificate, key)) = &management.certificate {
        return certificate::load(certificate, key);
    }
    let mut names = certificate::own_names();
    names.extend(management.names.iter().cloned());
    certificate::load_or_make(folder, &names)
}
