//! What this machine allows, and whose turn it is.
//!
//! A test that needs root or a program that is not there says so in one line and counts as *not
//! run*: the line goes to standard output and, when `PUNNET_NOT_RUN` names a file, is appended to
//! it, so that whoever runs all tests can report it. Light tests run beside each other; heavy ones
//! (QEMU, repeated kills) run alone, because two of them at once only measure each other.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Permission to go on; keep it for as long as the test runs. It is a lock on a file, so that it
/// also holds between tests that run as processes of their own.
pub struct Turn {
    _lock: File,
}

/// A light test that needs root and these programs. `None`, with the reason recorded, where they
/// are not to be had.
pub fn lab(test: &str, programs: &[&str]) -> Option<Turn> {
    let missing = missing(true, programs);
    if missing.is_empty() {
        return Some(beside_others());
    }
    not_run(test, &missing);
    None
}

/// A heavy test that needs root and these programs.
pub fn heavy_lab(test: &str, programs: &[&str]) -> Option<Turn> {
    let missing = missing(true, programs);
    if missing.is_empty() {
        return Some(alone());
    }
    not_run(test, &missing);
    None
}

/// A light test that needs these programs and no rights.
pub fn desktop(test: &str, programs: &[&str]) -> Option<Turn> {
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|program| find(program).is_none())
        .collect();
    if missing.is_empty() {
        return Some(beside_others());
    }
    not_run(test, &format!("needs {}", missing.join(", ")));
    None
}

/// A turn beside other light tests; needs nothing.
pub fn beside_others() -> Turn {
    let lock = lock_file();
    lock.lock_shared().expect("a shared lock");
    Turn { _lock: lock }
}

/// A turn alone; needs nothing.
pub fn alone() -> Turn {
    let lock = lock_file();
    lock.lock().expect("a lock");
    Turn { _lock: lock }
}

fn lock_file() -> File {
    let folder = crate::binaries::target();
    std::fs::create_dir_all(&folder).expect("the target folder");
    File::create(folder.join("tests.lock")).expect("the lock file")
}

/// Records that a test was not run.
pub fn not_run(test: &str, why: &str) {
    println!("NOT RUN {test}: {why}");
    let Some(file) = std::env::var_os("PUNNET_NOT_RUN") else {
        return;
    };
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .and_then(|mut f| writeln!(f, "{test}: {why}"));
    if let Err(e) = written {
        println!("could not record it: {e}");
    }
}

fn missing(root: bool, programs: &[&str]) -> String {
    let mut missing = Vec::new();
    if root && !nix::unistd::geteuid().is_root() {
        missing.push("root".to_owned());
    }
    let always = ["ip", "nft", "curl"].iter();
    for program in always.chain(programs) {
        if find(program).is_none() {
            missing.push((*program).to_owned());
        }
    }
    if missing.is_empty() {
        String::new()
    } else {
        format!("needs {}", missing.join(", "))
    }
}

/// Where a program lies: on the path, or where administrators' programs lie.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin", "/usr/bin", "/bin"])
        .map(|dir| Path::new(dir).join(program))
        .find(|file| file.is_file())
}
