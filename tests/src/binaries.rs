//! What is under test and what it needs: the `punnet` binary, the board agent's archive, the test
//! image and the UEFI loader. Each is made when it is missing, once per run.

use crate::running::expect;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The source tree.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the tree")
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The `punnet` binary: the one named by `PUNNET`, or one built now.
pub fn punnet() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        std::env::var_os("PUNNET").map_or_else(
            || {
                let _one_name = building();
                cargo(&["build", "-p", "punnet", "--no-default-features"]);
                target().join("debug/punnet")
            },
            PathBuf::from,
        )
    })
}

/// The same with the window: the one named by `PUNNET_WINDOW`, or one built now. Both are built
/// under one name, so this one gets another.
pub fn punnet_window() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        std::env::var_os("PUNNET_WINDOW").map_or_else(
            || {
                let _one_name = building();
                cargo(&["build", "-p", "punnet"]);
                let built = target().join("debug/punnet-window");
                // It may be there from an earlier run.
                let _ = std::fs::remove_file(&built);
                std::fs::hard_link(target().join("debug/punnet"), &built)
                    .expect("a second name for the program");
                built
            },
            PathBuf::from,
        )
    })
}

/// The helper with the network rights: the one named by `PUNNET_HELPER`, or one built now.
pub fn helper() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        std::env::var_os("PUNNET_HELPER").map_or_else(
            || {
                cargo(&["build", "-p", "punnet-net"]);
                target().join("debug/punnet-net")
            },
            PathBuf::from,
        )
    })
}

/// An example program of one of the crates, built now unless `PUNNET_EXAMPLES` names the folder
/// that holds it.
pub fn example(package: &str, name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os("PUNNET_EXAMPLES") {
        return PathBuf::from(folder).join(name);
    }
    cargo(&["build", "-p", package, "--example", name]);
    target().join("debug/examples").join(name)
}

/// The archive that arm64 boards boot.
pub fn agent_arm64() -> PathBuf {
    static ARCHIVE: OnceLock<PathBuf> = OnceLock::new();
    ARCHIVE
        .get_or_init(|| made("punnet-agent-arm64.cpio.zst", "board/build.sh"))
        .clone()
}

/// The UEFI network boot loader for arm64.
pub fn loader_arm64() -> PathBuf {
    made("grubaa64.efi", "image/loader.sh")
}

/// The small arm64 system image.
pub fn small_image() -> &'static Path {
    static IMAGE: OnceLock<PathBuf> = OnceLock::new();
    IMAGE.get_or_init(|| script("image/small.sh"))
}

/// The full Debian arm64 image, when `PUNNET_SOAK` asks for it: making it takes minutes.
pub fn debian_image() -> Option<PathBuf> {
    std::env::var_os("PUNNET_SOAK").map(|_| script("image/debian.sh"))
}

/// The machine without Punnet on which the packages are tried: a folder with disk, kernel, initrd.
pub fn guest() -> PathBuf {
    script("image/guest.sh")
}

/// A file of the folder of things for boards; made by a script when it is missing.
fn made(name: &str, by: &str) -> PathBuf {
    let file = root().join("target/board").join(name);
    if !file.exists() {
        expect(&mut Command::new(root().join("packaging").join(by)));
    }
    file
}

/// Runs a script that prints the path of what it made.
fn script(name: &str) -> PathBuf {
    let said = expect(&mut Command::new(root().join("packaging").join(name)));
    PathBuf::from(said.lines().last().unwrap_or_default())
}

/// The build with the window and the one without have one name: one at a time.
fn building() -> MutexGuard<'static, ()> {
    static BUILDING: Mutex<()> = Mutex::new(());
    BUILDING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn cargo(arguments: &[&str]) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    expect(Command::new(cargo).args(arguments).current_dir(root()));
}
