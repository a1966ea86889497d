//! The certificate of the door for operators: the owner's own files, or one that the station makes for
//! itself once and keeps.
//!
//! Nobody vouches for a certificate of the second kind. What a person can compare is its SHA-256
//! fingerprint, which the log, the page and `punnet check` say; so it stays the same until its files
//! are removed.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Names of the station's own files in the data folder.
pub const CERTIFICATE: &str = "management.crt";
const KEY: &str = "management.key";

/// Machines without a battery wake up in the past, so it counts from long ago.
const FROM: (i32, u8, u8) = (2020, 1, 1);
const UNTIL: (i32, u8, u8) = (2049, 12, 31);

/// A certificate with its key.
#[derive(Debug)]
pub struct Certificate {
    /// The certificate, and those of whoever vouches for it.
    pub chain: Vec<CertificateDer<'static>>,
    /// The secret key.
    pub key: PrivateKeyDer<'static>,
    /// SHA-256 of the certificate, as browsers show it.
    pub fingerprint: String,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read or written.
    #[error("{file} cannot be used: {why}")]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// A file holds something else.
    #[error("{file} holds no {what} in PEM form: {why}")]
    Pem {
        /// The file.
        file: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Why.
        why: rustls::pki_types::pem::Error,
    },
    /// Everybody can read the key.
    #[error("the key {0} is readable by every user of this machine; take that away with chmod o=")]
    Open(PathBuf),
    /// None could be made.
    #[error("no certificate could be made: {0}")]
    Make(rcgen::Error),
}

impl CertificateError {
    /// The file at fault.
    pub fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::File { file, .. } | Self::Pem { file, .. } | Self::Open(file) => Some(file),
            Self::Make(_) => None,
        }
    }

    /// Is it only that this process may not read the file?
    pub fn is_denied(&self) -> bool {
        let (Self::File { why, .. }
        | Self::Pem {
            why: rustls::pki_types::pem::Error::Io(why),
            ..
        }) = self
        else {
            return false;
        };
        why.kind() == io::ErrorKind::PermissionDenied
    }
}

/// Reads the owner's files.
pub fn load(certificate: &Path, key: &Path) -> Result<Certificate, CertificateError> {
    let mode = fs::metadata(key).map_err(|why| unusable(key, why))?;
    if mode.permissions().mode() & 0o007 != 0 {
        return Err(CertificateError::Open(key.to_owned()));
    }
    let pem = |file: &Path, what, why| CertificateError::Pem {
        file: file.to_owned(),
        what,
        why,
    };
    let chain = read(certificate).map_err(|why| pem(certificate, "certificate", why))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|why| pem(key, "key", why))?;
    let fingerprint = chain.first().map(fingerprint).unwrap_or_default();
    Ok(Certificate {
        chain,
        key: secret,
        fingerprint,
    })
}

/// Reads the station's own files, or makes them for these names and addresses.
pub fn load_or_make(folder: &Path, names: &[String]) -> Result<Certificate, CertificateError> {
    let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
    if !certificate.exists() || !key.exists() {
        make(&certificate, &key, names)?;
    }
    load(&certificate, &key)
}

/// The fingerprint of the certificate in a file, when there is one.
pub fn fingerprint_in(file: &Path) -> Option<String> {
    read(file).ok()?.first().map(fingerprint)
}

fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(file)?.collect::<Result<_, _>>()?;
    if chain.is_empty() {
        return Err(rustls::pki_types::pem::Error::NoItemsFound);
    }
    Ok(chain)
}

pub(super) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = Sha256::digest(certificate.as_ref());
    let pairs: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

fn make(certificate: &Path, key: &Path, names: &[String]) -> Result<(), CertificateError> {
    let pair = KeyPair::generate().map_err(CertificateError::Make)?;
    let mut params = CertificateParams::new(names).map_err(CertificateError::Make)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "Punnet station");
    params.distinguished_name = subject;
    params.not_before = date_time_ymd(FROM.0, FROM.1, FROM.2);
    params.not_after = date_time_ymd(UNTIL.0, UNTIL.1, UNTIL.2);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let signed = params.self_signed(&pair).map_err(CertificateError::Make)?;
    write(key, 0o600, &pair.serialize_pem())?;
    write(certificate, 0o644, &signed.pem())
}

fn write(file: &Path, mode: u32, text: &str) -> Result<(), CertificateError> {
    let write = || {
        match fs::remove_file(file) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut new = options.write(true).create_new(true).mode(mode).open(file)?;
        new.write_all(text.as_bytes())?;
        new.sync_all()
    };
    write().map_err(|why| unusable(file, why))
}

fn unusable(file: &Path, why: io::Error) -> CertificateError {
    CertificateError::File {
        file: file.to_owned(),
        why,
    }
}

/// Everything that a browser may call this machine: `localhost`, its name, its addresses.
pub fn own_names() -> Vec<String> {
    let mut names = vec!["localhost".to_owned()];
    names.extend(host_names());
    let addresses = nix::ifaddrs::getifaddrs().into_iter().flatten();
    for address in addresses.filter_map(|interface| interface.address) {
        if let Some(ip) = address.as_sockaddr_in() {
            names.push(ip.ip().to_string());
        } else if let Some(ip) = address.as_sockaddr_in6()
            // An address of the link means nothing without the name of a card.
            && !ip.ip().is_unicast_link_local()
        {
            names.push(ip.ip().to_string());
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The name of this machine, and the one it has on its link (mDNS).
pub fn host_names() -> Vec<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.map(|name| name.trim().to_ascii_lowercase());
    let sound = |name: &String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        !name.is_empty() && name.len() < 64 && name.chars().all(plain)
    };
    match name.filter(sound) {
        Some(name) => {
            let on_link = format!("{}.local", name.split('.').next().unwrap_or(&name));
            vec![name, on_link]
        }
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_its_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["localhost".to_owned(), "192.0.2.7".to_owned()];
        let first = load_or_make(folder.path(), &names).unwrap();
        let again = load_or_make(folder.path(), &[]).unwrap();
        assert_eq!(first.fingerprint, again.fingerprint);
        assert_eq!(first.fingerprint.len(), 32 * 3 - 1);
        let file = folder.path().join(CERTIFICATE);
        assert_eq!(fingerprint_in(&file), Some(first.fingerprint));
        let key = folder.path().join(KEY);
        let mode = fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = load_or_make(folder.path(), &names).unwrap_err().to_string();
        assert!(refused.contains("management.key"), "{refused}");
    }

    #[test]
    fn a_file_that_holds_something_else_is_named() {
        let folder = tempfile::tempdir().unwrap();
        load_or_make(folder.path(), &["localhost".to_owned()]).unwrap();
        let (key, other) = (folder.path().join(KEY), folder.path().join("other.crt"));
        fs::write(&other, "hello").unwrap();
        let refused = load(&other, &key).unwrap_err().to_string();
        assert!(
            refused.contains("other.crt holds no certificate"),
            "{refused}"
        );
        let missing = load(&folder.path().join("none.crt"), &key).unwrap_err();
        assert!(missing.to_string().contains("none.crt"));
    }

    #[test]
    fn the_machine_is_called_by_its_addresses_too() {
        let names = own_names();
        assert!(names.contains(&"localhost".to_owned()));
        assert!(names.contains(&"127.0.0.1".to_owned()), "{names:?}");
    }
}
