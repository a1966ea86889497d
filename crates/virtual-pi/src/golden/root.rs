//! The root partition: an ext4 file system laid out as Debian lays it out.

use super::{Golden, GoldenError, HOSTNAME, partuuid};
use crate::chance::Chance;
use crate::tool::{Tool, at};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

const KERNEL_VERSION: &str = "6.12.0-rehearsal-v8";

pub(super) fn make(
    image: &Path,
    (start, len): (u64, u64),
    golden: &Golden,
    disk_id: u32,
    chance: &mut Chance,
) -> Result<(), GoldenError> {
    let dir = tempfile::tempdir()?;
    let tree = Tree(dir.path().join("root"));
    tree.fill(golden, disk_id, chance)?;
    let mut id = [0; 16];
    chance.fill(&mut id);
    let [uuid, seed] = [uuid_of(id), uuid_of(id.map(|b| !b))];
    let options = format!("offset={start},root_owner=0:0,hash_seed={seed},nodiscard");
    let source = tree.0.display().to_string();
    let (image_text, size) = (image.display().to_string(), format!("{}k", len >> 10));
    let args = [
        "-q",
        "-F",
        "-t",
        "ext4",
        "-b",
        "4096",
        "-I",
        "256",
        "-m",
        "1",
        "-L",
        "rootfs",
        "-U",
        &uuid,
        "-E",
        &options,
        "-d",
        &source,
        &image_text,
        &size,
    ];
    Tool::Mke2fs.run(args)?;
    own(image, start, &tree, dir.path())?;
    Ok(())
}

