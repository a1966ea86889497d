//! `/etc/hostname` and the line for `127.0.1.1` in `/etc/hosts`.

use super::PersonaliseError;
use super::tree::Tree;
use wire::name::Hostname;

/// The address that Debian and its kin give the machine's own name (Debian Reference §5.1.1).
const OWN: &str = "127.0.1.1";

pub(super) fn plan(tree: &mut Tree<'_>, hostname: &Hostname) -> Result<(), PersonaliseError> {
    let line = format!("{hostname}\n").into_bytes();
    tree.write("/etc/hostname", line, 0o644)?;
    let old = tree.read("/etc/hosts")?;
    tree.write("/etc/hosts", hosts(old.as_deref(), hostname), 0o644)
}

/// The hosts file with the machine's own name in it; every other line is kept as it is.
fn hosts(old: Option<&[u8]>, hostname: &Hostname) -> Vec<u8> {
    let own = format!("{OWN}\t{hostname}").into_bytes();
    let Some(old) = old else {
        let text = format!("127.0.0.1\tlocalhost\n::1\tlocalhost\n{OWN}\t{hostname}\n");
        return text.into_bytes();
    };
    let old = old.strip_suffix(b"\n").unwrap_or(old);
    let mut lines: Vec<&[u8]> = old.split(|b| *b == b'\n').collect();
    if lines == [b""] {
        lines.clear();
    }
    if let Some(at) = lines.iter().position(|l| address(l) == OWN.as_bytes()) {
        lines[at] = &own;
        let mut index = 0;
        // A second line for the same address would keep the old name alive.
        lines.retain(|l| {
            index += 1;
            index - 1 <= at || address(l) != OWN.as_bytes()
        });
    } else {
        let local = lines.iter().position(|l| address(l) == b"127.0.0.1");
        lines.insert(local.map_or(0, |at| at + 1), &own);
    }
    let mut text = lines.join(&b'\n');
    text.push(b'\n');
    text
}

fn address(line: &[u8]) -> &[u8] {
    line.split(u8::is_ascii_whitespace)
        .find(|word| !word.is_empty())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(old: &str) -> String {
        let name = "KXP2-CORO-001".parse().unwrap();
        String::from_utf8(hosts(Some(old.as_bytes()), &name)).unwrap()
    }

    #[test]
    fn the_own_line_is_replaced_and_the_rest_kept() {
        assert_eq!(
            edited("127.0.0.1\tlocalhost\n# mine\n127.0.1.1\traspberrypi\n10.0.0.1 nas\n"),
            "127.0.0.1\tlocalhost\n# mine\n127.0.1.1\tKXP2-CORO-001\n10.0.0.1 nas\n"
        );
        assert_eq!(
            edited("127.0.1.1 a.local a\n127.0.1.1 a"),
            "127.0.1.1\tKXP2-CORO-001\n"
        );
    }

    #[test]
    fn a_missing_line_goes_below_localhost() {
        assert_eq!(
            edited("# head\n127.0.0.1 localhost\n::1 localhost\n"),
            "# head\n127.0.0.1 localhost\n127.0.1.1\tKXP2-CORO-001\n::1 localhost\n"
        );
        assert_eq!(edited(""), "127.0.1.1\tKXP2-CORO-001\n");
    }

    #[test]
    fn bytes_that_are_no_text_survive() {
        let name = "a".parse().unwrap();
        let out = hosts(Some(b"127.0.0.1 localhost \xff\n"), &name);
        assert_eq!(out, b"127.0.0.1 localhost \xff\n127.0.1.1\ta\n");
    }
}
