//! The Debian packages, built from the programs under test.

use crate::binaries;
use crate::running::expect;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The packages of one version.
#[derive(Debug, Clone)]
pub struct Packages {
    /// punnet-daemon.
    pub daemon: PathBuf,
    /// punnet. The program in it only stands for the window, whose build takes minutes.
    pub window: PathBuf,
}

/// The programs that the packages need.
pub const TOOLS: &[&str] = &["dh", "dpkg-deb"];

/// The packages as they are, built once per run.
pub fn packages() -> &'static Packages {
    static PACKAGES: OnceLock<Packages> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let out = binaries::target().join("deb-test");
        let _ = fs::remove_dir_all(&out);
        build(&out, env!("CARGO_PKG_VERSION"))
    })
}

/// The same as a later version, to upgrade to.
pub fn of_version(version: &str) -> Packages {
    build(
        &binaries::target().join(format!("deb-test-{version}")),
        version,
    )
}

fn build(out: &Path, version: &str) -> Packages {
    binaries::agent_arm64();
    let programs = out.join("programs");
    fs::create_dir_all(&programs).expect("a folder");
    let all = [
        (binaries::punnet(), "punnet"),
        (binaries::helper(), "punnet-net"),
        (binaries::helper(), "punnet-window"),
    ];
    for (program, name) in all {
        fs::copy(program, programs.join(name)).expect("copied");
    }
    let mut command = Command::new(binaries::root().join("packaging/deb/build.sh"));
    command
        .arg("--programs")
        .arg(&programs)
        .arg("--out")
        .arg(out)
        .env("DEB_COMPRESSION", "-Zgzip -z1");
    if version != env!("CARGO_PKG_VERSION") {
        command.args(["--version", version]);
    }
    let said = expect(&mut command);
    let package = |name: &str| {
        let line = said.lines().find(|line| line.contains(name));
        PathBuf::from(line.unwrap_or_else(|| panic!("no {name} in {said}")))
    };
    Packages {
        daemon: package("/punnet-daemon_"),
        window: package("/punnet_"),
    }
}
