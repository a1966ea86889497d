//! May this board be provisioned; if so by which batch, with which image, onto which disk?
//!
//! Facts in, decision out. Everything is resolved here before a name is claimed: batch, image,
//! processor, disk, size, and whether something on the disk would be lost. The claim itself is the
//! caller's, last, in one transaction.

use super::attempt::Attempt;
use super::seat::{Machine, Permit, Standing};
use crate::batches::rules::{self, Fit, Sight};
use crate::batches::{machine, places};
use wire::batch::{Batch, BatchPlan, BatchState, Name, ReimagePolicy};
use wire::board::{Failure, Hold};
use wire::disk::{Disk, DiskContent, NoDisk};
use wire::image::{Image, ImageContents};
use wire::name::{Hostname, ProductCode, VenueCode};
use wire::revision::Family;

/// A board that restarts this often in one go without finishing is not tried again by itself.
pub const MOST_RESTARTS: u32 = 10;

/// Everything the decision rests on.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// What is known of the hardware.
    pub sight: Sight<'a>,
    /// What kind of machine it is.
    pub machine: Option<Machine>,
    /// How it stands with us.
    pub standing: Standing<'a>,
    /// True when it asks within the boot in which its open deployment began.
    pub same_boot: bool,
    /// What the operator allowed.
    pub permit: Permit,
    /// The operator put it on hold.
    pub withheld: bool,
    /// The name it owns.
    pub owns: Option<&'a Name>,
    /// Pools that hold a name only it may have.
    pub meant_for: &'a [(ProductCode, VenueCode)],
    /// What a foreign installer says it is.
    pub wants: &'a Wants,
    /// Open batches by rank, then the ended batch that its name comes from.
    pub batches: &'a [Candidate<'a>],
}

/// What an installer says it is; it may leave out either.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// Its product.
    pub product: Option<ProductCode>,
    /// The venue it is at.
    pub venue: Option<VenueCode>,
}

impl Wants {
    /// Nothing.
    pub const NOTHING: Self = Self {
        product: None,
        venue: None,
    };

    /// What it asks for instead of what the plan is for.
    fn other_than(&self, plan: &BatchPlan) -> Option<&str> {
        let product = self.product.as_ref().filter(|p| **p != plan.product);
        let venue = self.venue.as_ref().filter(|v| **v != plan.venue);
        product
            .map(ProductCode::as_str)
            .or(venue.map(VenueCode::as_str))
    }
}

/// A batch that might take the board.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// The batch.
    pub batch: &'a Batch,
    /// The image that it writes: the pinned one, else its product's active one.
    pub image: Option<&'a Image>,
    /// True when the board holds a place in it already.
    pub place: bool,
}

/// What is to happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Wait; the reason, and more of it in words when there is more to say.
    Wait {
        /// The reason.
        hold: Hold,
        /// More, in words.
        detail: Option<String>,
    },
    /// It is finished: boot the own disk.
    GoHome {
        /// Its name.
        hostname: Hostname,
    },
    /// Go on with the open deployment.
    Resume,
    /// Give the open deployment up.
    GiveUp(Failure),
    /// Provision it.
    Provision(Box<Choice>),
}

/// What to provision a board with.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The batch.
    pub batch: Batch,
    /// The image.
    pub image: Image,
    /// The disk; `None` when a foreign installer chooses.
    pub disk: Option<Disk>,
    /// May a system on it be overwritten?
    pub overwrite: bool,
}

fn wait(hold: Hold) -> Decision {
    Decision::Wait { hold, detail: None }
}

/// Decides.
pub fn decide(q: &Question<'_>) -> Decision {
    let last = match &q.standing {
        Standing::Open(_) if q.same_boot => return Decision::Resume,
        Standing::Open(attempt) if attempt.restarts + 1 >= MOST_RESTARTS => {
            return Decision::GiveUp(flapping(attempt));
        }
        Standing::Finished { hostname, at } if q.permit != Permit::Approve => {
            return finished(q, hostname, *at);
        }
        Standing::Released | Standing::Failed(_) if q.permit == Permit::None => {
            return wait(Hold::NeedsApproval);
        }
        Standing::Released if q.permit == Permit::Retry => return wait(Hold::NeedsApproval),
        Standing::Open(attempt) | Standing::Failed(attempt) => Some(*attempt),
        Standing::New | Standing::Released | Standing::Finished { .. } => None,
    };
    if q.withheld {
        return wait(Hold::ByOperator);
    }
    let candidate = match batch_for(q, Strictness::Sure) {
        Ok(candidate) => candidate,
        Err((hold, detail)) => return Decision::Wait { hold, detail },
    };
    let plan = &candidate.batch.plan;
    let Some(image) = candidate.image else {
        let product = plan.product.clone();
        return wait(Hold::NoActiveImage { product });
    };
    // An installer of others was started by others.
    let fits = match q.sight.disks {
        Some(_) => boots_installer(image, q.machine),
        None => runs_on(image, q.machine),
    };
    if let Err(why) = fits {
        return wait(Hold::WrongArchitecture { why });
    }
    match disk_for(q, candidate.batch, image, last) {
        Ok((disk, overwrite)) => Decision::Provision(Box::new(Choice {
            batch: candidate.batch.clone(),
            image: image.clone(),
            disk,
            overwrite,
        })),
        Err(hold) => wait(hold),
    }
}

