//! A small golden image laid out like Raspberry Pi OS: a FAT boot partition with kernels and device
//! trees, an ext4 root with a system's name and kernel modules, and garbage wherever nothing is.

use crate::fixture::{
    Dice, MIB, copy_into, fill_with_garbage, random_tree, run, temp, text, write_mbr,
};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

pub(crate) const BOOT_AT: u64 = 4 * MIB;
pub(crate) const BOOT_BYTES: u64 = 36 * MIB;
pub(crate) const ROOT_AT: u64 = 44 * MIB;
pub(crate) const ROOT_BYTES: u64 = 40 * MIB;
/// Some space behind the last partition, too.
pub(crate) const DISK_BYTES: u64 = 86 * MIB;

pub(crate) const KERNEL_VERSION: &str = "6.12.25+rpt-rpi-2712";

/// What may differ between golden images.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) cmdline: &'static str,
    pub(crate) config: &'static str,
    /// Text files of the root file system beside the usual ones.
    pub(crate) extra: &'static [(&'static str, &'static str)],
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            cmdline: "console=tty1 root=PARTUUID=1234abcd-02 rootfstype=ext4 rootwait",
            config: "arm_64bit=1\n[all]\nenable_uart=1\n",
            extra: &[],
        }
    }
}

/// A kernel for 64-bit ARM, as far as anybody looks at it.
pub(crate) fn arm64_kernel(version: &str) -> Vec<u8> {
    let mut kernel = vec![0; 4096];
    kernel[56..60].copy_from_slice(b"ARM\x64");
    kernel.extend_from_slice(format!("Linux version {version} (a@b) #1\0").as_bytes());
    kernel.extend(Dice::new(7).bytes(300_000));
    kernel
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// The file system of the boot partition, with these files at its top beside the usual ones.
pub(crate) fn boot_fs(dir: &Path, recipe: &Recipe) -> PathBuf {
    let tree = dir.join("boot-tree");
    fs::create_dir_all(tree.join("overlays")).unwrap();
    let files: [(&str, Vec<u8>); 8] = [
        ("config.txt", recipe.config.into()),
        ("cmdline.txt", recipe.cmdline.into()),
        ("kernel8.img", arm64_kernel("6.12.25+rpt-rpi-v8")),
        ("kernel_2712.img", gzip(&arm64_kernel(KERNEL_VERSION))),
        ("bcm2712-rpi-5-b.dtb", Dice::new(1).bytes(70_000)),
        ("bcm2711-rpi-4-b.dtb", Dice::new(2).bytes(50_000)),
        ("overlays/a rather long name.dtbo", Dice::new(3).bytes(3000)),
        ("overlays/README", b"overlays\n".to_vec()),
    ];
    for (name, bytes) in files {
        fs::write(tree.join(name), bytes).unwrap();
    }
    let fs = dir.join("boot-fs");
    fill_with_garbage(&fs, BOOT_BYTES, 5);
    run(
        "mkfs.fat",
        &[
            "-F",
            "32",
            "-s",
            "1",
            "-n",
            "bootfs",
            "-i",
            "1234abcd",
            text(&fs),
        ],
    );
    for entry in fs::read_dir(&tree).unwrap() {
        let path = entry.unwrap().path();
        run("mcopy", &["-s", "-i", text(&fs), text(&path), "::/"]);
    }
    fs
}

/// The root file system.
pub(crate) fn root_fs(dir: &Path, recipe: &Recipe) -> PathBuf {
    let tree = dir.join("root-tree");
    let modules = tree.join("usr/lib/modules").join(KERNEL_VERSION);
    for folder in ["etc", "usr/lib", "usr/bin", "home/pi"] {
        fs::create_dir_all(tree.join(folder)).unwrap();
    }
    symlink("usr/lib", tree.join("lib")).unwrap();
    symlink("../usr/lib/os-release", tree.join("etc/os-release")).unwrap();
    fs::write(
        tree.join("usr/lib/os-release"),
        "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n",
    )
    .unwrap();
    make_modules(&modules);
    for (path, content) in recipe.extra {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    random_tree(&tree.join("home/pi"), 40, 500_000, 11);
    let fs = dir.join("root-fs");
    fill_with_garbage(&fs, ROOT_BYTES, 6);
    let args = [
        "-q",
        "-F",
        "-t",
        "ext4",
        "-L",
        "rootfs",
        "-E",
        "nodiscard",
        "-d",
    ];
    run("mke2fs", &[&args[..], &[text(&tree), text(&fs)]].concat());
    fs
}

/// Modules in every packing, one that needs others, and one that is built in.
fn make_modules(folder: &Path) {
    let module = |path: &str, bytes: &[u8]| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    };
    let net = "kernel/drivers/net";
    let plain = |name: &str| format!("the module {name}").into_bytes();
    let virtio = module(&format!("{net}/virtio_net.ko"), &plain("virtio_net"));
    run("xz", &["--check=crc32", text(&virtio)]);
    let failover = module("kernel/net/core/failover.ko", &plain("failover"));
    run("zstd", &["-q", "--rm", text(&failover)]);
    let net_failover = gzip(&plain("net_failover"));
    module(&format!("{net}/net_failover.ko.gz"), &net_failover);
    module("kernel/fs/fat/vfat.ko", &plain("vfat"));
    let dep = format!(
        "{net}/virtio_net.ko.xz: {net}/net_failover.ko.gz kernel/net/core/failover.ko.zst\n\
         {net}/net_failover.ko.gz: kernel/net/core/failover.ko.zst\n\
         kernel/net/core/failover.ko.zst:\nkernel/fs/fat/vfat.ko:\n\
         kernel/sound/not-wanted.ko:\n"
    );
    module("modules.dep", dep.as_bytes());
    module("modules.builtin", b"kernel/drivers/nvme/host/nvme.ko\n");
}

/// Puts both file systems on one disk.
pub(crate) fn assemble(disk: &Path, boot: &Path, root: &Path) {
    fill_with_garbage(disk, DISK_BYTES, 4);
    let mut file = File::options().read(true).write(true).open(disk).unwrap();
    write_mbr(
        &mut file,
        &[(0x0c, BOOT_AT, BOOT_BYTES), (0x83, ROOT_AT, ROOT_BYTES)],
    );
    copy_into(&mut file, BOOT_AT, boot);
    copy_into(&mut file, ROOT_AT, root);
}

/// Makes a golden image as `<dir>/golden.img`.
pub(crate) fn make(dir: &Path, recipe: &Recipe) -> PathBuf {
    let disk = dir.join("golden.img");
    assemble(&disk, &boot_fs(dir, recipe), &root_fs(dir, recipe));
    disk
}

/// The usual golden image, made once for all tests.
pub(crate) static GOLDEN: LazyLock<PathBuf> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("imaging-golden");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    make(&dir, &Recipe::default())
});