fn uuid_of(mut bytes: [u8; 16]) -> String {
    // RFC 9562 version 4, variant 10.
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

// `mke2fs -d` copies the owner of each file, which is whoever rehearses. In a system they belong to
// root, a home to its user.
fn own(image: &Path, start: u64, tree: &Tree, scratch: &Path) -> Result<(), GoldenError> {
    let script = scratch.join("owners");
    let mut out = fs::File::create(&script)?;
    for path in tree.paths()? {
        let owner = if path.starts_with("/home/pi") {
            1000
        } else {
            0
        };
        for field in ["uid", "gid"] {
            writeln!(out, "set_inode_field {path} {field} {owner}")?;
        }
    }
    writeln!(
        out,
        "ea_set /usr/bin/ping security.capability \\001\\000\\000\\002\\000\\040\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000"
    )?;
    drop(out);
    let script = script.display().to_string();
    Tool::Debugfs.run(["-w", "-f", &script, &at(image, start)])?;
    Ok(())
}

/// A folder that becomes the root of the file system.
struct Tree(PathBuf);

impl Tree {
    fn fill(&self, golden: &Golden, disk_id: u32, chance: &mut Chance) -> io::Result<()> {
        for folder in [
            "boot/firmware",
            "dev",
            "etc/ssh",
            "home/pi",
            "proc",
            "root",
            "run",
            "sys",
            "tmp",
            "usr/lib/systemd/system",
            "usr/sbin",
            "var/lib",
            "var/log",
            "var/tmp",
            "etc/systemd/system/multi-user.target.wants",
        ] {
            fs::create_dir_all(self.0.join(folder))?;
        }
        for (link, to) in [
            ("bin", "usr/bin"),
            ("sbin", "usr/sbin"),
            ("lib", "usr/lib"),
            ("etc/os-release", "../usr/lib/os-release"),
            ("etc/localtime", "/usr/share/zoneinfo/Etc/UTC"),
            ("sbin/init", "../lib/systemd/systemd"),
        ] {
            symlink(to, self.0.join(link))?;
        }
        self.fill_etc(disk_id, chance)?;
        self.fill_usr(golden, chance)?;
        self.put("home/pi/.bashrc", b"alias ll='ls -l'\n", 0o600)?;
        fs::hard_link(self.0.join("usr/bin/sh"), self.0.join("usr/bin/dash"))?;
        fs::set_permissions(self.0.join("tmp"), fs::Permissions::from_mode(0o1777))
    }

    fn fill_etc(&self, disk_id: u32, chance: &mut Chance) -> io::Result<()> {
        let fstab = format!(
            "proc /proc proc defaults 0 0\n{} /boot/firmware vfat defaults 0 2\n{} / ext4 defaults,noatime 0 1\n",
            partuuid(disk_id, 1),
            partuuid(disk_id, 2)
        );
        let hosts =
            format!("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n127.0.1.1\t{HOSTNAME}\n");
        let machine_id = chance.hex(16);
        let texts = [
            ("fstab", fstab, 0o644),
            ("hostname", format!("{HOSTNAME}\n"), 0o644),
            ("hosts", hosts, 0o644),
            ("machine-id", format!("{machine_id}\n"), 0o444),
            (
                "passwd",
                "root:x:0:0:root:/root:/bin/sh\npi:x:1000:1000::/home/pi:/bin/sh\n".into(),
                0o644,
            ),
            ("shadow", "root:*:20000:0:99999:7:::\n".into(), 0o640),
            ("group", "root:x:0:\npi:x:1000:\n".into(), 0o644),
            ("ssh/sshd_config", "PermitRootLogin no\n".into(), 0o644),
            (
                "systemd/system/sshd.service",
                "[Unit]\nDescription=SSH\n".into(),
                0o644,
            ),
        ];
        for (name, text, mode) in texts {
            self.put(&format!("etc/{name}"), text.as_bytes(), mode)?;
        }
        for kind in ["rsa", "ed25519"] {
            let key = chance.hex(96);
            let name = format!("etc/ssh/ssh_host_{kind}_key");
            self.put(&name, format!("PRIVATE {key}\n").as_bytes(), 0o600)?;
            self.put(
                &format!("{name}.pub"),
                format!("PUBLIC {key}\n").as_bytes(),
                0o644,
            )?;
        }
        Ok(())
    }

    fn fill_usr(&self, golden: &Golden, chance: &mut Chance) -> io::Result<()> {
        let release = "PRETTY_NAME=\"Rehearsal GNU/Linux 13 (synthetic)\"\nNAME=\"Rehearsal\"\nID=debian\nVERSION_ID=\"13\"\n";
        self.put("usr/lib/os-release", release.as_bytes(), 0o644)?;
        for program in ["sh", "curl", "wget", "ssh-keygen", "systemctl", "ping"] {
            self.put(&format!("usr/bin/{program}"), b"#!dummy\n", 0o755)?;
        }
        self.put("usr/bin/sudo", b"#!dummy\n", 0o4755)?;
        self.put("usr/lib/systemd/systemd", b"#!dummy\n", 0o755)?;
        let modules = format!("usr/lib/modules/{KERNEL_VERSION}");
        self.put(&format!("{modules}/modules.dep"), b"", 0o644)?;
        self.put(
            &format!("{modules}/modules.builtin"),
            b"kernel/fs/ext4/ext4.ko\n",
            0o644,
        )?;

        // A third of the payload each: one file that compresses well, one that does not, and many
        // small ones.
        let third = (golden.payload_bytes / 3) as usize;
        let line = b"All work and no play makes a dull rehearsal.\n";
        let text: Vec<u8> = line.iter().copied().cycle().take(third).collect();
        self.put("usr/share/doc/rehearsal/text", &text, 0o644)?;
        let mut noise = vec![0; third];
        chance.fill(&mut noise);
        self.put("usr/lib/rehearsal/noise.bin", &noise, 0o644)?;
        let many = third / 8192;
        for index in 0..many {
            let len = 1 + chance.below(16_000) as usize;
            chance.fill(&mut noise[..len.min(third)]);
            let name = format!("usr/share/rehearsal/{:02}/{index:04}", index % 16);
            self.put(&name, &noise[..len.min(third)], 0o644)?;
        }
        Ok(())
    }

    fn put(&self, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let path = self.0.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, bytes)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
    }

    /// Every path in it, as it is called in the file system.
    fn paths(&self) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                if let Ok(path) = entry.path().strip_prefix(&self.0) {
                    found.push(format!("/{}", path.display()));
                }
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        Ok(found)
    }
}
