//! What must not be the same on two boards: the machine id and the SSH host keys.

use super::tree::Tree;
use super::{Entry, PersonaliseError, cloud};

/// Empties `/etc/machine-id`; systemd then makes a new one at first boot (machine-id(5), "Initial
/// provisioning"). A file that says `uninitialized` means the same and more (first-boot presets),
/// so it stays.
pub(super) fn machine_id(tree: &mut Tree<'_>) -> Result<(), PersonaliseError> {
    if let Some(id) = tree.read("/etc/machine-id")?
        && !id.is_empty()
        && id.trim_ascii() != b"uninitialized"
    {
        tree.write("/etc/machine-id", Vec::new(), 0o444)?;
    }
    let dbus = "/var/lib/dbus/machine-id";
    if matches!(tree.find_itself(dbus)?.entry, Some(Entry::File { .. })) {
        tree.link(dbus, "/etc/machine-id")?;
    }
    Ok(())
}

const KEYS_UNIT: &str = "punnet-ssh-keys.service";

/// Removes the SSH host keys; where nothing in the image makes new ones, adds a unit that does.
pub(super) fn ssh_keys(tree: &mut Tree<'_>) -> Result<(), PersonaliseError> {
    for name in tree.list("/etc/ssh")? {
        if name.starts_with("ssh_host_") && (name.ends_with("_key") || name.ends_with("_key.pub")) {
            tree.remove(&format!("/etc/ssh/{name}"))?;
        }
    }
    let Some(keygen) = keygen(tree)? else {
        return Ok(());
    };
    if makes_own_keys(tree)? {
        return Ok(());
    }
    if uses_systemd(tree)? {
        let unit = format!(
            "[Unit]\n\
             Description=Make this system's own SSH host keys\n\
             Before=ssh.service sshd.service\n\
             ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key\n\
             \n\
             [Service]\n\
             Type=oneshot\n\
             ExecStart={keygen} -A\n\
             \n\
             [Install]\n\
             WantedBy=multi-user.target\n"
        );
        enable(tree, KEYS_UNIT, unit)
    } else {
        let line = format!("[ -e /etc/ssh/ssh_host_ed25519_key ] || {keygen} -A");
        rc_local(tree, &line)
    }
}

