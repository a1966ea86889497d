//! Settings of the door for operators that are well written and do not fit this machine: what only a look
//! at its users and files can tell. Starting again mends none of them.

use crate::config::Management;
use crate::doors::certificate::{self, CertificateError};
use crate::doors::operator::peers::Peers;
use crate::doors::tls::Tls;
use std::io;
use std::sync::Arc;

/// A setting that does not fit.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {why}")]
pub struct Misfit {
    /// The setting, with its section.
    pub key: &'static str,
    /// What is wrong.
    pub why: String,
    /// True when whoever looked may not look: somebody else may find nothing wrong.
    pub unseen: bool,
}

/// All that do not fit.
pub fn misfits(management: &Management) -> Vec<Misfit> {
    let group = Peers::of_process(management.group.as_deref()).err();
    let group = group.map(|why| Misfit {
        key: "management.group",
        why,
        unseen: false,
    });
    group
        .into_iter()
        .chain(own_certificate(management))
        .collect()
}

fn own_certificate(management: &Management) -> Option<Misfit> {
    let (certificate, key) = management.certificate.as_ref()?;
    let loaded = match certificate::load(certificate, key) {
        Ok(loaded) => loaded,
        Err(why) => {
            let of_key = match &why {
                CertificateError::File { file, .. }
                | CertificateError::Pem { file, .. }
                | CertificateError::Open(file) => file == key,
                CertificateError::Make(_) => false,
            };
            return Some(Misfit {
                key: if of_key {
                    "management.key"
                } else {
                    "management.certificate"
                },
                unseen: may_not_look(&why),
                why: why.to_string(),
            });
        }
    };
    let unused = Tls::new(loaded, Arc::from([])).err()?;
    Some(Misfit {
        key: "management.certificate",
        why: format!("the certificate and its key cannot be used together: {unused}"),
        unseen: false,
    })
}

fn may_not_look(why: &CertificateError) -> bool {
    match why {
        CertificateError::File { why, .. } => why.kind() == io::ErrorKind::PermissionDenied,
        CertificateError::Pem { why, .. } => matches!(
            why,
            rustls::pki_types::pem::Error::Io(why) if why.kind() == io::ErrorKind::PermissionDenied
        ),
        CertificateError::Open(_) | CertificateError::Make(_) => false,
    }
}
