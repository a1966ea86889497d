//! A whole machine in QEMU: Debian with systemd for this processor, emulated in software, without any
//! network. Root's shell on its second serial port does what the test says.

use crate::binaries;
use crate::running::{Running, expect};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Until the machine is up, on a slow processor that is emulated on a busy one.
const UP: Duration = Duration::from_mins(8);
/// Until a command has ended, unless more is asked for.
const DONE: Duration = Duration::from_mins(4);
/// What the shell says when it is there.
const GREETING: &str = "HANDS\n";

/// A machine that is switched on.
pub struct Guest {
    _running: Running,
    hands: UnixStream,
    folder: TempDir,
    asked: u32,
}

/// The program that emulates this processor.
pub fn emulator() -> &'static str {
    if cfg!(target_arch = "aarch64") {
        "qemu-system-aarch64"
    } else {
        "qemu-system-x86_64"
    }
}

impl Guest {
    /// A new machine, up and with these files in `/mnt`.
    pub fn start(files: &[&Path]) -> Self {
        let base = binaries::guest();
        let folder = tempfile::Builder::new()
            .prefix("punnet-guest-")
            .tempdir_in("/var/tmp")
            .expect("a temporary folder");
        let place = |name: &str| folder.path().join(name);
        let disk = place("disk.img");
        expect(
            Command::new("cp")
                .args(["--sparse=always", "--reflink=auto"])
                .args([&base.join("disk.img"), &disk]),
        );
        let shelf = shelf(folder.path(), files);
        let console = fs::File::create(place("console.log")).expect("a file");
        let mut command = Command::new(emulator());
        command
            .args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"])
            .args([
                "-m",
                "1536",
                "-nographic",
                "-nic",
                "none",
                "-monitor",
                "none",
            ])
            .arg("-kernel")
            .arg(base.join("vmlinuz"))
            .arg("-initrd")
            .arg(base.join("initrd.img"))
            .args(["-append", "root=/dev/vda rw console=ttyS0 quiet"]);
        for (file, more) in [(&disk, "cache=unsafe"), (&shelf, "readonly=on")] {
            let file = file.display();
            command.args([
                "-drive",
                &format!("file={file},format=raw,if=virtio,{more}"),
            ]);
        }
        let socket = place("hands");
        command
            .args(["-serial", "stdio", "-chardev"])
            .arg(format!(
                "socket,id=hands,path={},server=on,wait=off",
                socket.display()
            ))
            .args(["-serial", "chardev:hands"])
            .stdin(Stdio::null())
            .stderr(console.try_clone().expect("a file"))
            .stdout(console);
        let running = Running::start(command);
        let deadline = Instant::now() + Duration::from_secs(20);
        let hands = loop {
            match UnixStream::connect(&socket) {
                Ok(hands) => break hands,
                Err(why) => assert!(Instant::now() < deadline, "no machine: {why}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut guest = Self {
            _running: running,
            hands,
            folder,
            asked: 0,
        };
        guest.be_up();
        guest
    }

    /// Waits until the shell is there, after a start.
    fn be_up(&mut self) {
        self.read_until(GREETING, UP);
        self.ok("mountpoint -q /mnt || mount -o ro /dev/vdb /mnt");
    }

    /// Starts the machine again, in order.
    pub fn reboot(&mut self) {
        self.hands
            .write_all(b"systemctl reboot\n")
            .expect("a shell");
        self.be_up();
    }

    /// Runs a command; its exit status and what it said on both outputs.
    pub fn run(&mut self, command: &str) -> (i32, String) {
        self.run_within(DONE, command)
    }

    /// The same, for what takes longer.
    pub fn run_within(&mut self, at_most: Duration, command: &str) -> (i32, String) {
        self.asked += 1;
        let mark = format!("[end {} ", self.asked);
        let line = format!("{{ {command}\n}} </dev/null 2>&1; echo \"{mark}$?]\"\n");
        self.hands.write_all(line.as_bytes()).expect("a shell");
        let said = self.read_until(&mark, at_most);
        let status = self.read_until("]\n", DONE);
        (status.parse().expect("a status"), said)
    }

    /// Runs a command that must succeed.
    pub fn ok(&mut self, command: &str) -> String {
        self.ok_within(DONE, command)
    }

    /// The same, for what takes longer.
    pub fn ok_within(&mut self, at_most: Duration, command: &str) -> String {
        let (status, said) = self.run_within(at_most, command);
        assert!(
            status == 0,
            "in the guest, {command} ended with {status}: {said}\n{}",
            self.state()
        );
        said.trim_end().to_owned()
    }

    /// Waits until a command succeeds; what it said then.
    pub fn until(&mut self, at_most: Duration, command: &str) -> String {
        let seconds = at_most.as_secs();
        let wait = format!(
            "so=; end=$(($(date +%s) + {seconds})); while [ $(date +%s) -lt $end ]; do \
             if said=$({command}); then so=yes; break; fi; sleep 0.2; done; echo \"$said\"; [ $so ]"
        );
        self.ok_within(at_most + DONE, &wait)
    }

    /// What the machine's owner would look at.
    fn state(&mut self) -> String {
        let look = "systemctl --no-pager status punnet 'punnet-net*'; \
                    journalctl --no-pager -n 60 -u 'punnet*'; ip -br addr";
        self.run(look).1
    }

    fn read_until(&mut self, mark: &str, at_most: Duration) -> String {
        let deadline = Instant::now() + at_most;
        let mut said = Vec::new();
        let mut byte = [0];
        while !said.ends_with(mark.as_bytes()) {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = left.max(Duration::from_millis(1));
            self.hands.set_read_timeout(Some(left)).expect("a timeout");
            match self.hands.read(&mut byte) {
                Ok(1) => said.push(byte[0]),
                other => panic!(
                    "the guest did not say {mark:?} in {at_most:?} ({other:?}) but {:?}; its console:\n{}",
                    String::from_utf8_lossy(&said),
                    fs::read_to_string(self.folder.path().join("console.log")).unwrap_or_default()
                ),
            }
        }
        said.truncate(said.len() - mark.len());
        String::from_utf8_lossy(&said).into_owned()
    }
}

/// A disk with these files.
fn shelf(folder: &Path, files: &[&Path]) -> PathBuf {
    let tree = folder.join("shelf");
    fs::create_dir(&tree).expect("a folder");
    let mut bytes = 16 << 20;
    for file in files {
        bytes += fs::metadata(file).expect("there").len() * 5 / 4;
        fs::copy(file, tree.join(file.file_name().expect("a file"))).expect("copied");
    }
    let disk = folder.join("shelf.img");
    fs::File::create(&disk)
        .and_then(|f| f.set_len(bytes))
        .expect("a disk");
    expect(
        Command::new("mke2fs")
            .args(["-q", "-t", "ext4", "-d"])
            .args([&tree, &disk]),
    );
    disk
}
