//! In which order each model asks for its files. These lists are the heart of the simulation: they
//! follow raw TFTP logs of real boards line by line, probes and doubled slashes included.

use crate::identity::Identity;
use crate::model::{self, Model};

/// How a file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// One whole transfer.
    Read,
    /// Is it there? The transfer is ended with ERROR 0 as soon as the server has answered.
    Probe,
    /// First a probe, then, if it is there, a whole transfer.
    ProbeThenRead,
}

/// One thing a bootloader wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// Look for these under the serial number's folder; when none is there, forget the folder for
    /// the rest of the boot.
    Folder(&'static [&'static str]),
    /// `config.txt`; `doubled` asks for it as `<folder>//config.txt`.
    Config { doubled: bool },
    /// A file of the firmware without which the board cannot go on.
    Firmware(&'static str),
    /// A file that may be missing, whose content does not matter here.
    Optional(&'static str),
    /// `pieeprom.sig`, and the update behind it when it is newer than the board's EEPROM.
    SelfUpdate,
    /// `boot.img`, if the configuration asks for it; all that follows is read from it.
    Ramdisk,
    /// The device tree, as proof that the system is meant for this board.
    OsCheck,
    /// Which kernel there is.
    PickKernel,
    /// The initramfs that the configuration names.
    Initramfs,
    /// The device tree.
    DeviceTree,
    /// `overlays/overlay_map.dtb`; `doubled` as above.
    OverlayMap,
    /// The overlay without which a D0 processor cannot run.
    D0Overlay,
    /// The overlays that the configuration names.
    Overlays,
    /// The kernel's command line.
    Cmdline,
    /// The kernel.
    Kernel,
}

/// From which program on the requests come; they differ in the TFTP options they send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// Boot ROM: no options.
    Rom,
    /// Boot EEPROM: size and block size.
    Eeprom,
    /// `bootcode.bin` and `start.elf` of a Pi 3: size only.
    StartElf3,
    /// `start4.elf`: size, and block size in all but some versions.
    StartElf4,
}

/// One line of a plan.
pub(super) type Step = (Program, Way, Want);

/// The plan of a board's model.
pub(super) fn of(board: &Identity) -> Vec<Step> {
    match board.model {
        Model::Pi3BPlus => pi3(),
        Model::Pi4 => pi4(board),
        Model::Pi5 | Model::Cm5 => pi5(board),
    }
}

fn pi5(board: &Identity) -> Vec<Step> {
    use Want::{
        Cmdline, Config, D0Overlay, DeviceTree, Folder, Initramfs, Kernel, Optional, OsCheck,
        OverlayMap, Overlays, PickKernel, Ramdisk, SelfUpdate,
    };
    let again = Config { doubled: true };
    let mut wants = vec![
        (Way::Probe, Folder(&["config.txt"])),
        (Way::Read, Config { doubled: false }),
        (Way::Read, SelfUpdate),
        (Way::Read, Ramdisk),
        (Way::Read, OsCheck),
        (Way::Read, again),
        (Way::Read, again),
        (Way::Probe, PickKernel),
        (Way::Read, Initramfs),
        (Way::Read, DeviceTree),
        (Way::Read, OverlayMap),
    ];
    if model::has_d0_silicon(board.revision) {
        wants.push((Way::Read, D0Overlay));
    }
    wants.extend([
        (Way::Read, again),
        (Way::Read, Overlays),
        (Way::Read, Cmdline),
        (Way::Read, Optional("armstub8-2712.bin")),
        (Way::Read, Kernel),
    ]);
    let eeprom = |(way, want)| (Program::Eeprom, way, want);
    wants.into_iter().map(eeprom).collect()
}

fn pi4(board: &Identity) -> Vec<Step> {
    use Want::{
        Cmdline, Config, DeviceTree, Firmware, Folder, Initramfs, Kernel, Optional, OverlayMap,
        Overlays, PickKernel, Ramdisk, SelfUpdate,
    };
    let config = Config { doubled: false };
    let mut eeprom = vec![
        (Way::Probe, Folder(&["start4.elf", "start.elf"])),
        (Way::Read, config),
    ];
    if model::has_vl805_eeprom(board.revision) {
        eeprom.push((Way::Read, Optional("vl805.sig")));
    }
    eeprom.extend([
        (Way::Read, SelfUpdate),
        (Way::Read, Ramdisk),
        (Way::Probe, Optional("recover4.elf")),
        (Way::Probe, Optional("recovery.elf")),
        (Way::Read, Firmware("start4.elf")),
        (Way::Read, Firmware("fixup4.dat")),
    ]);
    // From here on `start4.elf` asks, and looks before it takes.
    let start_elf = [
        (Way::Probe, Optional("recovery.elf")),
        (Way::ProbeThenRead, config),
        (Way::Read, config),
        (Way::Read, Optional("dt-blob.bin")),
        (Way::Probe, Optional("recovery.elf")),
        (Way::ProbeThenRead, config),
        (Way::Read, config),
        (Way::Read, Optional("bootcfg.txt")),
        (Way::ProbeThenRead, Initramfs),
        (Way::ProbeThenRead, DeviceTree),
        (Way::ProbeThenRead, OverlayMap),
        (Way::Read, config),
        (Way::ProbeThenRead, Overlays),
        (Way::ProbeThenRead, Cmdline),
        (Way::Probe, Optional("recovery8.img")),
        (Way::Probe, PickKernel),
        (Way::Read, Optional("armstub8-gic.bin")),
        (Way::ProbeThenRead, Kernel),
    ];
    let first = eeprom.into_iter().map(|(y, w)| (Program::Eeprom, y, w));
    let second = start_elf.into_iter();
    first
        .chain(second.map(|(y, w)| (Program::StartElf4, y, w)))
        .collect()
}

fn pi3() -> Vec<Step> {
    use Want::{
        Cmdline, Config, DeviceTree, Firmware, Folder, Initramfs, Kernel, Optional, OverlayMap,
        Overlays, PickKernel,
    };
    let config = Config { doubled: false };
    // The ROM knows no folder; `bootcode.bin` looks for one.
    let rom = [
        (Way::Read, Firmware("bootcode.bin")),
        (Way::Read, Optional("bootsig.bin")),
    ];
    let start_elf = [
        (Way::Probe, Folder(&["start.elf"])),
        (Way::Probe, Optional("autoboot.txt")),
        (Way::Probe, Optional("start.elf")),
        (Way::Read, config),
        (Way::Probe, Optional("recovery.elf")),
        (Way::Read, Firmware("start.elf")),
        (Way::Read, Firmware("fixup.dat")),
        (Way::Probe, Optional("recovery.elf")),
        (Way::ProbeThenRead, config),
        (Way::Read, config),
        (Way::Read, Optional("dt-blob.bin")),
        (Way::Read, config),
        (Way::Read, Optional("bootcfg.txt")),
        (Way::ProbeThenRead, Initramfs),
        (Way::ProbeThenRead, DeviceTree),
        (Way::ProbeThenRead, OverlayMap),
        (Way::ProbeThenRead, Overlays),
        (Way::ProbeThenRead, Cmdline),
        (Way::Probe, PickKernel),
        (Way::Read, Optional("armstub8.bin")),
        (Way::Read, Kernel),
    ];
    let first = rom.into_iter().map(|(y, w)| (Program::Rom, y, w));
    let second = start_elf.into_iter();
    first
        .chain(second.map(|(y, w)| (Program::StartElf3, y, w)))
        .collect()
}