fn keygen(tree: &mut Tree<'_>) -> Result<Option<&'static str>, PersonaliseError> {
    for path in ["/usr/bin/ssh-keygen", "/bin/ssh-keygen"] {
        if tree.exists(path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Does something in the image already make host keys that are missing? A unit that is there but
/// not enabled does not count: images taken from a used card have it switched off.
fn makes_own_keys(tree: &mut Tree<'_>) -> Result<bool, PersonaliseError> {
    if cloud::first_boot_ahead(tree)? {
        return Ok(true);
    }
    for folder in ["/etc/systemd/system", "/usr/lib/systemd/system"] {
        for wants in tree.list(folder)? {
            let suffix = wants.rsplit_once('.').map_or("", |(_, suffix)| suffix);
            if !matches!(suffix, "wants" | "requires") {
                continue;
            }
            let units = tree.list(&format!("{folder}/{wants}"))?;
            if units.iter().any(|u| u != KEYS_UNIT && is_key_unit(u)) {
                return Ok(true);
            }
        }
    }
    // A service that names a key generator (Fedora's sshd-keygen.target, Alpine's init script).
    for service in [
        "/usr/lib/systemd/system/sshd.service",
        "/usr/lib/systemd/system/ssh.service",
        "/etc/init.d/sshd",
    ] {
        let text = tree.read(service)?.unwrap_or_default();
        if text.windows(6).any(|w| w == b"keygen") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_key_unit(unit: &str) -> bool {
    unit.contains("ssh")
        && ["host_keys", "host-keys", "hostkeys", "keygen", "genkeys"]
            .iter()
            .any(|word| unit.contains(word))
}

/// Is systemd the image's init system?
pub(super) fn uses_systemd(tree: &mut Tree<'_>) -> Result<bool, PersonaliseError> {
    Ok(tree.exists("/usr/lib/systemd/systemd")? || tree.exists("/lib/systemd/systemd")?)
}

/// Adds a unit of ours and enables it for `multi-user.target`.
pub(super) fn enable(
    tree: &mut Tree<'_>,
    name: &str,
    unit: String,
) -> Result<(), PersonaliseError> {
    let path = format!("/etc/systemd/system/{name}");
    tree.write(&path, unit.into_bytes(), 0o644)?;
    let wants = format!("/etc/systemd/system/multi-user.target.wants/{name}");
    tree.link(&wants, &path)
}

const RC_LOCAL: &str = "/etc/rc.local";

/// Adds a line to `/etc/rc.local`, which inits other than systemd run at the end of the boot.
pub(super) fn rc_local(tree: &mut Tree<'_>, line: &str) -> Result<(), PersonaliseError> {
    let old = tree.read(RC_LOCAL)?;
    let text = with_line(old.as_deref().unwrap_or(b"#!/bin/sh\nexit 0\n"), line);
    tree.write(RC_LOCAL, text, 0o755)
}

/// The script with `line` before its final `exit`, or at its end.
fn with_line(script: &[u8], line: &str) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = script
        .strip_suffix(b"\n")
        .unwrap_or(script)
        .split(|b| *b == b'\n')
        .collect();
    if !lines.contains(&line.as_bytes()) {
        let exit = |l: &[u8]| l.trim_ascii().starts_with(b"exit");
        let at = lines.iter().rposition(|l| exit(l)).unwrap_or(lines.len());
        lines.insert(at, line.as_bytes());
    }
    let mut text = lines.join(&b'\n');
    text.push(b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::super::testing::MemoryFs;
    use super::super::{Edit, changed_files};
    use super::*;

    fn edits(
        files: &[(&str, &str)],
        rule: fn(&mut Tree<'_>) -> Result<(), PersonaliseError>,
    ) -> Vec<Edit> {
        let mut fs = MemoryFs::new(files);
        let mut tree = Tree::new(&mut fs);
        rule(&mut tree).unwrap();
        tree.into_edits()
    }

    #[test]
    fn a_machine_id_is_emptied_and_dbus_points_at_it() {
        let edits = edits(
            &[
                ("/etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
                (
                    "/var/lib/dbus/machine-id",
                    "0123456789abcdef0123456789abcdef\n",
                ),
            ],
            machine_id,
        );
        assert!(matches!(&edits[0], Edit::Write { bytes, .. } if bytes.is_empty()));
        assert!(matches!(&edits[1], Edit::Link { to, .. } if to == "/etc/machine-id"));
    }

    #[test]
    fn an_image_that_is_ready_for_its_first_boot_is_left_alone() {
        for text in ["", "uninitialized\n"] {
            let files = [
                ("/etc/machine-id", text),
                ("/var/lib/dbus/machine-id", "-> /etc/machine-id"),
            ];
            assert_eq!(edits(&files, machine_id), []);
        }
        assert_eq!(edits(&[("/etc/passwd", "")], machine_id), []);
    }

    const USED_CARD: &[(&str, &str)] = &[
        ("/etc/ssh/ssh_host_ed25519_key", "secret"),
        ("/etc/ssh/ssh_host_ed25519_key.pub", "public"),
        ("/etc/ssh/sshd_config", ""),
        ("/usr/bin/ssh-keygen*", ""),
        ("/usr/lib/systemd/systemd*", ""),
        (
            "/usr/lib/systemd/system/regenerate_ssh_host_keys.service",
            "",
        ),
    ];

    #[test]
    fn keys_of_a_used_card_are_removed_and_a_unit_makes_new_ones() {
        assert_eq!(
            changed_files(&edits(USED_CARD, ssh_keys)),
            [
                "/etc/ssh/ssh_host_ed25519_key",
                "/etc/ssh/ssh_host_ed25519_key.pub",
                "/etc/systemd/system/multi-user.target.wants/punnet-ssh-keys.service",
                "/etc/systemd/system/punnet-ssh-keys.service",
            ]
        );
    }

    #[test]
    fn a_mechanism_that_is_switched_on_is_trusted() {
        let on = [
            (
                "/etc/systemd/system/multi-user.target.wants/regenerate_ssh_host_keys.service",
                "-> /usr/lib/systemd/system/regenerate_ssh_host_keys.service",
            ),
            (
                "/usr/lib/systemd/system/sshd.service",
                "Wants=sshd-keygen.target\n",
            ),
            ("/usr/bin/cloud-init*", ""),
        ];
        for mechanism in on {
            let files = [USED_CARD, &[mechanism]].concat();
            assert_eq!(
                changed_files(&edits(&files, ssh_keys)),
                [
                    "/etc/ssh/ssh_host_ed25519_key",
                    "/etc/ssh/ssh_host_ed25519_key.pub"
                ],
                "{mechanism:?}"
            );
        }
    }

    #[test]
    fn cloud_init_that_has_run_before_makes_no_keys_again() {
        let ran = [
            ("/usr/bin/cloud-init*", ""),
            ("/var/lib/cloud/instance", "-> instances/golden"),
        ];
        let files = [USED_CARD, &ran].concat();
        assert_eq!(changed_files(&edits(&files, ssh_keys)).len(), 4);
    }

    #[test]
    fn without_systemd_keys_are_made_by_rc_local() {
        let files = [
            ("/usr/bin/ssh-keygen*", ""),
            ("/etc/rc.local*", "#!/bin/sh -e\necho hi\nexit 0\n"),
        ];
        let edits = edits(&files, ssh_keys);
        let [Edit::Write { bytes, mode, .. }] = &edits[..] else {
            panic!("{edits:?}");
        };
        assert_eq!(
            String::from_utf8_lossy(bytes),
            "#!/bin/sh -e\necho hi\n[ -e /etc/ssh/ssh_host_ed25519_key ] || /usr/bin/ssh-keygen -A\nexit 0\n"
        );
        assert_eq!(*mode, 0o755);
    }

    #[test]
    fn an_image_without_ssh_gets_nothing() {
        assert_eq!(edits(&[("/etc/passwd", "")], ssh_keys), []);
    }
}
