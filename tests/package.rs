//! The packages as a machine's owner meets them: what lies where and who may touch it, what systemd
//! thinks of the units, whether the papers can be read. Built here from the programs under test; the
//! guest in `service.rs` installs the real ones.

use punnet_tests::packages::packages;
use punnet_tests::running::{expect, output};
use punnet_tests::{binaries, ground};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const TOOLS: &[&str] = &["dh", "lintian", "systemd-analyze", "man", "zsh", "fish"];
/// Somebody who vouches for servers.
const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBcDCCARWgAwIBAgIUY02VZNRO9JUgeD7J54zxPnV5L3IwCgYIKoZIzj0EAwIw\n\
DDEKMAgGA1UEAwwBYTAgFw0yNjExMjkwNzMzNTNaGA8yMDUxMDcyMTA3MzM1M1ow\n\
DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMJb9GJ5OZRw\n\
TxaRp0BNo8GJMstJkfsAj4kIbyV2Ug50KS4i9q3tPtNKn//gKXCsFrye7JUadfLC\n\
hbhXEIYrPkmjUzBRMB0GA1UdDgQWBBRdAHAbPi7TP1sMm1LDXNxPkZ9LYDAfBgNV\n\
HSMEGDAWgBRdAHAbPi7TP1sMm1LDXNxPkZ9LYDAPBgNVHRMBAf8EBTADAQH/MAoG\n\
CCqGSM49BAMCA0kAMEYCIQCGTBkA4OlaFiEEDAaRTMXI+OFvaUA0jDuAqXYTo9nb\n\
mgIhAIty4oywuvvhQ4Myw7GSzvzYkmfxjOOljbJqydGdtgYZ\n\
-----END CERTIFICATE-----\n";
/// The most that the service may be exposed, in tenths, as `systemd-analyze security` counts.
const EXPOSURE: &str = "15";

/// What is in the station's package, laid out once.
fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let daemon = &packages().daemon;
        let root = daemon.with_file_name("root");
        expect(Command::new("dpkg-deb").arg("-x").arg(daemon).arg(&root));
        root
    })
}

fn field(package: &Path, name: &str) -> String {
    let said = expect(Command::new("dpkg-deb").arg("-f").arg(package).arg(name));
    said.trim().to_owned()
}

/// The lines of `dpkg-deb --contents`: mode and owner, then the path.
fn contents(package: &Path) -> Vec<(String, String)> {
    let said = expect(Command::new("dpkg-deb").arg("--contents").arg(package));
    said.lines()
        .map(|line| {
            let mut words = line.split_whitespace();
            let mode = format!(
                "{} {}",
                words.next().unwrap_or_default(),
                words.next().unwrap_or_default()
            );
            let path = words.nth(3).unwrap_or_default();
            (mode, path.trim_start_matches('.').to_owned())
        })
        .collect()
}

#[test]
fn everything_is_where_it_belongs_and_belongs_to_root() {
    let Some(_turn) = ground::desktop("package: contents", TOOLS) else {
        return;
    };
    let packages = packages();
    let daemon = contents(&packages.daemon);
    let has = |all: &[(String, String)], mode: &str, path: &str| {
        let wanted = (format!("{mode} root/root"), path.to_owned());
        assert!(all.contains(&wanted), "no {wanted:?} in {all:#?}");
    };
    for path in ["/usr/bin/punnet", "/usr/lib/punnet/punnet-net"] {
        has(&daemon, "-rwxr-xr-x", path);
    }
    for path in [
        "/lib/systemd/system/punnet.service",
        "/lib/systemd/system/punnet-net.socket",
        "/lib/systemd/system/punnet-net@.service",
        "/usr/lib/sysusers.d/punnet.conf",
        "/usr/lib/tmpfiles.d/punnet.conf",
        "/usr/share/polkit-1/actions/org.punnet.net.policy",
        "/usr/share/polkit-1/rules.d/50-punnet.rules",
        "/usr/lib/firewalld/services/punnet.xml",
        "/etc/ufw/applications.d/punnet",
        "/etc/punnet/station.toml",
        "/usr/share/punnet/punnet-agent-arm64.cpio.zst",
        "/usr/share/man/man1/punnet.1.gz",
        "/usr/share/man/man5/station.toml.5.gz",
        "/usr/share/bash-completion/completions/punnet",
        "/usr/share/zsh/vendor-completions/_punnet",
        "/usr/share/fish/vendor_completions.d/punnet.fish",
        "/usr/share/doc/punnet-daemon/copyright",
        "/usr/share/doc/punnet-daemon/changelog.gz",
        "/usr/share/doc/punnet-daemon/examples/station.example.toml",
    ] {
        has(&daemon, "-rw-r--r--", path);
    }
    let window = contents(&packages.window);
    has(&window, "-rwxr-xr-x", "/usr/lib/punnet/punnet-window");
    for path in [
        "/usr/share/applications/punnet.desktop",
        "/usr/share/metainfo/punnet.metainfo.xml",
        "/usr/share/icons/hicolor/128x128/apps/punnet.png",
        "/usr/share/icons/hicolor/scalable/apps/punnet.svg",
    ] {
        has(&window, "-rw-r--r--", path);
    }
    // The helper is closed to others once its group is there.
    let after = expect(
        Command::new("dpkg-deb")
            .arg("-I")
            .arg(&packages.daemon)
            .arg("postinst"),
    );
    assert!(after.contains("--add root punnet 0750"), "{after}");
    // What is installed is what lies in the tree.
    for unit in ["punnet.service", "punnet-net.socket", "punnet-net@.service"] {
        let installed = fs::read(root().join("lib/systemd/system").join(unit));
        let source = fs::read(binaries::root().join("packaging/systemd").join(unit));
        assert_eq!(
            installed.expect("installed"),
            source.expect("there"),
            "{unit}"
        );
    }
}

