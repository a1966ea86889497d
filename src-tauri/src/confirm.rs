//! A question before something that cannot be undone.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Is there a person to ask?
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Says what is about to happen and asks whether to go on. Anything but a clear yes is a no.
pub(crate) fn yes(what: &str) -> io::Result<bool> {
    let mut err = io::stderr().lock();
    write!(err, "{what} Go on? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        for yes in ["y\n", "YES\n", " yes "] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "yep\n", "yy\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
