//! The secrets of scripts, one for administrators and one that only looks: each made once, in a file only
//! its owner can read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use wire::operator::Role;

/// Name of the file in the data folder whose holder is an administrator.
pub const OPERATOR: &str = "operator.token";
/// Name of the one whose holder may look.
pub const VIEWER: &str = "viewer.token";

/// The tokens of a station.
#[derive(Debug, Clone)]
pub struct Tokens {
    operator: Token,
    viewer: Token,
}

impl Tokens {
    /// Reads the tokens of a data folder, and makes those that are missing.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, TokenError> {
        Ok(Self {
            operator: Token::load_or_create(&data_dir.join(OPERATOR))?,
            viewer: Token::load_or_create(&data_dir.join(VIEWER))?,
        })
    }

    /// The name and the role of whoever shows this.
    pub fn holder(&self, guess: &str) -> Option<(&'static str, Role)> {
        if self.operator.is(guess) {
            return Some(("token", Role::Admin));
        }
        let looks = self.viewer.is(guess);
        looks.then_some(("viewer token", Role::Viewer))
    }
}

/// A token. Comparing takes the same time wherever a guess first differs.
#[derive(Clone)]
struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or made.
    #[error("the token {path} cannot be used: {why}")]
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
    /// Reads the token in a file, or makes it.
    fn load_or_create(path: &Path) -> Result<Self, TokenError> {
        let file_error = |why| TokenError::File {
            path: path.to_owned(),
            why,
        };
        match make(path) {
            Ok(token) => return Ok(token),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(why) => return Err(file_error(why)),
        }
        let mode = fs::metadata(path).map_err(file_error)?.permissions().mode();
        let text = fs::read_to_string(path).map_err(file_error)?;
        let token = text.trim();
        let sound = token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit());
        if mode & 0o077 != 0 || !sound {
            return Err(TokenError::Unfit(path.to_owned()));
        }
        Ok(Self(token.to_owned()))
    }

    /// True when `guess` is the token.
    fn is(&self, guess: &str) -> bool {
        let (own, guess) = (self.0.as_bytes(), guess.as_bytes());
        let differs = own
            .iter()
            .zip(guess)
            .fold(0, |differs, (a, b)| differs | (a ^ b));
        own.len() == guess.len() && differs == 0
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
    fn they_are_made_once_and_kept_private_and_each_says_what_its_holder_may() {
        let dir = tempfile::tempdir().unwrap();
        Tokens::load_or_create(dir.path()).unwrap();
        let again = Tokens::load_or_create(dir.path()).unwrap();
        for (file, role) in [(OPERATOR, Role::Admin), (VIEWER, Role::Viewer)] {
            let path = dir.path().join(file);
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
            let text = fs::read_to_string(&path).unwrap();
            let holder = again.holder(text.trim());
            assert_eq!(holder.map(|(_, role)| role), Some(role), "{file}");
            assert_eq!(again.holder(&text.trim()[1..]), None, "{file}");
        }
        for guess in ["", &"0".repeat(64)] {
            assert_eq!(again.holder(guess), None, "{guess}");
        }
        let readable = fs::Permissions::from_mode(0o644);
        fs::set_permissions(dir.path().join(VIEWER), readable).unwrap();
        let unfit = Tokens::load_or_create(dir.path());
        assert!(matches!(unfit, Err(TokenError::Unfit(path)) if path.ends_with(VIEWER)));
    }
}
