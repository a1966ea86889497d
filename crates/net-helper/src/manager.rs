//! NetworkManager, where it looks after the NIC: it is asked to leave it alone for the time, or it
//! would take our address for its own affair.

use std::path::Path;
use std::process::{Command, Stdio};

const RUNS: &str = "/run/NetworkManager";
/// By its whole path: whoever starts a program with rights chooses its environment.
const NMCLI: &str = "/usr/bin/nmcli";

/// Asks NetworkManager to leave the NIC alone; true when it looked after it until now.
pub(crate) fn leave_alone(nic: &str) -> bool {
    if !Path::new(RUNS).is_dir() || !Path::new(NMCLI).is_file() {
        return false;
    }
    let managed = say(&["-g", "GENERAL.NM-MANAGED", "device", "show", nic]);
    let managed = managed.is_some_and(|words| words.trim() == "yes");
    managed && say(&["device", "set", nic, "managed", "no"]).is_some()
}

/// Gives the NIC back to it.
pub(crate) fn look_after(nic: &str) {
    if say(&["device", "set", nic, "managed", "yes"]).is_none() {
        eprintln!("punnet-net: NetworkManager did not take {nic} back");
    }
}

fn say(words: &[&str]) -> Option<String> {
    let mut command = Command::new(NMCLI);
    command.args(words).env_clear().env("LC_ALL", "C");
    let said = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let words = String::from_utf8_lossy(&said.stdout).into_owned();
    said.status.success().then_some(words)
}