#[test]
fn the_packages_belong_together_and_the_station_needs_no_desktop() {
    let Some(_turn) = ground::desktop("package: dependencies", TOOLS) else {
        return;
    };
    let packages = packages();
    let version = field(&packages.daemon, "Version");
    assert_eq!(
        version,
        env!("CARGO_PKG_VERSION"),
        "the changelog is behind"
    );
    let needs = field(&packages.window, "Depends");
    let same = format!("punnet-daemon (= {version})");
    assert!(needs.contains(&same), "{needs}");
    let needs = field(&packages.daemon, "Depends");
    assert!(
        needs.contains("libc6") && needs.contains("systemd"),
        "{needs}"
    );
    for desktop in ["gtk", "webkit", "x11", "dbus"] {
        assert!(!needs.contains(desktop), "{needs}");
    }
    let all = [&packages.daemon, &packages.window];
    let said = output(
        Command::new("lintian")
            .args(["--fail-on", "error"])
            .args(all),
    );
    let words = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{words}");
}

#[test]
fn systemd_has_nothing_to_say_against_the_units() {
    let Some(_turn) = ground::desktop("package: units", TOOLS) else {
        return;
    };
    let root = root();
    // In an empty system, with the program that each unit starts.
    let units = ["punnet.service", "punnet-net.socket", "punnet-net@.service"];
    let path = |unit: &str| root.join("lib/systemd/system").join(unit);
    let said = output(
        Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .arg("--root")
            .arg(root)
            .args(units.map(path)),
    );
    let words = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && words.is_empty(), "{words}");
    let said = output(
        Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager"])
            .arg(format!("--threshold={EXPOSURE}"))
            .arg(path("punnet.service")),
    );
    let words = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success(), "{words}");
    for closed in ["CAP_NET_ADMIN", "CAP_NET_(BIND_SERVICE|BROADCAST|RAW)"] {
        let line = words.lines().find(|line| line.contains(closed));
        assert!(line.is_some_and(|line| line.starts_with('✓')), "{words}");
    }
}

#[test]
fn users_and_folders_can_be_made() {
    let Some(_turn) = ground::desktop("package: users and folders", TOOLS) else {
        return;
    };
    let root = root();
    let file = root.join("usr/lib/sysusers.d/punnet.conf");
    let said = output(Command::new("systemd-sysusers").arg("--dry-run").arg(file));
    let words = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{words}");
    for user in ["'punnet'", "'punnet-net'"] {
        assert!(words.contains(user), "{words}");
    }
    let file = root.join("usr/lib/tmpfiles.d/punnet.conf");
    let folder = tempfile::tempdir().expect("a folder");
    if !nix::unistd::geteuid().is_root() {
        return ground::not_run("package: folders", "needs root");
    }
    expect(
        Command::new("systemd-tmpfiles")
            .args(["--create", "--root"])
            .arg(folder.path())
            .arg(file),
    );
    let made = fs::metadata(folder.path().join("run/punnet")).expect("made");
    assert_eq!(made.permissions().mode() & 0o7777, 0o755);
}

