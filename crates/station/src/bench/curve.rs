//! How fast a disk is written and read back, from its start to its end: at most two hundred points of
//! each, drawn from the progress that the agent reports.

use wire::Stage;
use wire::board::Progress;
use wire::sheet::{Curve, Speed};

/// Most points of one phase.
const POINTS: u64 = 200;

/// Takes the progress of a stage into the curve.
pub fn note(curve: &mut Curve, stage: Stage, progress: &Progress) {
    let line = match stage {
        Stage::Writing => &mut curve.write,
        Stage::Verifying => &mut curve.read,
        _ => return,
    };
    let Progress {
        done, total, rate, ..
    } = *progress;
    if total == 0 {
        return;
    }
    let place = |at: u64| u128::from(at.min(total)) * u128::from(POINTS - 1) / u128::from(total);
    match line.last() {
        // It began anew: another disk, or the same from the start.
        Some(last) if done < last.at => line.clear(),
        Some(last) if place(done) == place(last.at) => return,
        _ => {}
    }
    if (line.len() as u64) < POINTS {
        line.push(Speed { at: done, rate });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::board::Limit;

    fn progress(done: u64, total: u64) -> Progress {
        Progress {
            done,
            total,
            rate: done + 1,
            limit: Limit::Disk,
        }
    }

    #[test]
    fn a_long_phase_has_a_bounded_curve_from_end_to_end() {
        let mut curve = Curve::default();
        let total = 27_000_000_000;
        for n in 0..=5400 {
            note(&mut curve, Stage::Writing, &progress(n * 5_000_000, total));
        }
        let write = &curve.write;
        assert!((150..=200).contains(&write.len()), "{}", write.len());
        assert_eq!(write[0].at, 0);
        assert_eq!(write.last().unwrap().at, total);
        assert!(write.windows(2).all(|w| w[0].at < w[1].at));
        assert!(curve.read.is_empty());
    }

    #[test]
    fn a_phase_that_begins_anew_has_one_curve() {
        let mut curve = Curve::default();
        for done in [0, 50, 90, 10, 60] {
            note(&mut curve, Stage::Verifying, &progress(done, 100));
        }
        let at: Vec<u64> = curve.read.iter().map(|s| s.at).collect();
        assert_eq!(at, [10, 60]);
        note(&mut curve, Stage::Verifying, &progress(0, 0));
        note(&mut curve, Stage::Assigned, &progress(70, 100));
        assert_eq!(curve.read.len(), 2);
    }
}
