//! The system on a board's own disk: would it come up, and as whom?
//!
//! A boot from disk is followed as far as it decides anything: partition table, the firmware's and
//! the system's files in the FAT partition, the root partition that `cmdline.txt` names, and in it
//! what the personalisation left, read by `debugfs`. A disk that lacks any of it is passed over,
//! as firmware passes over it.

use crate::bootloader::config::Config;
use crate::identity::Identity;
use crate::model::Model;
use crate::slice::Slice;
use crate::tool::{self, Tool};
use imaging::partitions::{Partition, PartitionType, Table};
use imaging::personalise::{FIRST_BOOT_SCRIPT, hello_in};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use wire::agent::HelloCall;

/// A system that comes up from a board's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The name it has.
    pub hostname: String,
    /// Its machine id, when the image brought one.
    pub machine_id: Option<String>,
    /// Whom it calls at its first boot.
    pub hello: Option<HelloCall>,
}

/// Most bytes read of one file.
const MOST: u64 = 64 << 10;

impl Installed {
    /// Follows a boot from `disk`. The error says where it ends.
    pub fn find(disk: &Path, board: &Identity) -> Result<Self, String> {
        let mut file = File::open(disk).map_err(|e| format!("the disk cannot be opened: {e}"))?;
        let table = Table::read(&mut file).map_err(|e| e.to_string())?;
        let fat = table
            .partitions
            .iter()
            .find(|p| is_fat(p))
            .ok_or("there is no FAT partition to boot from")?;
        let cmdline = boot_files(&file, fat, board)?;
        let root = root_of(&cmdline, &table)?;
        Self::read(disk, root.start)
    }

    fn read(disk: &Path, root: u64) -> Result<Self, String> {
        let fs = tool::at(disk, root);
        let ask = |command: &str| {
            let out = Tool::Debugfs.run(["-R", command, &fs]);
            out.map_err(|e| format!("the root file system cannot be read: {e}"))
        };
        let hostname = ask("cat /etc/hostname")?.trim().to_owned();
        if hostname.is_empty() {
            return Err("the root file system has no /etc/hostname".to_owned());
        }
        let id = ask("cat /etc/machine-id")?.trim().to_owned();
        let known = !id.is_empty() && id != "uninitialized";
        Ok(Self {
            hostname,
            machine_id: known.then_some(id),
            hello: hello(&ask)?,
        })
    }
}

// The script runs only if something starts it: a unit that is wanted, or a line of rc.local.
fn hello(ask: &dyn Fn(&str) -> Result<String, String>) -> Result<Option<HelloCall>, String> {
    let Some(call) = hello_in(&ask(&format!("cat {FIRST_BOOT_SCRIPT}"))?) else {
        return Ok(None);
    };
    let unit = "/etc/systemd/system/punnet-first-boot.service";
    let wanted = "/etc/systemd/system/multi-user.target.wants/punnet-first-boot.service";
    let by_systemd = ask(&format!("cat {unit}"))?.contains(FIRST_BOOT_SCRIPT)
        && ask(&format!("stat {wanted}"))?.contains("symlink");
    if by_systemd || ask("cat /etc/rc.local")?.contains(FIRST_BOOT_SCRIPT) {
        Ok(Some(call))
    } else {
        Err(format!("nothing starts {FIRST_BOOT_SCRIPT}"))
    }
}

fn is_fat(partition: &Partition) -> bool {
    match partition.kind {
        PartitionType::Mbr(kind) => matches!(kind, 0x01 | 0x04 | 0x06 | 0x0b | 0x0c | 0x0e | 0xef),
        // Firmware looks for the file system, not for a type.
        PartitionType::Gpt(_) => partition.number == 1,
    }
}

// Looks for what the firmware needs and returns cmdline.txt.
fn boot_files(disk: &File, fat: &Partition, board: &Identity) -> Result<String, String> {
    let medium = Slice::new(disk, fat.start, fat.len);
    let fs = fatfs::FileSystem::new(medium, fatfs::FsOptions::new())
        .map_err(|e| format!("the boot partition cannot be read: {e}"))?;
    let root = fs.root_dir();
    let has = |name: &str| root.open_file(name).is_ok();
    let read = |name: &str| {
        let mut bytes = Vec::new();
        let file = root.open_file(name).ok()?;
        file.take(MOST).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    let firmware: &[&str] = match board.model {
        Model::Pi3BPlus => &["bootcode.bin", "start.elf", "fixup.dat"],
        Model::Pi4 => &["start4.elf", "fixup4.dat"],
        Model::Pi5 | Model::Cm5 => &["config.txt"],
    };
    let tree = board.model.traits().device_tree;
    if let Some(missing) = firmware.iter().chain([&tree]).find(|name| !has(name)) {
        return Err(format!("the boot partition has no {missing}"));
    }
    let config = read("config.txt").unwrap_or_default();
    let config = Config::parse(&config, board, &HashMap::new());
    let kernels = board.model.kernels(config.arm_64bit);
    let has_kernel = match &config.kernel {
        Some(name) => has(name),
        None => kernels.iter().any(|name| has(name)),
    };
    if !has_kernel {
        return Err("the boot partition has no kernel for this board".to_owned());
    }
    let cmdline = read(&config.cmdline).ok_or("the boot partition has no cmdline.txt")?;
    Ok(String::from_utf8_lossy(&cmdline).into_owned())
}

fn root_of<'a>(cmdline: &str, table: &'a Table) -> Result<&'a Partition, String> {
    let named = cmdline
        .split_whitespace()
        .find_map(|word| word.strip_prefix("root="))
        .ok_or("cmdline.txt names no root")?;
    let by = |wanted: &dyn Fn(&Partition) -> bool| table.partitions.iter().find(|p| wanted(p));
    let found = match named.strip_prefix("PARTUUID=") {
        Some(id) => by(&|p| p.partuuid.eq_ignore_ascii_case(id)),
        // By device name or label: the only Linux partition of a golden image is its last.
        None => table.partitions.last(),
    };
    found.ok_or(format!(
        "no partition is {named}, the kernel would wait for it for ever"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{self, Golden};
    use crate::testing::board;
    use std::os::unix::fs::FileExt;

    #[test]
    fn a_golden_disk_comes_up_on_every_model_and_a_headless_one_on_none() {
        let dir = tempfile::tempdir().unwrap();
        let disk = dir.path().join("disk");
        Golden::default().make(&disk).unwrap();
        for model in Model::ALL {
            let found = Installed::find(&disk, &board(model, 1)).unwrap();
            assert_eq!(found.hostname, golden::HOSTNAME);
            assert!(found.machine_id.is_some() && found.hello.is_none());
        }
        let file = File::options().write(true).open(&disk).unwrap();
        // Another disk id: the root partition is no longer the one that cmdline.txt names.
        file.write_all_at(&[1, 2, 3, 4], 440).unwrap();
        let e = Installed::find(&disk, &board(Model::Pi5, 1)).unwrap_err();
        assert!(e.contains("would wait for it"), "{e}");
        file.write_all_at(&imaging::target::marker("d1"), 0)
            .unwrap();
        let e = Installed::find(&disk, &board(Model::Pi5, 1)).unwrap_err();
        assert!(e.contains("partition table"), "{e}");
    }
}
