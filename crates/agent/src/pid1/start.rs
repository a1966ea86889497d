//! The first things PID 1 does: mount the kernel's file systems, and reap.

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::wait::waitpid;
use std::time::Duration;

/// What is mounted where; devtmpfs makes the nodes of disks and consoles by itself.
const MOUNTS: [(&str, &str); 5] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("tmpfs", "/run"),
    ("tmpfs", "/tmp"),
];

/// Mounts the kernel's file systems; one that is mounted already is fine.
pub(crate) fn mounts() -> nix::Result<()> {
    for (kind, place) in MOUNTS {
        std::fs::create_dir_all(place).ok();
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
        match mount(Some(kind), place, Some(kind), flags, None::<&str>) {
            Ok(()) | Err(Errno::EBUSY) => {}
            Err(e) => return Err(e),
        }
    }
    std::fs::create_dir_all("/mnt").ok();
    speak();
    // Only the kernel's own emergencies may write over the screen.
    std::fs::write("/proc/sys/kernel/printk", "2").ok();
    Ok(())
}

/// Ties standard output and error to the console: an initramfs without the node `/dev/console` left
/// the program without them.
fn speak() {
    let console = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/console");
    if let Ok(console) = console {
        nix::unistd::dup2_stdout(&console).ok();
        nix::unistd::dup2_stderr(&console).ok();
    }
}

/// Collects processes that nobody else waits for: PID 1's oldest duty. The agent starts none, the
/// kernel may (helpers of drivers).
pub(crate) fn reap() {
    std::thread::spawn(|| {
        loop {
            if waitpid(None, None).is_err() {
                std::thread::sleep(Duration::from_secs(2));
            }
        }
    });
}
