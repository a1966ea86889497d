//! From the words of a plan to what goes wrong with which virtual board.

use virtual_pi::faults::{DiskFault, Faults, Moment};
use virtual_pi::golden::Golden;
use virtual_pi::network::Wire;
use wire::rehearsal::{RehearsalFault, RehearsalPlan};

/// All of them, when a plan names none.
const ALL: [RehearsalFault; 6] = [
    RehearsalFault::DiskErrorOnce,
    RehearsalFault::PowerCut,
    RehearsalFault::PacketLoss,
    RehearsalFault::UsedDisk,
    RehearsalFault::SmallDisk,
    RehearsalFault::GoesQuiet,
];

/// In the middle of what is written of the rehearsal's image, in bytes.
const IN_THE_MIDDLE: u64 = 8 << 20;
/// A wire that is noticeably bad and still works.
const BAD_WIRE: Wire = Wire {
    loss: 0.01,
    duplicates: 0.1,
};
/// A write that fails is tried once more on the spot; only when that fails too does the board.
const WRITE_AND_RETRY: u32 = 2;

/// The faults of a plan by the place of their boards, which are spread evenly over the batch.
pub(super) fn deal(plan: &RehearsalPlan) -> Vec<(usize, Faults)> {
    let kinds = if plan.faults.is_empty() {
        &ALL[..]
    } else {
        &plan.faults
    };
    let (boards, faulty) = (plan.boards as usize, plan.faulty as usize);
    let turn = kinds.iter().cycle();
    (0..faulty)
        .zip(turn)
        .map(|(nth, kind)| ((2 * nth + 1) * boards / (2 * faulty), faults(*kind)))
        .collect()
}

fn faults(kind: RehearsalFault) -> Faults {
    let image = Golden::default().bytes();
    let none = Faults::default();
    match kind {
        RehearsalFault::DiskErrorOnce => Faults {
            // Behind the boot partition, where a board has already shown progress.
            disk: vec![DiskFault::WriteError {
                range: image / 3..image,
                times: WRITE_AND_RETRY,
            }],
            ..none
        },
        RehearsalFault::PowerCut => Faults {
            cuts: vec![Moment::Written(IN_THE_MIDDLE)],
            ..none
        },
        RehearsalFault::PacketLoss => Faults {
            wire: BAD_WIRE,
            ..none
        },
        RehearsalFault::SmallDisk => Faults {
            disk_bytes: Some(image / 2),
            ..none
        },
        RehearsalFault::UsedDisk => Faults { used: true, ..none },
        RehearsalFault::GoesQuiet => Faults {
            cuts: vec![Moment::Written(IN_THE_MIDDLE)],
            stays_dark: true,
            ..none
        },
        // Plans with one are refused before.
        RehearsalFault::Unknown => none,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(boards: u32, faulty: u32) -> Vec<usize> {
        let plan = RehearsalPlan {
            boards,
            faulty,
            ..RehearsalPlan::default()
        };
        deal(&plan).iter().map(|(place, _)| *place).collect()
    }

    #[test]
    fn faults_are_spread_evenly_and_never_meet() {
        assert!(places(4, 0).is_empty());
        assert_eq!(places(4, 1), [2]);
        assert_eq!(places(8, 2), [2, 6]);
        for boards in 1..=100 {
            for faulty in 1..=boards {
                let places = places(boards, faulty);
                assert_eq!(places.len(), faulty as usize);
                assert!(places.windows(2).all(|w| w[0] < w[1]), "{places:?}");
                assert!(*places.last().unwrap() < boards as usize);
            }
        }
    }

    #[test]
    fn kinds_are_dealt_in_turn() {
        let plan = RehearsalPlan {
            boards: 3,
            faulty: 3,
            faults: vec![RehearsalFault::UsedDisk, RehearsalFault::GoesQuiet],
            ..RehearsalPlan::default()
        };
        let used: Vec<bool> = deal(&plan).iter().map(|(_, f)| f.used).collect();
        let dark: Vec<bool> = deal(&plan).iter().map(|(_, f)| f.stays_dark).collect();
        assert_eq!(
            (used, dark),
            (vec![true, false, true], vec![false, true, false])
        );
    }
}
