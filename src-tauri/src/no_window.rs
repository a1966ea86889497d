//! What `punnet` does when it is started without a verb and has no window in it: it becomes the one
//! that is installed beside it, or says how to have one and what can be done without.

use crate::print::out;
use crate::trouble::Trouble;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

/// Where the package puts the window, seen from the folder of this program.
const WINDOW: &str = "../lib/punnet/punnet-window";

/// Opens the window, or lists the ways to use this build.
pub(crate) fn open() -> Result<(), Trouble> {
    match window() {
        Some(window) => {
            let failed = Command::new(&window)
                .arg0("punnet")
                .args(std::env::args_os().skip(1))
                .exec();
            let words = format!("the window {} does not start: {failed}", window.display());
            Err(Trouble::words(words))
        }
        None => explain(),
    }
}

fn window() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let window = program.parent()?.join(WINDOW);
    window.is_file().then_some(window)
}

fn explain() -> Result<(), Trouble> {
    Ok(out("\
The window is not installed; it comes with the package punnet. Without it Punnet is used like this:

  punnet --daemon             run the station (DHCP, TFTP and HTTP for boards)
  punnet rehearse             run a whole batch with virtual boards, without any rights
  punnet check                look whether this machine and its network are fit
  punnet image add FILE …     import a golden image
  punnet batch create …       plan a batch of boards
  punnet boards --watch       follow the boards
  punnet --help               everything else
")?)
}
