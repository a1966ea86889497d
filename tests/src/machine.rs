//! A board in QEMU: an aarch64 machine with UEFI firmware, an NVMe disk and a network card on the
//! lab's switch. Software emulation only, so that it runs anywhere and the same everywhere.

use crate::net::{Tap, inside};
use crate::running::Running;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the firmware tries first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// Its own disk; the network only when nothing there can be booted (BOOT_ORDER 0xf2461).
    Disk,
    /// The network; its own disk when the station declines it (BOOT_ORDER 0xf4612).
    Network,
}

/// How a board is built.
#[derive(Debug, Clone)]
pub struct Build {
    /// Its machine UUID.
    pub uuid: String,
    /// The Ethernet address of its card.
    pub mac: String,
    /// Where it is plugged in.
    pub tap: Tap,
    /// The file that is its disk.
    pub disk: PathBuf,
    /// What its firmware tries first.
    pub first: First,
}

/// A board that is switched on.
pub struct Machine {
    running: Running,
    console: Arc<(Mutex<Console>, Condvar)>,
    name: String,
}

#[derive(Default)]
struct Console {
    text: String,
    ended: bool,
}

/// The firmware, when it is there.
pub fn firmware() -> Option<&'static Path> {
    let file = Path::new("/usr/share/qemu-efi-aarch64/QEMU_EFI.fd");
    file.exists().then_some(file)
}

/// An empty disk of this many MiB.
pub fn empty_disk(file: &Path, mib: u64) {
    let disk = std::fs::File::create(file).expect("a disk file");
    disk.set_len(mib * 1024 * 1024).expect("a sparse disk file");
}

impl Machine {
    /// Switches a board on.
    pub fn power_on(build: &Build) -> Self {
        let (disk, net) = match build.first {
            First::Disk => (1, 2),
            First::Network => (2, 1),
        };
        let mut command = inside(&build.tap.namespace, "qemu-system-aarch64");
        command
            .args([
                "-M",
                "virt",
                "-accel",
                "tcg",
                "-cpu",
                "cortex-a72",
                "-smp",
                "1",
                "-m",
                "512",
            ])
            .args([
                "-nographic",
                "-serial",
                "stdio",
                "-monitor",
                "none",
                "-bios",
            ])
            .arg(firmware().expect("firmware"))
            // Network boot over IPv6 would only be waited for.
            .args(["-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"])
            .arg("-drive")
            .arg(format!(
                "if=none,id=disk,format=raw,cache=writeback,discard=unmap,file={}",
                build.disk.display()
            ))
            .arg("-device")
            .arg(format!(
                "nvme,drive=disk,serial={},bootindex={disk}",
                build.mac.replace(':', "")
            ))
            .arg("-netdev")
            .arg(format!(
                "tap,id=net,ifname={},script=no,downscript=no",
                build.tap.name
            ))
            .arg("-device")
            .arg(format!(
                "virtio-net-pci,netdev=net,mac={},bootindex={net}",
                build.mac
            ))
            .args(["-device", "virtio-rng-pci", "-uuid", &build.uuid])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut running = Running::start(command);
        let mut stdout = running.child().stdout.take().expect("piped above");
        let console: Arc<(Mutex<Console>, Condvar)> = Arc::default();
        let writer = Arc::clone(&console);
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            loop {
                let n = stdout.read(&mut piece).unwrap_or(0);
                let mut guard = writer.0.lock().unwrap_or_else(PoisonError::into_inner);
                guard.text.push_str(&String::from_utf8_lossy(&piece[..n]));
                guard.ended = n == 0;
                drop(guard);
                writer.1.notify_all();
                if n == 0 {
                    return;
                }
            }
        });
        Self {
            running,
            console,
            name: build.mac.clone(),
        }
    }

    /// Waits until a line that contains `words` has been printed after byte `from` of the console;
    /// returns that line and the place behind it.
    pub fn until_line(&self, at_most: Duration, words: &str, from: usize) -> (String, usize) {
        let deadline = Instant::now() + at_most;
        let (lock, changed) = &*self.console;
        let mut console = lock.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let text = console.text.get(from..).unwrap_or_default();
            if let Some(at) = text.find(words)
                && let Some(length) = text[at..].find('\n')
            {
                let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
                return (
                    text[start..at + length].trim().to_owned(),
                    from + at + length,
                );
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !console.ended,
                "board {} never printed {words:?} (waited {at_most:?}, ended: {}); its console:\n{}",
                self.name,
                console.ended,
                console.text
            );
            console = changed
                .wait_timeout(console, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Everything printed so far.
    pub fn console(&self) -> String {
        let guard = self.console.0.lock();
        guard.unwrap_or_else(PoisonError::into_inner).text.clone()
    }

    /// Pulls the plug.
    pub fn power_cut(self) {
        self.running.kill();
    }
}
