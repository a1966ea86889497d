//! The station's Ed25519 key, which signs manifests so that a board writes nothing else.
//!
//! The secret half lies in one file of the data folder, made once and readable by its owner alone.
//! The public half travels to the agent inside its initramfs ([`wire::agent::KEY_PATH`]).

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use wire::image::ImageId;
use wire::manifest::SignedManifest;

/// Why there is no key, or why a signature does not hold.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file cannot be read or made.
    #[error("the station key {path} cannot be {act}: {source}")]
    File {
        /// The key file.
        path: PathBuf,
        /// `read` or `made`.
        act: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The key file holds something else.
    #[error(
        "{0} does not hold a station key (64 hex digits); move it away and a new one will be made"
    )]
    NotAKey(PathBuf),
    /// The key file can be read by others.
    #[error("the station key {0} can be read by others; run: chmod 600 {0}")]
    Exposed(PathBuf),
    /// A public key that is none.
    #[error("the station's public key is damaged")]
    BadPublicKey,
    /// The manifest does not hash to its id.
    #[error("the manifest is not the one of image {0}")]
    WrongImage(ImageId),
    /// The signature is not the station's.
    #[error("the manifest of image {0} is not signed by this station")]
    BadSignature(ImageId),
}

/// Loads the station key from `path`, or makes it (mode 0600) when there is none yet.
pub fn load_or_create(path: &Path) -> Result<SigningKey, KeyError> {
    match File::open(path) {
        Ok(file) => load(path, file),
        Err(e) if e.kind() == io::ErrorKind::NotFound => create(path),
        Err(source) => Err(file_error(path, "read", source)),
    }
}

fn file_error(path: &Path, act: &'static str, source: io::Error) -> KeyError {
    KeyError::File {
        path: path.to_owned(),
        act,
        source,
    }
}

fn load(path: &Path, file: File) -> Result<SigningKey, KeyError> {
    let meta = file.metadata().map_err(|e| file_error(path, "read", e))?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Exposed(path.to_owned()));
    }
    let mut text = String::new();
    file.take(128)
        .read_to_string(&mut text)
        .map_err(|e| file_error(path, "read", e))?;
    let mut secret = [0; 32];
    hex::decode_to_slice(text.trim_end(), &mut secret)
        .map_err(|_| KeyError::NotAKey(path.to_owned()))?;
    Ok(SigningKey::from_bytes(&secret))
}

fn create(path: &Path) -> Result<SigningKey, KeyError> {
    let make = || -> io::Result<Option<SigningKey>> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let folder = path
            .parent()
            .filter(|p| !p.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        // A temporary file is mode 0600 from its first moment; the rename makes it whole or absent.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(file, "{}", hex::encode(secret))?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Ok(_) => {
                File::open(folder)?.sync_all()?;
                Ok(Some(SigningKey::from_bytes(&secret)))
            }
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(e) => Err(e.error),
        }
    };
    if let Some(key) = make().map_err(|e| file_error(path, "made", e))? {
        return Ok(key);
    }
    // Somebody else made it in the meantime: theirs counts.
    let file = File::open(path).map_err(|e| file_error(path, "read", e))?;
    load(path, file)
}

/// Signs the bytes of a manifest; without a key the signature is all zero.
pub fn sign(key: Option<&SigningKey>, manifest: Vec<u8>) -> SignedManifest {
    let id = ImageId(*blake3::hash(&manifest).as_bytes());
    let signature = key.map_or([0; 64], |k| k.sign(&manifest).to_bytes());
    SignedManifest {
        bytes: manifest,
        signature,
        id,
    }
}

/// Checks that a manifest hashes to its id and that the holder of `public` signed it.
pub fn verify(public: &[u8; 32], manifest: &SignedManifest) -> Result<(), KeyError> {
    if blake3::hash(&manifest.bytes) != manifest.id.0 {
        return Err(KeyError::WrongImage(manifest.id));
    }
    let public = VerifyingKey::from_bytes(public).map_err(|_| KeyError::BadPublicKey)?;
    public
        .verify_strict(&manifest.bytes, &Signature::from_bytes(&manifest.signature))
        .map_err(|_| KeyError::BadSignature(manifest.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("station.key");
        let first = load_or_create(&path).unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(load_or_create(&path).unwrap(), first);
    }

    #[test]
    fn an_exposed_or_foreign_file_is_refused_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("station.key");
        std::fs::write(&path, "hello").unwrap();
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&path, private).unwrap();
        assert!(matches!(load_or_create(&path), Err(KeyError::NotAKey(_))));
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&path, open).unwrap();
        let text = load_or_create(&path).unwrap_err().to_string();
        assert!(text.contains("chmod 600"), "{text}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello");
    }

    #[test]
    fn only_the_stations_signature_over_these_bytes_holds() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let signed = sign(Some(&key), b"{}".to_vec());
        verify(&public, &signed).unwrap();

        let stranger = SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes();
        let unsigned = sign(None, b"{}".to_vec());
        let mut changed = signed.clone();
        changed.bytes.push(b' ');
        assert!(matches!(
            verify(&stranger, &signed),
            Err(KeyError::BadSignature(_))
        ));
        assert!(matches!(
            verify(&public, &unsigned),
            Err(KeyError::BadSignature(_))
        ));
        assert!(matches!(
            verify(&public, &changed),
            Err(KeyError::WrongImage(_))
        ));
    }
}
