//! Mounting a partition of a disk that has no partition table yet.
//!
//! The table is written last of all, so the kernel is told about one partition at a time by hand
//! (`BLKPG`), and forgets it again when the mount goes.

use super::{kernel, sysfs};
use imaging::partitions::Partition;
use imaging::personalise::{Mount, Mounted, RootFs};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statfs::statfs;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const PLACE: &str = "/mnt";
/// How long the node of a new partition may take to appear.
const NODE_PATIENCE: Duration = Duration::from_secs(5);

/// Mounts an ext4 partition of the disk at `disk`, read-only at first.
pub(crate) fn open(disk: &Path, partition: &Partition) -> io::Result<Box<dyn RootFs>> {
    let device = File::options().read(true).write(true).open(disk)?;
    forget_all(disk, &device)?;
    kernel::add_partition(&device, partition.number, partition.start, partition.len)?;
    let node = node(disk, partition.number);
    let until = Instant::now() + NODE_PATIENCE;
    while !node.exists() {
        if Instant::now() > until {
            return Err(io::Error::other(format!(
                "{} does not appear",
                node.display()
            )));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    std::fs::create_dir_all(PLACE)?;
    let flags = safe() | MsFlags::MS_RDONLY;
    mount(Some(&node), PLACE, Some("ext4"), flags, None::<&str>)?;
    let mounted = KernelMount {
        device,
        number: partition.number,
        mounted: true,
    };
    Ok(Box::new(Mounted::new(PathBuf::from(PLACE), mounted)))
}

/// Nothing of the image is run or believed.
fn safe() -> MsFlags {
    MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC | MsFlags::MS_NOATIME
}

/// Makes the kernel forget what it knew of the disk's partitions, from before or from the last one
/// mounted.
fn forget_all(disk: &Path, device: &File) -> io::Result<()> {
    let name = sysfs::name(disk);
    for entry in sysfs::entries(&Path::new("/sys/block").join(name)) {
        if let Some(number) = sysfs::number(&entry.join("partition")) {
            kernel::remove_partition(device, number)?;
        }
    }
    Ok(())
}

/// `/dev/sda2`, `/dev/mmcblk0p2`.
fn node(disk: &Path, number: u32) -> PathBuf {
    let name = disk.to_string_lossy();
    let p = if name.ends_with(|c: char| c.is_ascii_digit()) {
        "p"
    } else {
        ""
    };
    PathBuf::from(format!("{name}{p}{number}"))
}

#[derive(Debug)]
struct KernelMount {
    device: File,
    number: u32,
    mounted: bool,
}

impl Mount for KernelMount {
    fn make_writable(&mut self) -> io::Result<()> {
        let flags = safe() | MsFlags::MS_REMOUNT;
        mount(None::<&str>, PLACE, None::<&str>, flags, None::<&str>)?;
        Ok(())
    }

    fn grow(&mut self, partition_bytes: u64) -> io::Result<u64> {
        let before = statfs(PLACE)?;
        let block = u64::try_from(before.block_size()).map_err(io::Error::other)?;
        let blocks = partition_bytes / block.max(1);
        kernel::resize_ext4(&File::open(PLACE)?, blocks)?;
        Ok(blocks * block)
    }

    fn unmount(&mut self) -> io::Result<()> {
        nix::unistd::sync();
        let until = Instant::now() + NODE_PATIENCE;
        loop {
            match umount2(PLACE, MntFlags::empty()) {
                Ok(()) => break,
                Err(Errno::EBUSY) if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(e) => return Err(e.into()),
            }
        }
        self.mounted = false;
        // Forgetting the partition also forgets its pages: whoever looks next asks the medium.
        kernel::remove_partition(&self.device, self.number)?;
        self.device.sync_all()?;
        kernel::drop_cache(&self.device)
    }
}

impl Drop for KernelMount {
    fn drop(&mut self) {
        if self.mounted {
            umount2(PLACE, MntFlags::MNT_DETACH).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_named_as_the_kernel_names_them() {
        assert_eq!(node(Path::new("/dev/vda"), 2), Path::new("/dev/vda2"));
        assert_eq!(
            node(Path::new("/dev/nvme0n1"), 1),
            Path::new("/dev/nvme0n1p1")
        );
    }
}