/// The golden image under every compression: (name, file).
pub(crate) static PACKED: LazyLock<Vec<(&'static str, PathBuf)>> =
    LazyLock::new(|| packed(&GOLDEN, GOLDEN.parent().unwrap()));

/// A file under every compression, in `dir`.
pub(crate) fn packed(file: &Path, dir: &Path) -> Vec<(&'static str, PathBuf)> {
    // Several blocks, several members and several frames: as the parallel tools make them.
    let script = |name: &str, command: &str| {
        let to = dir.join(name);
        let line = command.replace("IN", text(file)).replace("OUT", text(&to));
        run("sh", &["-c", &line]);
        to
    };
    let halves =
        |tool: &str| format!("(head -c 5000000 IN | {tool} && tail -c +5000001 IN | {tool}) > OUT");
    let zip = dir.join("packed.zip");
    let _ = fs::remove_file(&zip);
    run("zip", &["-q", "-1", "-j", text(&zip), text(file)]);
    vec![
        ("raw", file.to_owned()),
        (
            "xz",
            script("packed.xz", "xz -0 -T2 --block-size=2MiB -c IN > OUT"),
        ),
        ("xz, two streams", script("packed2.xz", &halves("xz -0 -c"))),
        ("gz", script("packed.gz", &halves("gzip -1 -c"))),
        ("bz2", script("packed.bz2", &halves("bzip2 -1 -c"))),
        ("zst", script("packed.zst", &halves("zstd -q -1 -c"))),
        ("zip", zip),
    ]
}

#[test]
fn the_golden_image_is_sound() {
    let dir = temp();
    let root = dir.path().join("root");
    crate::fixture::copy_out(&GOLDEN, ROOT_AT, ROOT_BYTES, &root);
    run("e2fsck", &["-f", "-n", text(&root)]);
}
