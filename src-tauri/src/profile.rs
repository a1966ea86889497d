//! `punnet profile`.

use crate::desk::{Desk, Work, unexpected};
use crate::paper::fetch;
use crate::print::{Table, or_dash};
use crate::trouble::Trouble;
use clap::Subcommand;
use std::fmt::Write as _;
use std::path::PathBuf;
use wire::command::{Command, Receipt};
use wire::document::DocumentKind;
use wire::profile::{Profile, ProfileReport};
use wire::query::{Answer, Query, Tried};
use wire::{ProductCode, VenueCode};

/// Verbs of profiles.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Verb {
    /// List the profiles.
    List,
    /// Keep how the station is set now under a name.
    Save {
        /// The name.
        name: String,
        /// With this product and its pattern.
        #[arg(long)]
        product: Option<ProductCode>,
        /// With this venue.
        #[arg(long)]
        venue: Option<VenueCode>,
    },
    /// Set the station up as a profile says: all of it, or nothing.
    Apply {
        /// Its name.
        name: String,
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
    },
    /// Write a profile as a file.
    Export {
        /// Its name.
        name: String,
        /// The file; else it is printed.
        file: Option<PathBuf>,
    },
    /// Take a profile in from a file.
    Import {
        /// The file.
        file: PathBuf,
        /// Put it in the place of one with the same name.
        #[arg(long)]
        replace: bool,
        /// Only say what it holds and what applying it would change.
        #[arg(long)]
        dry_run: bool,
    },
    /// Forget a profile.
    Remove {
        /// Its name.
        name: String,
    },
}

/// Does a verb of profiles.
pub(crate) fn run(verb: &Verb) -> impl Work + use<> {
    let verb = verb.clone();
    async move |desk: &Desk| match verb {
        Verb::List => match desk.query(Query::Profiles).await? {
            Answer::Profiles(profiles) => desk.say(&profiles, |profiles| table(profiles)),
            _ => Err(unexpected()),
        },
        Verb::Save {
            name,
            product,
            venue,
        } => {
            desk.must_be_live()?;
            let save = Command::ProfileSave {
                name,
                product,
                venue,
            };
            let words = |receipt: &Receipt| match receipt {
                Receipt::Profile(report) => format!("{} is saved.", report.profile.name),
                other => format!("{other:?}"),
            };
            desk.change(save, words).await
        }
        Verb::Apply { name, dry_run } => {
            desk.must_be_live()?;
            let (will, did) = ("would change", "changed");
            let how = if dry_run { will } else { did };
            give(desk, Command::ProfileApply { name }, dry_run, how).await
        }
        Verb::Export { name, file } => {
            fetch(desk, DocumentKind::Profile { name }, file.as_deref()).await
        }
        Verb::Import {
            file,
            replace,
            dry_run,
        } => {
            let text = std::fs::read_to_string(&file)?;
            let import = Command::ProfileImport { text, replace };
            give(desk, import, dry_run, "would change if it were applied").await
        }
        Verb::Remove { name } => {
            let words = |receipt: &Receipt| match receipt {
                Receipt::Done { text } => text.clone(),
                other => format!("{other:?}"),
            };
            desk.change(Command::ProfileRemove { name }, words).await
        }
    }
}

/// Does a command, or only tries it, and says what it changes.
async fn give(desk: &Desk, command: Command, dry_run: bool, how: &str) -> Result<(), Trouble> {
    let receipt = if dry_run {
        let of = Box::new(command);
        match desk.query(Query::Try { of }).await? {
            Answer::Try(Tried::Do { receipt }) => *receipt,
            Answer::Try(Tried::Refuse { refusal }) => return Err(refusal.into()),
            _ => return Err(unexpected()),
        }
    } else {
        desk.command(command).await?
    };
    match &receipt {
        Receipt::Profile(report) => desk.say(report.as_ref(), |report| changes(report, how)),
        _ => Err(unexpected()),
    }
}

fn changes(report: &ProfileReport, how: &str) -> String {
    let name = &report.profile.name;
    if report.changes.is_empty() {
        return format!("{name}: the station is set like that already.");
    }
    let mut text = format!("{name}, what {how}:\n");
    for change in &report.changes {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "  {}: {} → {}", change.key, change.from, change.to);
    }
    text
}

fn table(profiles: &[Profile]) -> String {
    let mut table = Table::new(
        &["name", "card", "address", "product", "venue"],
        "There are no profiles yet. Save how the station is set with `punnet profile save NAME`.",
    );
    for profile in profiles {
        let side = profile.deployment.as_ref();
        table.row([
            profile.name.clone(),
            or_dash(side.and_then(|side| side.interface.as_ref())),
            or_dash(side.map(|side| &side.address)),
            or_dash(profile.product.as_ref().map(|p| &p.code)),
            or_dash(profile.venue.as_ref().map(|v| &v.code)),
        ]);
    }
    table.to_string()
}
