//! A system inside an image file is renamed with `debugfs`, and stays a sound file system.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

use imaging::personalise::{self, Debugfs, Edit, Entry, FIRST_BOOT_SCRIPT, RootFs};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use wire::agent::{HelloCall, Personalise};
use wire::image::Grow;

const OFFSET: u64 = 8 << 20;

fn tool(name: &str, args: &[&str]) -> String {
    let output = Command::new(name)
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .args(args)
        .output()
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(
        output.status.success(),
        "{name} {args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// A disk file with a small Debian-like root file system at 8 MiB.
fn disk(dir: &Path, fs_bytes: u64) -> PathBuf {
    let root = dir.join("root");
    for folder in [
        "etc/ssh",
        "etc/systemd/system/multi-user.target.wants",
        "usr/lib/systemd/system",
        "usr/bin",
        "var/lib/dbus",
    ] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    let put = |path: &str, text: &str| fs::write(root.join(path), text).unwrap();
    put("etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    put("etc/hostname", "raspberrypi\n");
    put(
        "etc/hosts",
        "127.0.0.1\tlocalhost\n127.0.1.1\traspberrypi\n",
    );
    put("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    put(
        "var/lib/dbus/machine-id",
        "0123456789abcdef0123456789abcdef\n",
    );
    put("etc/ssh/ssh_host_ed25519_key", "secret");
    put("etc/ssh/ssh_host_ed25519_key.pub", "public");
    put("usr/bin/ssh-keygen", "");
    put("usr/lib/systemd/systemd", "");
    symlink("usr/lib", root.join("lib")).unwrap();
    let hosts = root.join("etc/hosts");
    fs::set_permissions(&hosts, fs::Permissions::from_mode(0o640)).unwrap();
    fs::File::open(&hosts)
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000))
        .unwrap();
    let file = dir.join("disk.img");
    fs::File::create(&file)
        .unwrap()
        .set_len(OFFSET + 4 * fs_bytes)
        .unwrap();
    let offset = format!("offset={OFFSET}");
    let kib = format!("{}k", fs_bytes / 1024);
    let (root, name) = (root.to_str().unwrap(), file.to_str().unwrap());
    tool(
        "mke2fs",
        &["-q", "-t", "ext4", "-E", &offset, "-d", root, name, &kib],
    );
    file
}

fn wanted() -> Personalise {
    Personalise {
        grow: Grow::Agent,
        fresh_machine_id: true,
        fresh_ssh_keys: true,
        hello: Some(HelloCall {
            url: "http://10.0.0.1:5001/agent/v1/hello".to_owned(),
            secret: "abc".to_owned(),
        }),
    }
}

fn sound(file: &Path) {
    let device = format!("{}?offset={OFFSET}", file.display());
    tool("e2fsck", &["-fn", &device]);
}

#[test]
fn a_system_in_a_file_gets_its_name_and_identity() {
    let dir = tempfile::tempdir().unwrap();
    let file = disk(dir.path(), 16 << 20);
    let name = "KXP2-CORO-001".parse().unwrap();

    let mut system = Box::new(Debugfs::open(&file, OFFSET).unwrap());
    assert!(personalise::is_root(&mut *system).unwrap());
    let edits = personalise::apply(&mut *system, &name, &wanted()).unwrap();
    system.close().unwrap();
    let mut system = Debugfs::open(&file, OFFSET).unwrap();
    assert!(personalise::verify(&mut system, &edits).unwrap() > 1000);
    sound(&file);

    assert_eq!(system.read("/etc/hostname").unwrap(), b"KXP2-CORO-001\n");
    assert_eq!(
        system.read("/etc/hosts").unwrap(),
        b"127.0.0.1\tlocalhost\n127.0.1.1\tKXP2-CORO-001\n"
    );
    assert_eq!(system.read("/etc/machine-id").unwrap(), b"");
    assert_eq!(system.entry("/etc/ssh/ssh_host_ed25519_key").unwrap(), None);
    let call = system.read(FIRST_BOOT_SCRIPT).unwrap();
    let call = personalise::hello_in(std::str::from_utf8(&call).unwrap());
    assert_eq!(call, wanted().hello);
    assert_eq!(
        system.entry(FIRST_BOOT_SCRIPT).unwrap(),
        Some(Entry::File { mode: 0o700 })
    );
    assert_eq!(
        system.entry("/var/lib/dbus/machine-id").unwrap(),
        Some(Entry::Link("/etc/machine-id".to_owned()))
    );
    assert_eq!(
        personalise::changed_files(&edits),
        [
            "/etc/hostname",
            "/etc/hosts",
            "/etc/machine-id",
            "/etc/ssh/ssh_host_ed25519_key",
            "/etc/ssh/ssh_host_ed25519_key.pub",
            "/etc/systemd/system/multi-user.target.wants/punnet-first-boot.service",
            "/etc/systemd/system/multi-user.target.wants/punnet-ssh-keys.service",
            "/etc/systemd/system/punnet-first-boot.service",
            "/etc/systemd/system/punnet-ssh-keys.service",
            "/usr/lib/punnet/first-boot",
            "/var/lib/dbus/machine-id",
        ]
    );
}

#[test]
fn a_replaced_file_keeps_its_owner_permissions_and_time() {
    let dir = tempfile::tempdir().unwrap();
    let file = disk(dir.path(), 16 << 20);
    let owner = fs::metadata(dir.path()).unwrap().uid();
    let device = format!("{}?offset={OFFSET}", file.display());
    tool("debugfs", &["-w", "-R", "sif /etc/hosts gid 42", &device]);

    let mut system = Debugfs::open(&file, OFFSET).unwrap();
    let edit = Edit::Write {
        path: "/etc/hosts".to_owned(),
        bytes: b"new\n".to_vec(),
        mode: 0o644,
    };
    system.carry_out(&[edit]).unwrap();
    let stat = tool("debugfs", &["-R", "stat /etc/hosts", &device]);
    assert!(stat.contains("Mode:  0640"), "{stat}");
    assert!(
        stat.contains(&format!("User: {owner:5}   Group:    42")),
        "{stat}"
    );
    // 1700000000 in hexadecimal.
    assert!(stat.contains("mtime: 0x6553f100"), "{stat}");
    sound(&file);
}

#[test]
fn the_file_system_grows_to_its_partition() {
    let dir = tempfile::tempdir().unwrap();
    let file = disk(dir.path(), 16 << 20);
    let mut system = Debugfs::open(&file, OFFSET).unwrap();
    assert_eq!(system.grow(48 << 20).unwrap(), 48 << 20);
    assert_eq!(system.read("/etc/hostname").unwrap(), b"raspberrypi\n");
    let device = format!("{}?offset={OFFSET}", file.display());
    let stats = tool("debugfs", &["-R", "stats -h", &device]);
    let value = |name: &str| -> u64 {
        let line = stats.lines().find(|l| l.starts_with(name)).unwrap();
        line.split(':').nth(1).unwrap().trim().parse().unwrap()
    };
    assert_eq!(value("Block count") * value("Block size"), 48 << 20);
    sound(&file);
}

#[test]
fn paths_that_would_be_other_commands_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = disk(dir.path(), 16 << 20);
    let mut system = Debugfs::open(&file, OFFSET).unwrap();
    for path in ["/etc/a\nrm /etc/passwd", "/etc/\"x\""] {
        let edit = Edit::Link {
            path: path.to_owned(),
            to: "x".to_owned(),
        };
        assert!(system.carry_out(&[edit]).is_err(), "{path:?}");
    }
    // A blank is part of a name, not the end of it.
    let edit = Edit::Link {
        path: "/etc/two words".to_owned(),
        to: "a target".to_owned(),
    };
    system.carry_out(&[edit]).unwrap();
    assert_eq!(
        system.entry("/etc/two words").unwrap(),
        Some(Entry::Link("a target".to_owned()))
    );
    assert!(system.entry("/etc/passwd").unwrap().is_some());
}
