//! `punnet-agent`: the agent as `/init` of a board that booted from the network.
//!
//! The steps until the station can be asked for an order, each in its own file: make sure that this
//! is such a board ([`guard`]), mount what a program needs ([`start`]), load the kernel modules that
//! came along ([`modules`]), find the network card and get an address ([`nic`], [`lease`]). Then
//! [`agent::run`] lives its life on a [`machine::Machine`]. PID 1 must not end: what fails is shown,
//! and the board restarts after a while.

mod pid1;

use agent::{Ending, Screen, Settings, Tone, run};
use nix::sys::reboot::{RebootMode, reboot};
use pid1::{consoles, guard, lease, machine, modules, nic, start};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

/// How long what went wrong can be read before the board restarts.
const READING_TIME: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let parameters = match guard::admit() {
        Ok(parameters) => parameters,
        Err(why) => {
            eprintln!("punnet-agent: {why}");
            if matches!(why, guard::Refused::Mount(_) | guard::Refused::NoStation) {
                // The kernel panics when its first program ends; the words come first.
                std::thread::sleep(READING_TIME);
            }
            return ExitCode::FAILURE;
        }
    };
    let ending = catch_unwind(AssertUnwindSafe(|| live(&parameters)));
    let ending = ending.unwrap_or_else(|_| {
        let mut screen = Screen::new(Tone::Bad, "", "agent failed");
        screen.lines = vec!["The agent stopped by itself. The board restarts.".to_owned()];
        consoles::Consoles::open().show(&screen);
        std::thread::sleep(READING_TIME);
        Ending::Reboot
    });
    end(&ending)
}

/// From mounted file systems to the end of the agent's life.
fn live(parameters: &guard::Parameters) -> Ending {
    start::reap();
    let consoles = consoles::Consoles::open();
    consoles.show(&Screen::new(Tone::Working, "", "starting"));
    for complaint in modules::load() {
        consoles.note(&complaint);
    }
    let machine = machine::Machine::new(consoles);
    let card = nic::choose(parameters.mac, &mut |words| machine.consoles().note(words));
    let grant = lease::take(&card, machine.board(card.mac), machine.consoles());
    machine.use_card(&card.name);
    let link = parameters.link(&card, &grant);
    machine.consoles().note(&format!(
        "address {}, station {}",
        grant.address, link.station
    ));
    run(&machine, &link, &Settings::default())
}

/// Does what the life ended with. Does not return on a board.
fn end(ending: &Ending) -> ExitCode {
    nix::unistd::sync();
    let mode = match ending {
        Ending::PowerOff => RebootMode::RB_POWER_OFF,
        Ending::Stay => loop {
            std::thread::sleep(Duration::from_hours(1));
        },
        Ending::Reboot | Ending::BootFromDisk { .. } | Ending::BootAnew | Ending::PowerLost => {
            // Long enough to be read on the screen.
            std::thread::sleep(Duration::from_secs(2));
            RebootMode::RB_AUTOBOOT
        }
    };
    loop {
        let Err(why) = reboot(mode);
        eprintln!("punnet-agent: the board cannot be restarted: {why}");
        std::thread::sleep(READING_TIME);
    }
}
