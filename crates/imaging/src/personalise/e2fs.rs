//! Running the tools of e2fsprogs.

use std::io;
use std::process::{Command, Output};

/// Where the tools are, whatever the caller's own search path says.
const TOOL_PATH: &str = "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin";

pub(super) fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    // English complaints, and no pager.
    command
        .env("PATH", TOOL_PATH)
        .env("LC_ALL", "C.UTF-8")
        .env("DEBUGFS_PAGER", "cat");
    command
}

pub(super) fn run(command: &mut Command) -> io::Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.output().map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => io::Error::new(
            e.kind(),
            format!("{name} is not installed; install the package e2fsprogs"),
        ),
        _ => e,
    })
}

/// What a tool printed to standard error, without the line that gives its version.
pub(super) fn complaints(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let version = |l: &str| {
        ["debugfs ", "resize2fs ", "e2fsck "]
            .iter()
            .any(|t| l.starts_with(t))
    };
    let lines: Vec<&str> = text
        .lines()
        .filter(|l| !l.trim().is_empty() && !version(l))
        .collect();
    lines.join("; ")
}
