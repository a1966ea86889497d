//! The programs of e2fsprogs by which ext4 file systems in a file are made, read and checked.
//!
//! They are the file system's own authors' tools and share no code with this product, which is why
//! the checks of a rehearsal rely on them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One of the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Makes a file system.
    Mke2fs,
    /// Reads and changes one.
    Debugfs,
    /// Checks one.
    E2fsck,
}

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is not installed.
    #[error("{0} is not installed. Install the package e2fsprogs.")]
    Missing(&'static str),
    /// It could not be run.
    #[error("{0} could not be run: {1}")]
    Run(&'static str, std::io::Error),
    /// It failed; what it said.
    #[error("{0} failed: {1}")]
    Failed(&'static str, String),
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Mke2fs => "mke2fs",
            Self::Debugfs => "debugfs",
            Self::E2fsck => "e2fsck",
        }
    }

    // A person's PATH often lacks the folder where system tools live.
    fn path(self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path);
        folders
            .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
            .map(|folder| folder.join(self.name()))
            .find(|p| p.is_file())
    }

    /// Is it installed?
    pub fn look(self) -> Result<(), ToolError> {
        self.path().map(drop).ok_or(ToolError::Missing(self.name()))
    }

    /// Runs it and returns what it printed. Any exit status but 0 is an error that carries the end
    /// of its output.
    pub fn run<I, A>(self, args: I) -> Result<String, ToolError>
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        let path = self.path().ok_or(ToolError::Missing(self.name()))?;
        let output = Command::new(path)
            .args(args)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()
            .map_err(|e| ToolError::Run(self.name(), e))?;
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(out);
        }
        let err = String::from_utf8_lossy(&output.stderr);
        let said = format!("{} {}", out.trim(), err.trim());
        let end: Vec<_> = said.trim().chars().rev().take(400).collect();
        let end = end.into_iter().rev().collect();
        Err(ToolError::Failed(self.name(), end))
    }
}

/// A file system that begins at byte `offset` of a file, as these programs take it.
pub fn at(path: &Path, offset: u64) -> String {
    format!("{}?offset={offset}", path.display())
}