/// An agent on a finished board is sent on to its disk. Where there is nothing to boot, or nobody
/// can tell, a person decides.
fn finished(q: &Question<'_>, hostname: &Hostname, at: wire::Millis) -> Decision {
    let boots = |d: &Disk| matches!(d.content, DiskContent::System { .. });
    let hostname = hostname.clone();
    if q.sight.disks.is_some_and(|disks| disks.iter().any(boots)) {
        Decision::GoHome { hostname }
    } else {
        wait(Hold::ProvisionedBefore { hostname, at })
    }
}

fn flapping(attempt: &Attempt) -> Failure {
    Failure {
        stage: attempt.stage,
        what: format!("it restarted {MOST_RESTARTS} times without finishing"),
        next: "Check its power supply and its disk, then retry it.".to_owned(),
    }
}

/// How much must be known before a batch is said to match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Everything its rules ask for: a name will be claimed.
    Sure,
    /// Nothing may speak against it: only boot files are chosen.
    Likely,
}

/// The batch that takes the board: the highest-ranked active one that matches and has room.
pub fn batch_for<'q>(
    q: &'q Question<'_>,
    strictness: Strictness,
) -> Result<&'q Candidate<'q>, (Hold, Option<String>)> {
    if let Standing::Open(attempt) = &q.standing {
        let own = q.batches.iter().find(|c| c.batch.id == attempt.batch);
        return own.ok_or((Hold::NoMatchingBatch, None));
    }
    let mut against = Vec::new();
    let mut fitting: Vec<&Candidate<'_>> = Vec::new();
    for candidate in q.batches {
        match objection(q, candidate, strictness) {
            None => fitting.push(candidate),
            Some(why) if candidate.batch.state == BatchState::Active => {
                against.push(format!("Batch {}: {why}.", candidate.batch.id));
            }
            Some(_) => {}
        }
    }
    let meant = |c: &Candidate<'_>| {
        let plan = &c.batch.plan;
        let pool = (plan.product.clone(), plan.venue.clone());
        q.meant_for.contains(&pool)
    };
    let active = fitting
        .iter()
        .copied()
        .filter(|c| c.batch.state == BatchState::Active)
        .min_by_key(|c| (!c.place, !meant(c), c.batch.rank));
    let home = || q.batches.iter().find(|c| is_home(q, c));
    let paused = || {
        let paused = |c: &&&Candidate<'_>| c.batch.state == BatchState::Paused;
        fitting.iter().find(paused).map(|c| c.batch.id)
    };
    if let Some(candidate) = active.or_else(home) {
        Ok(candidate)
    } else if let Some(batch) = paused() {
        Err((Hold::BatchPaused { batch }, None))
    } else {
        Err((Hold::NoMatchingBatch, reasons(q, &against)))
    }
}

fn reasons(q: &Question<'_>, against: &[String]) -> Option<String> {
    let mut said: Vec<String> = Vec::new();
    if let Some(name) = q.owns {
        said.push(format!(
            "It owns {}, a {} name of {}: start a batch of those, or release the board.",
            name.hostname, name.product, name.venue
        ));
    }
    said.extend(against.iter().take(4).cloned());
    (!said.is_empty()).then(|| said.join(" "))
}

/// Why a batch does not take the board.
fn objection(q: &Question<'_>, c: &Candidate<'_>, strictness: Strictness) -> Option<String> {
    let plan = &c.batch.plan;
    if !machine::is_open(c.batch.state) || c.batch.state == BatchState::Pending {
        return Some("it is not started".to_owned());
    }
    if let Some(name) = q.owns
        && (name.product != plan.product || name.venue != plan.venue)
    {
        return Some(format!("the board is {} already", name.hostname));
    }
    if let Some(wanted) = q.wants.other_than(plan) {
        return Some(format!("the installer asks for {wanted}"));
    }
    match rules::fit(plan, &q.sight) {
        Fit::No(why) => return Some(why),
        Fit::NotKnown(what) if strictness == Strictness::Sure => {
            return Some(format!("{what} is not known"));
        }
        Fit::Yes | Fit::NotKnown(_) => {}
    }
    if !c.place && places::free(&c.batch.counters) == 0 {
        return Some("all its places are taken".to_owned());
    }
    None
}

/// A board that the operator asked for may be provisioned by the batch its name comes from, although
/// that batch has all the boards it was planned for or its rules name others.
fn is_home(q: &Question<'_>, c: &Candidate<'_>) -> bool {
    let from = q.owns.and_then(|name| name.batch);
    q.permit != Permit::None
        && from == Some(c.batch.id)
        && matches!(c.batch.state, BatchState::Active | BatchState::Completed)
        && q.wants.other_than(&c.batch.plan).is_none()
}

