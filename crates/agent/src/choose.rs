//! Which disk a job uses: the station's choice, checked on the spot.

use crate::failure::{Trouble, failed};
use wire::agent::Job;
use wire::board::Stage;
use wire::disk::{Disk, DiskContent};

/// The disk of the job. The station chose it by the same rule from an earlier inventory; the agent
/// applies the rule to what is there now, and refuses to write to anything else.
pub(crate) fn choose<'a>(
    job: &Job,
    disks: &'a [Disk],
    image_bytes: u64,
) -> Result<&'a Disk, Trouble> {
    let stage = Stage::PreparingStorage;
    let disk = job.disks.choose(disks, image_bytes).map_err(|e| {
        let next = "Fit a suitable disk and power-cycle the board.";
        failed(stage, format!("no disk can be used: {e}"), next)
    })?;
    if disk.path != job.disk {
        let what = format!(
            "the station chose {} and the disk to be used is now {}",
            job.disk, disk.path
        );
        return Err(failed(stage, what, "Power-cycle the board."));
    }
    match &disk.content {
        DiskContent::Blank | DiskContent::Unfinished { .. } => {}
        _ if job.overwrite => {}
        DiskContent::System { found } => {
            let what = format!("{} holds {found} and may not be overwritten", disk.path);
            let next = "Approve the board to overwrite it.";
            return Err(failed(stage, what, next));
        }
        DiskContent::Unreadable { .. } | DiskContent::Unknown => {
            let what = format!(
                "it is not known what {} holds, so it is not overwritten",
                disk.path
            );
            let next = "Approve the board to overwrite it.";
            return Err(failed(stage, what, next));
        }
    }
    Ok(disk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::agent::{After, Personalise};
    use wire::disk::{DiskKind, DiskPolicy};
    use wire::image::{Grow, ImageId};

    fn disk(path: &str, kind: DiskKind, content: DiskContent) -> Disk {
        Disk {
            path: path.to_owned(),
            kind,
            bytes: 1000,
            sector: 512,
            model: String::new(),
            serial: String::new(),
            removable: false,
            read_only: false,
            content,
        }
    }

    fn job(overwrite: bool) -> Job {
        Job {
            deployment: "D".to_owned(),
            secret: "s".to_owned(),
            hostname: "a".parse().unwrap(),
            image: ImageId([0; 32]),
            disks: DiskPolicy::default(),
            disk: "/dev/mmcblk0".to_owned(),
            overwrite,
            personalise: Personalise {
                grow: Grow::Never,
                fresh_machine_id: false,
                fresh_ssh_keys: false,
                hello: None,
            },
            after: After::Reboot,
        }
    }

    fn what(result: Result<&Disk, Trouble>) -> String {
        match result {
            Err(Trouble::Failed(failure)) => failure.what,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_disk_that_appeared_since_is_not_written_and_neither_is_a_system() {
        let card = |content| disk("/dev/mmcblk0", DiskKind::Sd, content);
        let blank = [card(DiskContent::Blank)];
        assert_eq!(
            choose(&job(false), &blank, 10).unwrap().path,
            "/dev/mmcblk0"
        );

        let nvme = disk("/dev/nvme0n1", DiskKind::Nvme, DiskContent::Blank);
        let two = [card(DiskContent::Blank), nvme];
        assert!(what(choose(&job(true), &two, 10)).contains("is now /dev/nvme0n1"));

        let found = "a partition table".to_owned();
        let used = [card(DiskContent::System { found })];
        assert!(what(choose(&job(false), &used, 10)).contains("may not be overwritten"));
        assert!(choose(&job(true), &used, 10).is_ok());

        let unknown = [card(DiskContent::Unknown)];
        assert!(what(choose(&job(false), &unknown, 10)).contains("not known"));
        assert!(what(choose(&job(true), &blank, 5000)).contains("needs 5000"));
        assert!(what(choose(&job(true), &[], 1)).contains("no disk"));
    }
}
