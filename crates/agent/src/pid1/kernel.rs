//! The few requests to the kernel that have no safe wrapper: all of this crate's `unsafe`.
//!
//! Each function takes an open file and plain numbers, builds the structure that the kernel header
//! named beside it describes, and hands over a pointer that lives for the length of the call. That
//! is the whole obligation: these requests keep no pointer.

#![expect(unsafe_code, reason = "ioctl has no safe form; see the module's text")]

use nix::libc::{c_char, c_int, c_longlong, c_void, winsize};
use nix::{
    ioctl_none_bad, ioctl_read_bad, ioctl_write_ptr, ioctl_write_ptr_bad, request_code_none,
};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// `struct blkpg_partition` of linux/blkpg.h.
#[repr(C)]
struct BlkpgPartition {
    start: c_longlong,
    length: c_longlong,
    pno: c_int,
    devname: [c_char; 64],
    volname: [c_char; 64],
}

/// `struct blkpg_ioctl_arg` of linux/blkpg.h.
#[repr(C)]
pub(crate) struct BlkpgArg {
    op: c_int,
    flags: c_int,
    datalen: c_int,
    data: *mut c_void,
}

const BLKPG_ADD_PARTITION: c_int = 1;
const BLKPG_DEL_PARTITION: c_int = 2;

// linux/fs.h: BLKDISCARD, BLKFLSBUF; linux/blkpg.h: BLKPG; fs/ext4/ext4.h: EXT4_IOC_RESIZE_FS.
ioctl_write_ptr_bad!(blkdiscard, request_code_none!(0x12, 119), [u64; 2]);
ioctl_none_bad!(blkflsbuf, request_code_none!(0x12, 97));
ioctl_write_ptr_bad!(blkpg, request_code_none!(0x12, 105), BlkpgArg);
ioctl_write_ptr!(ext4_resize, b'f', 16, u64);
ioctl_read_bad!(tiocgwinsz, nix::libc::TIOCGWINSZ, winsize);

/// Tells a block device that a range holds nothing of value.
pub(crate) fn discard(disk: &File, offset: u64, len: u64) -> io::Result<()> {
    let range = [offset, len];
    // SAFETY: the kernel reads two numbers from `range`.
    unsafe { blkdiscard(disk.as_raw_fd(), &raw const range) }?;
    Ok(())
}

/// Forgets what the page cache holds of a block device.
pub(crate) fn drop_cache(disk: &File) -> io::Result<()> {
    // SAFETY: no pointer is passed.
    unsafe { blkflsbuf(disk.as_raw_fd()) }?;
    Ok(())
}

/// Makes a partition known to the kernel without a partition table on the disk.
pub(crate) fn add_partition(disk: &File, number: u32, start: u64, len: u64) -> io::Result<()> {
    partition(disk, BLKPG_ADD_PARTITION, number, start, len)
}

/// Makes the kernel forget a partition.
pub(crate) fn remove_partition(disk: &File, number: u32) -> io::Result<()> {
    partition(disk, BLKPG_DEL_PARTITION, number, 0, 0)
}

fn partition(disk: &File, op: c_int, number: u32, start: u64, len: u64) -> io::Result<()> {
    let large = |n: u64| c_longlong::try_from(n).map_err(io::Error::other);
    let datalen = c_int::try_from(size_of::<BlkpgPartition>()).map_err(io::Error::other)?;
    let mut part = BlkpgPartition {
        start: large(start)?,
        length: large(len)?,
        pno: c_int::try_from(number).map_err(io::Error::other)?,
        devname: [0; 64],
        volname: [0; 64],
    };
    let arg = BlkpgArg {
        op,
        flags: 0,
        datalen,
        data: (&raw mut part).cast(),
    };
    // SAFETY: `arg` points to `part`, whose length it gives; both outlive the call.
    unsafe { blkpg(disk.as_raw_fd(), &raw const arg) }?;
    Ok(())
}

/// Grows the mounted ext4 file system that `inside` lies in to so many of its blocks.
pub(crate) fn resize_ext4(inside: &File, blocks: u64) -> io::Result<()> {
    // SAFETY: the kernel reads one number from `blocks`.
    unsafe { ext4_resize(inside.as_raw_fd(), &raw const blocks) }?;
    Ok(())
}

/// Columns and rows of a terminal; `None` when it does not say.
pub(crate) fn window_size(terminal: &File) -> Option<(usize, usize)> {
    let mut size = winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: the kernel writes one `winsize` to `size`.
    unsafe { tiocgwinsz(terminal.as_raw_fd(), &raw mut size) }.ok()?;
    let known = size.ws_col > 0 && size.ws_row > 0;
    known.then_some((size.ws_col.into(), size.ws_row.into()))
}
