//! `punnet image`.

use crate::desk::{Desk, Work, unexpected};
use crate::print::{Table, size, time};
use crate::trouble::Trouble;
use clap::{Args, Subcommand};
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use tokio_stream::StreamExt as _;
use wire::command::{Command, Import, ImportState, Receipt};
use wire::image::Image;
use wire::query::{Answer, Query};
use wire::update::Update;
use wire::{ImageId, ProductCode, Refusal};

/// Verbs of images.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Verb {
    /// Import a golden image (.img, .xz, .gz, .bz2, .zst, .zip) and wait until it is done.
    Add(Add),
    /// List images.
    List,
    /// Show one image.
    Show {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Make an image its product's image.
    Activate {
        /// Its id, or the beginning of it.
        id: String,
    },
    /// Remove an image.
    Remove {
        /// Its id, or the beginning of it.
        id: String,
    },
}

/// What to import.
#[derive(Debug, Clone, Args)]
pub(crate) struct Add {
    /// The file.
    file: PathBuf,
    /// The product it is for.
    #[arg(long)]
    product: ProductCode,
    /// Its version.
    #[arg(long)]
    version: String,
    /// A note about it.
    #[arg(long, default_value = "")]
    description: String,
    /// Make it the product's image once it is imported.
    #[arg(long)]
    activate: bool,
    /// Return at once; the running station goes on.
    #[arg(long)]
    background: bool,
}

/// Does a verb of images.
pub(crate) fn run(verb: &Verb) -> impl Work + use<> {
    let verb = verb.clone();
    async move |desk: &Desk| match verb {
        Verb::Add(wanted) => add(desk, wanted).await,
        Verb::List => {
            let images = images(desk).await?;
            desk.say(&images, |images| list(images))
        }
        Verb::Show { id } => {
            let image = named(desk, &id).await?;
            desk.say(&image, show)
        }
        Verb::Activate { id } => {
            let image = named(desk, &id).await?.id;
            let words = |receipt: &Receipt| match receipt {
                Receipt::Image(i) => format!(
                    "{} {} is the image of {} now.",
                    i.file_name, i.version, i.product
                ),
                other => format!("{other:?}"),
            };
            desk.change(Command::ImageActivate { image }, words).await
        }
        Verb::Remove { id } => {
            let image = named(desk, &id).await?;
            desk.sure(&format!(
                "{} ({} {}) and its pack are deleted.",
                image.file_name, image.product, image.version
            ))?;
            let image = image.id;
            let words = |receipt: &Receipt| match receipt {
                Receipt::Done { text } => text.clone(),
                other => format!("{other:?}"),
            };
            desk.change(Command::ImageRemove { image }, words).await
        }
    }
}

async fn images(desk: &Desk) -> Result<Vec<Image>, Trouble> {
    match desk.query(Query::Images).await? {
        Answer::Images(images) => Ok(images),
        _ => Err(unexpected()),
    }
}

/// The one image whose id begins with `id`.
pub(crate) async fn named(desk: &Desk, id: &str) -> Result<Image, Trouble> {
    let wanted = id.to_ascii_lowercase();
    let mut found = images(desk).await?;
    found.retain(|i| i.id.to_string().starts_with(&wanted));
    match found.len() {
        1 if !wanted.is_empty() => Ok(found.remove(0)),
        0 => Err(Refusal::not_found(format!("There is no image {id}."))
            .next("`punnet image list` shows the ones there are.")
            .into()),
        _ => Err(
            Refusal::conflict(format!("Several images begin with {id:?}."))
                .next("Write more of the id.")
                .into(),
        ),
    }
}

fn list(images: &[Image]) -> String {
    let mut table = Table::new(
        &[
            "id", "product", "version", "file", "size", "pack", "imported", "",
        ],
        "There are no images yet. Import one with `punnet image add`.",
    );
    for image in images {
        table.row([
            image.id.short(),
            image.product.to_string(),
            image.version.clone(),
            image.file_name.clone(),
            size(image.raw_bytes),
            size(image.pack_bytes),
            time(image.imported),
            state(image),
        ]);
    }
    table.to_string()
}

