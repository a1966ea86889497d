//! An authority of the owner's own, which this machine's store does not have. A mail server in a hall
//! without internet often has its certificate from one, and not everybody may add to the store.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The file with the certificates of an authority, in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority(PathBuf);

impl Authority {
    /// The authority of this file, if it holds one.
    pub(super) fn of(file: PathBuf) -> Result<Self, String> {
        let authority = Self(file);
        authority.certificates()?;
        Ok(authority)
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.0
    }

    /// Its certificates, as they are in the file at this moment.
    pub fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let shown = self.0.display();
        let text = fs::read(&self.0).map_err(|why| format!("{shown} cannot be read: {why}"))?;
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let found = found.map_err(|why| format!("{shown} is no file in PEM form: {why}"))?;
        if found.is_empty() {
            return Err(format!("{shown} holds no certificate in PEM form"));
        }
        let mut store = RootCertStore::empty();
        for certificate in &found {
            store
                .add(certificate.clone())
                .map_err(|why| format!("{shown} holds a certificate that is none: {why}"))?;
        }
        Ok(found)
    }
}
