//! A board whose bootloader has an address and stops before the agent speaks.

use super::super::files::Reading;
use super::{Said, Sight, act, look};
use crate::net::findings::check;
use wire::Stage;
use wire::health::ServerKind;

/// Block sizes that bootloaders ask for, in bytes.
const BLOCKS: [u64; 5] = [512, 1024, 1428, 1456, 1468];
/// The highest block number that firmware before 2025-09-23 counts to.
const LAST_BLOCK: u64 = 65_535;

/// Loading or about to, and quiet.
fn loading(sight: &Sight<'_>) -> bool {
    sight.quiet_in(Stage::Addressed) || sight.quiet_in(Stage::LoadingBootFiles)
}

fn last<'a>(sight: &Sight<'a>) -> Option<&'a Reading> {
    let last = sight.seat.files.last.as_ref();
    last.filter(|_| sight.quiet_in(Stage::LoadingBootFiles))
}

pub(super) fn tftp_not_serving(sight: &Sight<'_>) -> Option<Said> {
    let how = sight
        .not_serving(ServerKind::Tftp)
        .filter(|_| loading(sight))?;
    act(
        format!("It has an address and gets no files: the station's TFTP server {how}."),
        "Start it on the health page, then power-cycle the board.",
    )
}

pub(super) fn no_agent(sight: &Sight<'_>) -> Option<Said> {
    let finding = sight.finding(check::AGENT).filter(|_| loading(sight))?;
    let next = finding
        .next
        .as_deref()
        .unwrap_or("Install the package again.");
    act(finding.text.clone(), next)
}

pub(super) fn nothing_to_boot(sight: &Sight<'_>) -> Option<Said> {
    let files = &sight.seat.files;
    if !sight.quiet_in(Stage::Addressed) || files.missing == 0 || files.served > 0 {
        return None;
    }
    if sight.around.has_image {
        act(
            "It asks for boot files and no image has any that it can start.",
            "Activate an image for its processor under Images.",
        )
    } else {
        act(
            "It asks for boot files and there is no image yet.",
            "Import an image and activate it, then power-cycle the board.",
        )
    }
}

pub(super) fn sent_elsewhere(sight: &Sight<'_>) -> Option<Said> {
    if !sight.quiet_in(Stage::Addressed) || sight.seat.files.missing > 0 {
        return None;
    }
    let rival = sight.rivals().into_iter().next()?;
    look(
        format!(
            "It has an address and asks for no files here; another DHCP server is on this wire ({}) \
             and may send it elsewhere for them.",
            rival.server
        ),
        "Disconnect that server from this switch, then power-cycle the board.",
    )
}

pub(super) fn no_files_asked(sight: &Sight<'_>) -> Option<Said> {
    if !sight.quiet_in(Stage::Addressed) || sight.seat.files.missing > 0 {
        return None;
    }
    look(
        "It has an address and asks for no files.",
        "Check that TFTP is serving and that no firewall of this machine blocks UDP port 69; then \
         that its EEPROM has network boot enabled and is up to date.",
    )
}

/// Did the transfer end where an old bootloader runs out of block numbers? What the board had
/// acknowledged is known to a block when it says goodbye, and to a quarter of a second otherwise.
fn at_block_limit(file: &Reading) -> bool {
    let limit = |block: &u64| {
        let most = LAST_BLOCK * block;
        file.size > most && (most - most / 20..=most + block).contains(&file.sent)
    };
    !file.whole && BLOCKS.iter().any(limit)
}

pub(super) fn block_limit(sight: &Sight<'_>) -> Option<Said> {
    let file = last(sight).filter(|file| at_block_limit(file))?;
    act(
        format!(
            "It stopped at block 65,535 of {} ({} of {} MB): boot firmware before 2025-09-23 counts \
             no further.",
            file.path,
            file.sent / 1_000_000,
            file.size / 1_000_000
        ),
        "Update its EEPROM, for instance with a recovery card, or use an image with smaller boot \
         files.",
    )
}

pub(super) fn same_file_again(sight: &Sight<'_>) -> Option<Said> {
    let file = last(sight).filter(|file| !at_block_limit(file))?;
    let stopped = sight.seat.files.stopped.as_ref()?;
    if stopped.path != file.path {
        return None;
    }
    let times = stopped.times + 1;
    act(
        format!(
            "It stopped at the same file, {}, {times} times in a row.",
            file.path
        ),
        "Its EEPROM is too old, or the image's boot files are not for this board: update the one or \
         choose another image.",
    )
}

/// The last things that a bootloader loads.
fn ends_the_boot(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["kernel", "initramfs", "vmlinuz"]
        .iter()
        .any(|start| name.starts_with(start))
        || std::path::Path::new(name)
            .extension()
            .is_some_and(|e| e == "cpio" || e == "zst")
}

pub(super) fn agent_silent(sight: &Sight<'_>) -> Option<Said> {
    let file = last(sight).filter(|file| file.whole && ends_the_boot(&file.path))?;
    act(
        format!(
            "It loaded everything ({} last) and its agent never spoke.",
            file.path
        ),
        "Check its power, above all over PoE. If it happens again, the image's kernel does not fit \
         this board: connect a screen and read what it says.",
    )
}

pub(super) fn stopped_in_file(sight: &Sight<'_>) -> Option<Said> {
    let again = same_file_again(sight).or_else(|| block_limit(sight));
    if !sight.quiet_in(Stage::LoadingBootFiles) || again.is_some() || agent_silent(sight).is_some()
    {
        return None;
    }
    let observed = match last(sight) {
        Some(file) if !file.whole => format!(
            "It stopped in the middle of {}, after {} of {} bytes.",
            file.path, file.sent, file.size
        ),
        Some(file) => format!("It stopped fetching boot files after {}.", file.path),
        None => "It stopped fetching boot files.".to_owned(),
    };
    look(
        observed,
        "Power-cycle it. If it stops at the same file again, its EEPROM is too old or the image's \
         boot files are not for it.",
    )
}
