//! The secret that a change over HTTP must carry: made once, in a file only its owner can read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Name of the file in the data folder.
pub const FILE: &str = "operator.token";

/// The token. Comparing takes the same time wherever a guess first differs.
#[derive(Clone)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or made.
    #[error("the operator token {path} cannot be used: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The file can be read by others, or holds something else.
    #[error("{0} is readable by others or damaged; delete it and a new one will be made")]
    Unfit(PathBuf),
}

impl Token {
    /// Reads the token of a data folder, or makes it.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, TokenError> {
        let path = data_dir.join(FILE);
        let file_error = |why| TokenError::File {
            path: path.clone(),
            why,
        };
        match make(&path) {
            Ok(token) => return Ok(token),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(why) => return Err(file_error(why)),
        }
        let mode = fs::metadata(&path)
            .map_err(file_error)?
            .permissions()
            .mode();
        let text = fs::read_to_string(&path).map_err(file_error)?;
        let token = text.trim();
        let sound = token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit());
        if mode & 0o077 != 0 || !sound {
            return Err(TokenError::Unfit(path));
        }
        Ok(Self(token.to_owned()))
    }

    /// True when `guess` is the token.
    pub fn is(&self, guess: &str) -> bool {
        let (own, guess) = (self.0.as_bytes(), guess.as_bytes());
        let differs = own
            .iter()
            .zip(guess)
            .fold(0, |differs, (a, b)| differs | (a ^ b));
        own.len() == guess.len() && differs == 0
    }

    /// The token's text, for a client that runs as the same person.
    pub fn text(&self) -> &str {
        &self.0
    }
}

fn make(path: &Path) -> io::Result<Token> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    let text = hex::encode(secret);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_all()?;
    Ok(Token(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_kept_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = Token::load_or_create(dir.path()).unwrap();
        let again = Token::load_or_create(dir.path()).unwrap();
        assert!(first.is(again.text()));
        assert!(!first.is("") && !first.is(&first.text()[1..]) && !first.is(&"0".repeat(64)));
        let path = dir.path().join(FILE);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            Token::load_or_create(dir.path()),
            Err(TokenError::Unfit(_))
        ));
    }
}
