//! An ordinary person at the machine: no right of their own, a folder of their own, and a helper
//! with file capabilities beside it, as the package installs it.

use crate::binaries;
use crate::net::Host;
use crate::running::expect;
use std::fs::{self, Permissions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Numbers of the user and group that own nothing.
const NOBODY: u32 = 65534;
/// What the package gives the helper.
const CAPABILITIES: &str = "cap_net_bind_service,cap_net_admin,cap_net_raw+ep";

/// Somebody who is not root.
pub struct Person {
    folder: PathBuf,
    program: PathBuf,
    helper: PathBuf,
}

impl Person {
    /// A folder that everybody may look into, on a disk whose file capabilities count.
    pub fn folder() -> TempDir {
        let folder = tempfile::Builder::new()
            .prefix("punnet-person-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in("/var/tmp")
            .expect("a temporary folder");
        std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY)).expect("a new owner");
        folder
    }

    /// The person whose folder this is. The programs are copied there, because nobody else may
    /// look into the folder of the source tree.
    pub fn in_folder(folder: &Path) -> Self {
        let mut person = Self {
            folder: folder.to_owned(),
            program: PathBuf::new(),
            helper: PathBuf::new(),
        };
        person.program = person.may_read(binaries::punnet());
        person.helper = person.may_read(binaries::helper());
        expect(Command::new("setcap").arg(CAPABILITIES).arg(&person.helper));
        person
    }

    /// Another helper, or something that is none.
    pub fn set_helper(&mut self, helper: &str) {
        self.helper = helper.into();
    }

    /// A copy of a file that the person may read, and run if it is a program.
    pub fn may_read(&self, file: &Path) -> PathBuf {
        let copy = self.folder.join(file.file_name().expect("a file"));
        fs::copy(file, &copy).expect("copied");
        let mode = fs::metadata(file).expect("there").permissions().mode();
        let everybody = Permissions::from_mode(0o644 | (mode & 0o111));
        fs::set_permissions(&copy, everybody).expect("allowed");
        copy
    }

    /// The person's `punnet` on a machine of the lab.
    pub fn command(&self, host: &Host) -> Command {
        let mut command = Self::without_rights(host);
        command
            .arg(&self.program)
            .env("HOME", &self.folder)
            .env("PUNNET_NET", &self.helper);
        command
    }

    fn without_rights(host: &Host) -> Command {
        let mut command = host.command("setpriv");
        let ids = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
        command
            .args(ids)
            .args(["--clear-groups", "--inh-caps=-all"]);
        command
    }

    /// The person's helper on a machine of the lab, at the other end of a channel that is there
    /// already: its standard input.
    pub fn helper(&self, host: &Host, channel: OwnedFd) -> Command {
        let mut command = Self::without_rights(host);
        command.arg(&self.helper).stdin(channel);
        command
    }

    /// The processes of the person's helper.
    pub fn helpers(&self) -> Vec<i32> {
        let processes = fs::read_dir("/proc").expect("processes").flatten();
        let pids = processes.filter_map(|p| p.file_name().to_str()?.parse().ok());
        pids.filter(|pid| {
            let program = fs::read_link(format!("/proc/{pid}/exe"));
            program.is_ok_and(|program| program == self.helper)
        })
        .collect()
    }
}
