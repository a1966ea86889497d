//! The boot files that the station for tests serves.

use crate::slice::Slice;
use bytes::Bytes;
use imaging::partitions::Table;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(super) const CONFIG: &str = "[all]\narm_64bit=1\ninitramfs agent.cpio followkernel\n";

pub(super) fn cmdline(port: u16) -> String {
    format!("console=tty1 punnet.station=http://127.0.0.1:{port} punnet.token=t panic=10\n")
}

/// A newc archive with the station's key in it.
pub(crate) fn initramfs(public: &[u8; 32]) -> Vec<u8> {
    let hex = hex::encode(public);
    let mut out = Vec::new();
    newc(
        &mut out,
        "etc/punnet/station.pub",
        format!("{hex}\n").as_bytes(),
    );
    newc(&mut out, "TRAILER!!!", b"");
    out
}

fn newc(out: &mut Vec<u8>, path: &str, data: &[u8]) {
    out.extend(b"070701");
    let fields = [
        1,
        0o100_644,
        0,
        0,
        1,
        0,
        data.len(),
        0,
        0,
        0,
        0,
        path.len() + 1,
        0,
    ];
    for field in fields {
        out.extend(format!("{field:08x}").bytes());
    }
    out.extend(path.bytes());
    out.push(0);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend(data);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// Every file of an image's FAT partition.
pub(super) fn boot_files(image: &Path) -> BTreeMap<String, Bytes> {
    let mut file = File::open(image).unwrap();
    let table = Table::read(&mut file).unwrap();
    let fat = &table.partitions[0];
    let medium = Slice::new(&file, fat.start, fat.len);
    let fs = fatfs::FileSystem::new(medium, fatfs::FsOptions::new()).unwrap();
    let mut found = BTreeMap::new();
    for folder in ["", "overlays/"] {
        let root = fs.root_dir();
        let dir = match folder {
            "" => root,
            name => root.open_dir(name.trim_end_matches('/')).unwrap(),
        };
        for entry in dir
            .iter()
            .map(Result::unwrap)
            .filter(fatfs::DirEntry::is_file)
        {
            let mut bytes = Vec::new();
            entry.to_file().read_to_end(&mut bytes).unwrap();
            found.insert(format!("{folder}{}", entry.file_name()), bytes.into());
        }
    }
    found
}
