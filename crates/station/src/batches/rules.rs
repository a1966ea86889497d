//! Which boards a batch takes.

use wire::BoardId;
use wire::batch::{BatchPlan, BatchRules};
use wire::disk::{Disk, DiskPolicy};

/// What is known of a board, as far as the rules of a batch ask.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// Its id.
    pub board: BoardId,
    /// The model, as the board and as its revision code spell it.
    pub models: &'a [&'a str],
    /// Memory in MiB.
    pub ram_mib: Option<u32>,
    /// Its disks; `None` while nobody has looked.
    pub disks: Option<&'a [Disk]>,
}

/// Whether a board fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// It does.
    Yes,
    /// It does not, and why.
    No(String),
    /// That cannot be said before this is known.
    NotKnown(&'static str),
}

/// Whether a board fits the rules of a plan.
pub fn fit(plan: &BatchPlan, sight: &Sight<'_>) -> Fit {
    let rules = &plan.rules;
    [
        listed(rules, sight),
        model(rules, sight),
        memory(rules, sight),
        disk(plan, sight),
    ]
    .into_iter()
    .find(|fit| *fit != Fit::Yes)
    .unwrap_or(Fit::Yes)
}

fn listed(rules: &BatchRules, sight: &Sight<'_>) -> Fit {
    if rules.boards.is_empty() || rules.boards.contains(&sight.board) {
        Fit::Yes
    } else {
        Fit::No("it is not on the batch's list of boards".to_owned())
    }
}

fn model(rules: &BatchRules, sight: &Sight<'_>) -> Fit {
    if rules.models.is_empty() {
        return Fit::Yes;
    }
    let known: Vec<String> = sight.models.iter().map(|m| m.to_lowercase()).collect();
    if known.iter().all(String::is_empty) {
        return Fit::NotKnown("its model");
    }
    let wanted = |word: &String| {
        let word = word.to_lowercase();
        known.iter().any(|model| model.contains(&word))
    };
    if rules.models.iter().any(wanted) {
        Fit::Yes
    } else {
        Fit::No(format!("it is no {}", rules.models.join(" or ")))
    }
}

fn memory(rules: &BatchRules, sight: &Sight<'_>) -> Fit {
    match (rules.min_ram_mib, sight.ram_mib) {
        (None, _) => Fit::Yes,
        (Some(_), None) => Fit::NotKnown("its memory"),
        (Some(least), Some(has)) if has >= least => Fit::Yes,
        (Some(least), Some(has)) => {
            Fit::No(format!("it has {has} MiB of memory, {least} are wanted"))
        }
    }
}

fn disk(plan: &BatchPlan, sight: &Sight<'_>) -> Fit {
    if plan.rules.disks.is_empty() {
        return Fit::Yes;
    }
    let Some(disks) = sight.disks else {
        return Fit::NotKnown("its disks");
    };
    if disks.iter().any(|d| plan.rules.disks.contains(&d.kind)) {
        Fit::Yes
    } else {
        let kinds: Vec<_> = plan.rules.disks.iter().map(ToString::to_string).collect();
        Fit::No(format!("it has no {}", kinds.join(" or ")))
    }
}

/// The disks that a job of this plan may use: what its policy allows, and of these only the kinds
/// that its rules name, when they name any.
pub fn disks(plan: &BatchPlan) -> DiskPolicy {
    let only = &plan.rules.disks;
    let kinds = plan.disks.kinds.iter().copied();
    DiskPolicy {
        kinds: kinds
            .filter(|k| only.is_empty() || only.contains(k))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::batch::ReimagePolicy;
    use wire::disk::{DiskContent, DiskKind};

    fn plan(rules: BatchRules) -> BatchPlan {
        BatchPlan {
            product: "KXP2".parse().unwrap(),
            venue: "CORO".parse().unwrap(),
            count: 1,
            image: None,
            rules,
            disks: DiskPolicy::default(),
            reimage: ReimagePolicy::Ask,
        }
    }

    fn sight<'a>(models: &'a [&'a str], disks: Option<&'a [Disk]>) -> Sight<'a> {
        Sight {
            board: BoardId::Pi(7),
            models,
            ram_mib: Some(4096),
            disks,
        }
    }

    fn card() -> Disk {
        Disk {
            path: "/dev/mmcblk0".to_owned(),
            kind: DiskKind::Sd,
            bytes: 1,
            sector: 512,
            model: String::new(),
            serial: String::new(),
            removable: false,
            read_only: false,
            content: DiskContent::Blank,
        }
    }

    #[test]
    fn a_batch_without_rules_takes_every_board() {
        let nothing = sight(&[""], None);
        assert_eq!(fit(&plan(BatchRules::default()), &nothing), Fit::Yes);
    }

    #[test]
    fn a_model_matches_in_either_spelling_and_any_case() {
        let wanted = plan(BatchRules {
            models: vec!["raspberry pi 4".to_owned(), "compute module 5".to_owned()],
            ..BatchRules::default()
        });
        let pi4 = ["Raspberry Pi 4 Model B Rev 1.4", "Raspberry Pi 4B"];
        assert_eq!(fit(&wanted, &sight(&pi4, None)), Fit::Yes);
        let pi5 = ["Raspberry Pi 5 Model B Rev 1.0"];
        assert!(matches!(fit(&wanted, &sight(&pi5, None)), Fit::No(_)));
        assert_eq!(
            fit(&wanted, &sight(&[""], None)),
            Fit::NotKnown("its model")
        );
    }

    #[test]
    fn memory_disks_and_lists_are_asked_for() {
        let disks = [card()];
        let mut rules = BatchRules {
            min_ram_mib: Some(8192),
            ..BatchRules::default()
        };
        assert!(matches!(
            fit(&plan(rules.clone()), &sight(&["x"], None)),
            Fit::No(_)
        ));
        rules.min_ram_mib = Some(2048);
        rules.disks = vec![DiskKind::Nvme];
        assert!(matches!(
            fit(&plan(rules.clone()), &sight(&["x"], Some(&disks))),
            Fit::No(_)
        ));
        assert_eq!(
            fit(&plan(rules.clone()), &sight(&["x"], None)),
            Fit::NotKnown("its disks")
        );
        rules.disks = vec![DiskKind::Sd];
        rules.boards = vec![BoardId::Pi(8)];
        assert!(matches!(
            fit(&plan(rules.clone()), &sight(&["x"], Some(&disks))),
            Fit::No(_)
        ));
        rules.boards.push(BoardId::Pi(7));
        assert_eq!(fit(&plan(rules), &sight(&["x"], Some(&disks))), Fit::Yes);
    }

    #[test]
    fn rules_narrow_the_disks_of_a_job() {
        let all = plan(BatchRules::default());
        assert_eq!(disks(&all), DiskPolicy::default());
        let one = plan(BatchRules {
            disks: vec![DiskKind::Sd, DiskKind::Usb],
            ..BatchRules::default()
        });
        assert_eq!(
            disks(&one).kinds,
            [DiskKind::Sd],
            "the policy still forbids USB"
        );
    }
}