/// Why an image cannot boot the installer on a machine, which runs under the image's own kernel.
pub fn boots_installer(image: &Image, machine: Option<Machine>) -> Result<(), String> {
    runs_on(image, machine)?;
    has_kernel(&image.contents, machine)
}

/// Says which kernel is missing when the installer cannot run under the one that an image has: it is
/// a 64-bit program.
pub fn has_kernel(contents: &ImageContents, machine: Option<Machine>) -> Result<(), String> {
    let wanted = match machine {
        Some(Machine::Uefi { .. }) => "vmlinuz or Image",
        Some(Machine::Pi {
            family: Family::Pi5,
        }) => "kernel_2712.img or kernel8.img",
        Some(Machine::Pi { .. }) => "kernel8.img",
        None => "kernel8.img, or vmlinuz on a PC",
    };
    if contents.kernel.is_empty() {
        Err(format!(
            "its boot partition has no kernel for the installer ({wanted})"
        ))
    } else if contents.arch == ARM_32_BIT {
        Err(format!(
            "its kernel {} is a 32-bit one, and the installer needs a 64-bit kernel ({wanted})",
            contents.kernel
        ))
    } else {
        Ok(())
    }
}

/// The word that [`ImageContents::arch`] uses for 32-bit ARM.
const ARM_32_BIT: &str = "arm";

/// Why an image does not run on a machine.
fn runs_on(image: &Image, machine: Option<Machine>) -> Result<(), String> {
    if let Some(fault) = image.pack_fault {
        let fault = fault.as_str();
        return Err(format!("its pack is {fault}; import the image file again"));
    }
    let has = image.contents.arch.as_str();
    match machine {
        None => Ok(()),
        Some(Machine::Uefi { arch }) => {
            if has.is_empty() || has == arch.as_str() {
                Ok(())
            } else {
                Err(format!(
                    "its kernel is for {has}, the board is {}",
                    arch.as_str()
                ))
            }
        }
        Some(Machine::Pi { family }) => {
            // Boards before the Pi 5 also run 32-bit kernels.
            let fits = matches!((has, family), ("" | "arm64", _))
                || (has == ARM_32_BIT && family != Family::Pi5);
            if !fits {
                return Err(format!("its kernel is for {has}, the board is arm64"));
            }
            device_tree_for(image, family)
        }
    }
}

/// A Raspberry Pi starts no kernel without the device tree of its processor.
fn device_tree_for(image: &Image, family: Family) -> Result<(), String> {
    let (board, chips): (&str, &[&str]) = match family {
        Family::Pi3 => (
            "Raspberry Pi 3",
            &["bcm2710", "bcm2837", "bcm2709", "bcm2836"],
        ),
        Family::Pi4 => ("Raspberry Pi 4", &["bcm2711"]),
        Family::Pi5 => ("Raspberry Pi 5", &["bcm2712"]),
        Family::Unknown => return Ok(()),
    };
    let trees = &image.contents.device_trees;
    let names = |tree: &String| {
        let file = tree.rsplit('/').next().unwrap_or(tree);
        chips.iter().any(|chip| file.starts_with(chip))
    };
    if trees.is_empty() || trees.iter().any(names) {
        Ok(())
    } else {
        Err(format!(
            "it has no device tree for the {board} ({}*.dtb)",
            chips[0]
        ))
    }
}

/// The disk to write, and whether a system on it may be overwritten.
fn disk_for(
    q: &Question<'_>,
    batch: &Batch,
    image: &Image,
    last: Option<&Attempt>,
) -> Result<(Option<Disk>, bool), Hold> {
    let Some(disks) = q.sight.disks else {
        return Ok((None, false));
    };
    let chosen = rules::disks(&batch.plan).choose(disks, image.raw_bytes);
    let disk = chosen.map_err(|no| match no {
        NoDisk::NoneSuitable(why) => Hold::NoSuitableDisk { why },
        NoDisk::TooSmall {
            path,
            disk_bytes,
            image_bytes,
        } => Hold::ImageTooBig {
            disk: path,
            disk_bytes,
            image_bytes,
        },
    })?;
    let overwrite = q.permit == Permit::Approve
        || batch.plan.reimage == ReimagePolicy::OverwriteForeign
        || last.is_some_and(|a| a.may_overwrite(disk));
    let found = match &disk.content {
        DiskContent::Blank | DiskContent::Unfinished { .. } => None,
        DiskContent::System { found } => Some(found.as_str()),
        DiskContent::Unreadable { why } => Some(why.as_str()),
        DiskContent::Unknown => Some("something this version does not know"),
    };
    match found {
        Some(found) if !overwrite => Err(Hold::DiskHoldsSystem {
            disk: disk.path.clone(),
            found: found.to_owned(),
        }),
        _ => Ok((Some(disk.clone()), overwrite)),
    }
}
