//! Clients nobody here wrote. Those that are not installed are skipped, with a word about it.

use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;

use super::station::{Station, noise};
use crate::tftp::Settings;

fn installed(program: &str, arguments: &[&str]) -> bool {
    let run = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if run.is_err() {
        println!("skipped: {program} is not installed");
    }
    run.is_ok()
}

fn run(directory: &Path, program: &str, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
}

fn same(directory: &Path, name: &str, expected: &[u8]) {
    let path = directory.join(name);
    assert!(
        std::fs::read(&path).unwrap() == expected,
        "{name} arrived with other bytes"
    );
    std::fs::remove_file(path).unwrap();
}

const TEXT: &[u8] = b"arm_64bit=1\nkernel=kernel8.img\n\rodd\r\n";

fn station() -> (Station, Bytes) {
    let big = noise(3_000_000, 1);
    let files = [
        ("d137e638/big", big.clone()),
        ("even", big.slice(..1024 * 64)),
        ("empty", Bytes::new()),
        ("text", Bytes::from_static(TEXT)),
    ];
    (Station::with(Settings::default(), &files), big)
}

#[test]
fn curl() {
    if !installed("curl", &["--version"]) {
        return;
    }
    let (station, big) = station();
    let directory = tempfile::tempdir().unwrap();
    let url = |path: &str| format!("tftp://{}/{path}", station.address);
    for block in ["512", "1024", "1428", "65464"] {
        let (big_url, even) = (url("d137e638//big"), url("even"));
        run(
            directory.path(),
            "curl",
            &["-sS", "--tftp-blksize", block, "-o", "big", &big_url],
        );
        same(directory.path(), "big", &big);
        run(
            directory.path(),
            "curl",
            &["-sS", "--tftp-blksize", block, "-o", "even", &even],
        );
        same(directory.path(), "even", &big[..1024 * 64]);
    }
    run(
        directory.path(),
        "curl",
        &[
            "-sS",
            "--tftp-no-options",
            "-o",
            "big",
            &url("d137e638/big"),
        ],
    );
    same(directory.path(), "big", &big);
    let missing = Command::new("curl")
        .args(["-sS", &url("Text")])
        .output()
        .unwrap();
    // 68 is curl's "file not found on TFTP server".
    assert_eq!(missing.status.code(), Some(68));
}

#[test]
fn tftp_hpa() {
    if !installed("tftp", &["-V"]) {
        return;
    }
    let (station, big) = station();
    let directory = tempfile::tempdir().unwrap();
    let (host, port) = (
        station.address.ip().to_string(),
        station.address.port().to_string(),
    );
    let get = |mode: &[&str], path: &str, local: &str| {
        let arguments = [
            &[host.as_str(), port.as_str()],
            mode,
            &["-c", "get", path, local],
        ];
        run(directory.path(), "tftp", &arguments.concat());
    };
    get(&["-m", "binary"], "d137e638/big", "big");
    same(directory.path(), "big", &big);
    get(&["-m", "binary"], "empty", "empty");
    same(directory.path(), "empty", b"");
    // Its default mode is netascii. It writes what it receives back with line ends of its own.
    get(&[], "text", "text");
    same(directory.path(), "text", TEXT);
}

#[test]
fn atftp() {
    if !installed("atftp", &["--version"]) {
        return;
    }
    let (station, big) = station();
    let directory = tempfile::tempdir().unwrap();
    let (host, port) = (
        station.address.ip().to_string(),
        station.address.port().to_string(),
    );
    for window in [None, Some("windowsize 4"), Some("windowsize 64")] {
        let mut arguments = vec!["--get", "-r", "d137e638/big", "-l", "big"];
        arguments.extend(["--option", "blksize 1428", "--option", "tsize 0"]);
        if let Some(window) = window {
            arguments.extend(["--option", window]);
        }
        arguments.extend([host.as_str(), port.as_str()]);
        run(directory.path(), "atftp", &arguments);
        same(directory.path(), "big", &big);
    }
}

#[test]
fn busybox() {
    if !installed("busybox", &["tftp", "--help"]) {
        return;
    }
    let (station, big) = station();
    let directory = tempfile::tempdir().unwrap();
    let (host, port) = (
        station.address.ip().to_string(),
        station.address.port().to_string(),
    );
    for block in ["512", "1468", "65464"] {
        let arguments = [
            "tftp",
            "-g",
            "-r",
            "d137e638/big",
            "-l",
            "big",
            "-b",
            block,
            &host,
            &port,
        ];
        run(directory.path(), "busybox", &arguments);
        same(directory.path(), "big", &big);
    }
}
