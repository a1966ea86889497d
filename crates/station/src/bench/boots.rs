//! Network boots: when one begins anew, and what a board is served in it.

use super::admission::{self, Question, Strictness};
use super::seat::{Machine, Seat};
use wire::board::Mac;
use wire::image::Image;
use wire::{BoardId, ImageId, Millis, Stage};

/// A bootloader that asks again within this time is still in the same boot: 20 seconds.
pub const SAME_BOOT_MS: i64 = 20_000;

/// What the boot servers give a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BootAnswer {
    /// The installer.
    Install(Install),
    /// Every file is "not found": the board is finished and boots its own disk.
    Decline,
    /// Nothing is known of this client, or there is no image to boot it with.
    Unknown,
}

/// Everything that boot files of one board depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// The board.
    pub board: BoardId,
    /// The address it boots with.
    pub mac: Mac,
    /// The token of this boot.
    pub token: String,
    /// The image whose kernel and firmware are served.
    pub image: ImageId,
    /// What kind of machine it is, when known.
    pub machine: Option<Machine>,
}

/// True when an address request of the bootloader starts a new boot: the board was already past
/// its boot files, or has not asked for a while.
pub fn begins(seat: &Seat, now: Millis) -> bool {
    let Some(boot) = &seat.boot else { return true };
    // A tile that stands still says nothing about how far the boot has come.
    let past_boot_files = !is_booting(seat) && !stands_still(seat);
    past_boot_files || now.since(boot.discovered) > SAME_BOOT_MS
}

/// True while a board's bootloader is at work.
pub fn is_booting(seat: &Seat) -> bool {
    matches!(
        seat.tile.stage,
        Stage::Seen | Stage::Addressed | Stage::LoadingBootFiles | Stage::NotOurs
    )
}

/// True for a board whose tile keeps its result while the board boots again: it is finished, or it
/// failed and nobody has asked for another attempt.
pub fn stands_still(seat: &Seat) -> bool {
    let result = matches!(
        seat.tile.stage,
        Stage::Done
            | Stage::FirstBootConfirmed
            | Stage::AlreadyDone
            | Stage::Failed
            | Stage::Cancelled
    );
    result && !seat.released && seat.permit == super::seat::Permit::None
}

/// The image whose boot files a board gets: that of its deployment, else that of the batch which
/// would take it, else any that boots it (a held board boots too, so that its inventory is seen).
pub fn image_for<'a>(q: &'a Question<'a>, seat: &Seat, images: &'a [Image]) -> Option<ImageId> {
    if let Some(attempt) = seat.open() {
        return Some(attempt.image);
    }
    let boots = |image: &&Image| admission::boots_installer(image, q.machine).is_ok();
    let likely = admission::batch_for(q, Strictness::Likely).ok();
    let of_batches = || q.batches.iter().filter_map(|c| c.image);
    likely
        .and_then(|c| c.image)
        .filter(boots)
        .or_else(|| of_batches().find(boots))
        .or_else(|| images.iter().filter(|i| i.active).find(boots))
        .map(|image| image.id)
}

#[cfg(test)]
mod tests {
    use super::super::seat::{Boot, Permit};
    use super::*;

    fn seat(stage: Stage, discovered: i64) -> Seat {
        let mut seat = Seat::new(BoardId::Pi(7), Mac([1; 6]), Millis(0));
        seat.tile.stage = stage;
        seat.boot = Some(Boot {
            mac: seat.tile.mac,
            token: "t".to_owned(),
            discovered: Millis(discovered),
        });
        seat
    }

    #[test]
    fn a_repeated_request_is_the_same_boot() {
        for stage in [Stage::Seen, Stage::Addressed, Stage::LoadingBootFiles] {
            assert!(!begins(&seat(stage, 0), Millis(4_000)), "{stage}");
            assert!(begins(&seat(stage, 0), Millis(20_001)), "{stage}");
        }
    }

    #[test]
    fn asking_after_the_boot_files_is_a_new_boot() {
        for stage in [Stage::CheckedIn, Stage::Writing, Stage::OnHold] {
            assert!(begins(&seat(stage, 0), Millis(100)), "{stage}");
        }
    }

    #[test]
    fn a_finished_board_keeps_its_tile_and_one_token_per_boot() {
        let done = seat(Stage::Done, 0);
        assert!(stands_still(&done));
        assert!(!begins(&done, Millis(4_000)));
        assert!(begins(&done, Millis(30_000)));
    }

    #[test]
    fn an_approved_board_boots_like_any_other() {
        let mut done = seat(Stage::Done, 0);
        done.permit = Permit::Approve;
        assert!(!stands_still(&done));
        assert!(begins(&done, Millis(100)));
    }
}