#[test]
fn the_papers_can_be_read_and_the_completions_understood() {
    let Some(_turn) = ground::desktop("package: papers", TOOLS) else {
        return;
    };
    let root = root();
    let page = |file: &str| {
        let said = output(
            Command::new("man")
                .args(["--warnings", "--encoding=UTF-8", "-l"])
                .arg(root.join("usr/share/man").join(file))
                .env("MANWIDTH", "100"),
        );
        let complaints = String::from_utf8_lossy(&said.stderr);
        assert!(
            said.status.success() && complaints.is_empty(),
            "{complaints}"
        );
        String::from_utf8_lossy(&said.stdout).into_owned()
    };
    let verbs = page("man1/punnet.1.gz");
    assert!(
        verbs.contains("punnet-batch(1)") && verbs.contains("--daemon"),
        "{verbs}"
    );
    let settings = page("man5/station.toml.5.gz");
    assert!(settings.contains("192.168.151.1/24"), "{settings}");
    for (shell, check, file) in [
        ("bash", "-n", "bash-completion/completions/punnet"),
        ("zsh", "-n", "zsh/vendor-completions/_punnet"),
        ("fish", "-n", "fish/vendor_completions.d/punnet.fish"),
    ] {
        let file = root.join("usr/share").join(file);
        let script = fs::read_to_string(&file).expect("a script");
        assert!(script.contains("rehearse"), "{shell}: {script}");
        expect(Command::new(shell).arg(check).arg(&file));
    }
}

#[test]
fn the_example_holds_every_key_and_says_what_holds_without_it() {
    let example = binaries::root().join("packaging/settings/station.example.toml");
    let example = fs::read_to_string(example).expect("the example");
    let folder = tempfile::tempdir().expect("a folder");
    let check = |text: &str| {
        let file = folder.path().join("station.toml");
        fs::write(&file, text).expect("written");
        let said = output(
            Command::new(binaries::punnet())
                .args(["config", "check"])
                .arg(file),
        );
        (
            said.status.success(),
            String::from_utf8_lossy(&said.stdout).into_owned(),
        )
    };
    // Comments end before a space, keys that are out of use do not.
    let used: Vec<&str> = example
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if !key.starts_with(' ') => key,
            _ => line,
        })
        .collect();
    // The one file that is looked at when its name is read.
    let authority = folder.path().join("authority.pem");
    fs::write(&authority, AUTHORITY).expect("written");
    let authority = authority.display().to_string();
    // These fit the machine that has such files and such a group.
    let elsewhere = ["certificate =", "key =", "group ="];
    let here = used
        .iter()
        .filter(|line| !elsewhere.iter().any(|key| line.starts_with(key)));
    let text: Vec<&str> = here.copied().collect();
    let text = text.join("\n");
    let (fine, words) = check(&text.replace("/etc/punnet/authority.pem", &authority));
    assert!(fine, "{words}");

    let known = |section: &str| -> BTreeSet<String> {
        let (_, words) = check(&format!("{section}\nq_z_j_x_no_such_key_of_anybody = 1\n"));
        let list = words
            .split("known keys are ")
            .nth(1)
            .unwrap_or_else(|| panic!("{words}"));
        list.trim().split(", ").map(str::to_owned).collect()
    };
    let mut section = String::new();
    let mut shown: BTreeSet<(String, String)> = BTreeSet::new();
    for line in used {
        if line.starts_with('[') {
            line.clone_into(&mut section);
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            shown.insert((section.clone(), key.to_owned()));
        }
    }
    let mut missing = Vec::new();
    for key in known("") {
        let name = format!("[{key}]");
        if example.contains(&format!("\n{name}\n")) {
            for key in known(&name) {
                if !shown.contains(&(name.clone(), key.clone())) {
                    missing.push(format!("{name} {key}"));
                }
            }
        } else if !shown.contains(&(String::new(), key.clone())) {
            missing.push(key);
        }
    }
    assert!(
        missing.is_empty(),
        "station.example.toml says nothing of {missing:?}"
    );
}

#[test]
fn without_a_verb_the_window_is_opened_where_it_is_installed() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = |name: &str| folder.path().join(name);
    fs::create_dir_all(place("bin")).expect("a folder");
    fs::create_dir_all(place("lib/punnet")).expect("a folder");
    fs::copy(binaries::punnet(), place("bin/punnet")).expect("copied");
    let run = || {
        let said = output(Command::new(place("bin/punnet")).args(["--data-dir", "/srv/boards"]));
        (
            said.status.code(),
            String::from_utf8_lossy(&said.stdout).into_owned(),
        )
    };
    let (status, words) = run();
    assert_eq!(status, Some(0));
    assert!(
        words.contains("package punnet") && words.contains("--daemon"),
        "{words}"
    );

    let window = place("lib/punnet/punnet-window");
    fs::write(&window, "#!/bin/sh\necho \"window $*\"; exit 7\n").expect("written");
    fs::set_permissions(&window, fs::Permissions::from_mode(0o755)).expect("a program");
    assert_eq!(
        run(),
        (Some(7), "window --data-dir /srv/boards\n".to_owned())
    );
}
