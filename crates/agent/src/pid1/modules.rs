//! Kernel modules that the station put beside the agent, because this image's kernel needs them for
//! its network card or disk.

use nix::errno::Errno;
use nix::kmod::{ModuleInitFlags, finit_module};
use std::ffi::CStr;
use std::fs::File;
use std::path::Path;

/// The order in which they are loaded: one path per line, below `/lib/modules`.
const ORDER: &str = "/lib/modules/load-order";

/// Loads every module of the list; returns complaints. A module that does not load is no reason to
/// stop: perhaps this board does not need it.
pub(crate) fn load() -> Vec<String> {
    let Ok(list) = std::fs::read_to_string(ORDER) else {
        return Vec::new();
    };
    let mut complaints = Vec::new();
    for line in list.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let path = Path::new("/lib/modules").join(line);
        let result = match File::open(&path) {
            Ok(file) => finit_module(&file, no_parameters(), ModuleInitFlags::empty())
                .map_err(|e| e.to_string())
                .or_else(|e| {
                    // Loaded before, or built in.
                    (e == Errno::EEXIST.to_string()).then_some(()).ok_or(e)
                }),
            Err(e) => Err(e.to_string()),
        };
        if let Err(why) = result {
            complaints.push(format!("module {line}: {why}"));
        }
    }
    complaints
}

fn no_parameters() -> &'static CStr {
    c""
}
