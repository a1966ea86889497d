//! `punnet-net`: answers one station over the socket that is its standard input, or that it finds
//! under `--connect PATH`, and undoes what it did when that station is gone.
//!
//! It is installed with file capabilities, executable by group `punnet` alone; a service manager
//! starts it for each connection; from a source tree it is started through `sudo` or `pkexec`, whose
//! children have no socket of their starter but can connect to one.

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use punnet_net::{Channel, Hands, greet, serve_next};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::process::ExitCode;

const USAGE: &str = "punnet-net is started by punnet. Usage: punnet-net [--connect PATH]";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let socket = match (arguments.next(), arguments.next(), arguments.next()) {
        (None, ..) => rustix::io::dup(io::stdin()).map_err(io::Error::from),
        (Some(option), Some(path), None) if option == "--connect" => connected(&path),
        (Some(option), None, None) if option == "--version" => {
            println!("punnet-net {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match socket.and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("punnet-net: {why}. {USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn connected(path: &OsString) -> io::Result<OwnedFd> {
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// Answers until the station is gone or a service manager says that it is enough.
fn run(socket: OwnedFd) -> io::Result<()> {
    let channel = Channel::over(socket)?;
    // A terminal's Ctrl-C and hang-up reach everybody at once, and the station may still want to say
    // its last words; SIGTERM is meant.
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block()?;
    let mut meant = SigSet::empty();
    meant.add(Signal::SIGTERM);
    let told = SignalFd::with_flags(&meant, SfdFlags::SFD_CLOEXEC)?;
    let mut hands = Hands::new()?;
    greet(&channel)?;
    loop {
        let mut ends = [
            PollFd::new(channel.socket(), PollFlags::IN),
            PollFd::new(&told, PollFlags::IN),
        ];
        poll(&mut ends, None)?;
        if !ends[1].revents().is_empty() {
            return Ok(());
        }
        if !serve_next(&channel, &mut hands)? {
            return Ok(());
        }
    }
}