fn state(image: &Image) -> String {
    let active = image.active.then(|| "active".to_owned());
    let fault = image.pack_fault;
    let fault = fault.map(|fault| format!("pack {}: import again", fault.as_str()));
    let words: Vec<String> = active.into_iter().chain(fault).collect();
    words.join(", ")
}

fn show(image: &Image) -> String {
    let contents = &image.contents;
    let mut table = Table::new(&["image", ""], "");
    let mut put = |name: &str, value: String| table.row([name.to_owned(), value]);
    put("id", image.id.to_string());
    put("product", image.product.to_string());
    put("version", image.version.clone());
    put("file", image.file_name.clone());
    put("description", image.description.clone());
    put(
        "size",
        format!(
            "{} ({} of data)",
            size(image.raw_bytes),
            size(image.data_bytes)
        ),
    );
    put("pack", size(image.pack_bytes));
    put("sha-256", image.sha256.clone());
    put("table", contents.table.clone());
    for partition in &contents.partitions {
        put("partition", partition.clone());
    }
    put("system", contents.os.clone());
    put("kernel", format!("{} ({})", contents.kernel, contents.arch));
    put("device trees", contents.device_trees.len().to_string());
    if let Some(fault) = image.pack_fault {
        put(
            &format!("pack is {}", fault.as_str()),
            format!("import {} again", image.file_name),
        );
    }
    put("active", if image.active { "yes" } else { "no" }.to_owned());
    put("imported", time(image.imported));
    table.to_string()
}

async fn add(desk: &Desk, wanted: Add) -> Result<(), Trouble> {
    let path = std::path::absolute(&wanted.file)?;
    let path = path.to_str().ok_or_else(|| {
        Trouble::words(format!("{} is not UTF-8; rename it", wanted.file.display()))
    })?;
    let mut watch = desk.station.watch().await?;
    let receipt = desk
        .command(Command::ImageAdd {
            path: path.to_owned(),
            product: wanted.product,
            version: wanted.version,
            description: wanted.description,
            activate: wanted.activate,
        })
        .await?;
    let Receipt::Import { import } = &receipt else {
        return Err(unexpected());
    };
    if wanted.background && desk.live {
        return desk.say(&receipt, |_| format!("Import {import} has begun."));
    }
    let shows = !desk.json && std::io::stderr().is_terminal();
    loop {
        let update = tokio::select! {
            update = watch.next() => update,
            _ = tokio::signal::ctrl_c() => {
                desk.command(Command::ImportCancel { import: import.clone() }).await?;
                continue;
            }
        };
        let Some(update) = update else {
            return Err(Trouble::words("the station went away during the import"));
        };
        let imports = match update {
            Update::Import(one) => vec![one],
            Update::Snapshot(all) => all.imports,
            _ => continue,
        };
        let Some(now) = imports.into_iter().find(|i| i.id == *import) else {
            continue;
        };
        if shows {
            progress(&now);
        }
        match now.state {
            ImportState::Running | ImportState::Unknown => {}
            ImportState::Done { image } => return imported(desk, image).await,
            ImportState::Failed { why } => return Err(Trouble::words(why)),
        }
    }
}

async fn imported(desk: &Desk, id: ImageId) -> Result<(), Trouble> {
    let image = named(desk, &id.to_string()).await?;
    desk.say(&image, |image| {
        format!(
            "{} is imported as {} {} ({}): {}, {} in its pack, {}.",
            image.file_name,
            image.product,
            image.version,
            image.id.short(),
            size(image.raw_bytes),
            size(image.pack_bytes),
            if image.active { "active" } else { "not active" }
        )
    })
}

fn progress(import: &Import) {
    let mut err = std::io::stderr();
    let percent = import.read * 100 / import.total.max(1);
    let done = import.state != ImportState::Running;
    // A screen that cannot be written to is no reason to stop.
    let _ = write!(
        err,
        "\r{}: {percent} % of {}{}",
        import.file_name,
        size(import.total),
        if done { "\n" } else { "" }
    );
    let _ = err.flush();
}
