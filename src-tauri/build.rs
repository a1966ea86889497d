//! Takes the page into the program: every file of `ui/dist`, as a table of paths and bytes.
//!
//! The page is made by `npm ci && npm run build` in `ui`. A build without the window does without it;
//! its station then says that it has no page. A build with the window ends here with words, because
//! a window without a page would be empty.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let dist = Path::new("../ui/dist");
    let found = dist.join("index.html").is_file();
    // Cargo looks through the whole folder for changes. A file or folder that is missing counts as
    // changed each time, so what is watched is the nearest folder that is there.
    let watched = [dist, Path::new("../ui"), Path::new("Cargo.toml")];
    if let Some(watched) = watched.into_iter().find(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    if !found && env::var_os("CARGO_FEATURE_WINDOW").is_some() {
        println!(
            "cargo::error=the window needs its page, and ui/dist has none. Make it with \
             `npm ci && npm run build` in the folder ui (or build everything with `make window`); \
             without npm, build without the window: `--no-default-features`."
        );
        return Ok(());
    }
    let mut files = Vec::new();
    if found {
        collect(dist, &mut files)?;
    }
    files.sort();
    write_table(dist, &files)?;
    #[cfg(feature = "window")]
    tauri_build::try_build(tauri_build::Attributes::new()).map_err(io::Error::other)?;
    Ok(())
}

/// Every file below `folder` but the maps that only a debugger reads.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_none_or(|extension| extension != "map") {
            files.push(path);
        }
    }
    Ok(())
}

/// Writes the table that `src/page.rs` includes.
fn write_table(dist: &Path, files: &[PathBuf]) -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo says OUT_DIR"))?;
    let mut table = fs::File::create(Path::new(&out).join("page.rs"))?;
    writeln!(table, "&[")?;
    for file in files {
        let name = file.strip_prefix(dist).map_err(io::Error::other)?;
        let whole = fs::canonicalize(file)?;
        writeln!(
            table,
            "    ({:?}, include_bytes!({:?})),",
            format!("/{}", name.display()),
            whole.display().to_string()
        )?;
    }
    writeln!(table, "]")
}
