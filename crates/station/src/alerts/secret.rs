//! Secrets in files: read when they are needed, and only when nobody else may read them.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// The secret in a file, without the line end that an editor leaves.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let wrong = |why: std::io::Error| {
        let next = match why.kind() {
            ErrorKind::PermissionDenied => {
                ". It has to belong to the user that the station runs as, which is punnet for the \
                 service: `sudo chown punnet` mends that"
            }
            _ => "",
        };
        format!("the secret in {shown} cannot be read: {why}{next}")
    };
    let mut file = File::open(path).map_err(wrong)?;
    let mode = file.metadata().map_err(wrong)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(format!(
            "the secret in {shown} can be read by others (mode {:o}). Run `chmod 600 {shown}`",
            mode & 0o777
        ));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(wrong)?;
    let secret = text.trim_end_matches(['\r', '\n']).to_owned();
    if secret.is_empty() {
        return Err(format!("the secret in {shown} is empty"));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_secret_that_others_may_read_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "pass word\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = read(&path).unwrap_err();
        assert!(refused.contains("chmod 600"), "{refused}");
        assert!(!refused.contains("pass word"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(&path).unwrap(), "pass word");
        fs::write(&path, "\n").unwrap();
        assert!(read(&path).unwrap_err().contains("is empty"));
    }
}
