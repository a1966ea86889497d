//! The parts of `config.txt` that say which files the bootloader takes.
//!
//! A line applies under the filters above it: a model filter such as `[pi5]` replaces the one before
//! it, any other filter is not known to hold here, and `[all]` ends both.

use bytes::Bytes;
use std::collections::BTreeMap;
use wire::revision::Family;

type Files = BTreeMap<String, Bytes>;

/// The value of `key` for boards of `family`: the last line that applies counts.
pub(super) fn setting(files: &Files, family: Family, key: &str) -> Option<String> {
    let text = String::from_utf8_lossy(files.get("config.txt")?);
    let (mut for_model, mut known) = (true, true);
    let mut value = None;
    for line in text.lines().map(str::trim) {
        let filter = line.strip_prefix('[').and_then(|l| l.split_once(']'));
        if let Some((filter, _)) = filter {
            match filter.trim().to_ascii_lowercase().as_str() {
                "all" => (for_model, known) = (true, true),
                "none" => for_model = false,
                model if is_model(model) => for_model = holds(model, family),
                _ => known = false,
            }
        } else if for_model && known {
            let pair = line.split_once('=').filter(|(k, _)| k.trim() == key);
            if let Some((_, v)) = pair {
                value = Some(v.trim().to_owned()).filter(|v| !v.is_empty());
            }
        }
    }
    value
}

/// The path of a file that `config.txt` or the bootloader names: under `os_prefix` where that is
/// set and has it, at the top otherwise. `None` when neither exists.
pub(super) fn resolve(files: &Files, family: Family, name: &str) -> Option<String> {
    let prefix = setting(files, family, "os_prefix").unwrap_or_default();
    let places = [format!("{prefix}{name}"), name.to_owned()];
    places.into_iter().find(|p| files.contains_key(p))
}

fn is_model(filter: &str) -> bool {
    ["pi", "cm"].iter().any(|p| {
        let rest = filter.strip_prefix(p);
        rest.is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// True for a filter that holds on every board of the family.
fn holds(model: &str, family: Family) -> bool {
    match family {
        Family::Pi3 => model == "pi3",
        Family::Pi4 => model == "pi4",
        Family::Pi5 => model == "pi5",
        Family::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(config: &str) -> Files {
        let config = Bytes::from(config.to_owned());
        Files::from([("config.txt".to_owned(), config)])
    }

    #[test]
    fn filters_decide_which_line_counts() {
        let files = files(
            "kernel=top\n[pi5]\nkernel = five \r\n[pi4]\nkernel=four\n[0x1234]\nkernel=one-board\n\
             [all]\n#kernel=off\ninitramfs x followkernel\n[cm5]\nkernel=cm5\n[gpio4=1]\nkernel=g\n\
             [pi5]\nkernel=still-under-gpio\n",
        );
        let kernel = |family| setting(&files, family, "kernel").unwrap();
        assert_eq!(kernel(Family::Pi5), "five");
        assert_eq!(kernel(Family::Pi4), "four");
        assert_eq!(kernel(Family::Pi3), "top");
        assert_eq!(kernel(Family::Unknown), "top");
        assert_eq!(setting(&files, Family::Pi5, "initramfs"), None);
    }

    #[test]
    fn a_prefix_is_tried_first() {
        let mut files = files("os_prefix=current/\n");
        for path in ["current/vmlinuz", "vmlinuz", "start4.elf"] {
            files.insert(path.to_owned(), Bytes::new());
        }
        let path = |name| resolve(&files, Family::Pi4, name);
        assert_eq!(path("vmlinuz").unwrap(), "current/vmlinuz");
        assert_eq!(path("start4.elf").unwrap(), "start4.elf");
        assert_eq!(path("absent"), None);
    }
}
