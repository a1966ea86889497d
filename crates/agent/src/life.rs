//! The whole life of an agent: check in, do what is ordered, and say what the board does next.

use crate::failure::Trouble;
use crate::platform::Platform;
use crate::provision::provision;
use crate::screen::{Screen, Tone};
use crate::settings::{Link, Settings};
use delivery::http::{HttpError, Station};
use std::time::{Duration, Instant};
use wire::Hostname;
use wire::agent::{After, CheckIn, Order};
use wire::board::Hold;
use wire::refusal::Code;

/// Version of the contract that this agent speaks ([`CheckIn::protocol`]).
const PROTOCOL: u32 = 1;
/// Bounds of the pause that an order to wait may ask for.
const WAIT_MS: std::ops::RangeInclusive<u32> = 200..=60_000;

/// What the board does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Provisioned: restart.
    Reboot,
    /// Provisioned: switch off.
    PowerOff,
    /// Provisioned: stay as it is.
    Stay,
    /// Was finished before: restart from the own disk.
    BootFromDisk {
        /// Its name.
        hostname: Hostname,
    },
    /// The station keeps refusing the token of this boot: restart, to be given another.
    BootAnew,
    /// A virtual board's plug was pulled.
    PowerLost,
}

/// Lives until the board is to do something else. A station that is away is asked for ever; one that
/// does not believe the board (its books were restored from before this boot, say) for a while.
pub fn run(platform: &dyn Platform, link: &Link, settings: &Settings) -> Ending {
    let station = Station::new(&link.station, link.local);
    let mut pause = settings.pause;
    let mut doubted_since = None;
    while !platform.power_lost() {
        let inventory = platform.inventory(link.mac);
        let board = format!("{}, {}", inventory.model, inventory.board);
        let question = CheckIn {
            protocol: PROTOCOL,
            agent: env!("CARGO_PKG_VERSION").to_owned(),
            token: link.token.clone(),
            inventory,
        };
        let order = station.post("/agent/v1/check-in", &question);
        match &order {
            Err(HttpError::Refused(refusal)) if refusal.code == Code::Forbidden => {
                let since = *doubted_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= settings.doubted {
                    let mut screen = Screen::new(Tone::Waiting, "", "boots anew");
                    screen.lines = vec![refusal.message.clone(), board];
                    platform.show(&screen);
                    return Ending::BootAnew;
                }
            }
            _ => doubted_since = None,
        }
        let calm = match order {
            Ok(Order::Provision(job)) => {
                let result = provision(platform, link, settings, &station, &job);
                match result {
                    Ok(()) => return ending(job.after),
                    Err(Trouble::PowerLost) => return Ending::PowerLost,
                    Err(Trouble::Failed(_)) => {}
                    Err(Trouble::Stopped(why)) => {
                        let mut screen = Screen::new(Tone::Waiting, "", "stopped");
                        screen.lines = vec![why, board];
                        platform.show(&screen);
                    }
                }
                settings.after_failure
            }
            Ok(Order::BootFromDisk { hostname }) => {
                platform.show(&Screen::new(Tone::Good, hostname.as_str(), "already done"));
                return Ending::BootFromDisk { hostname };
            }
            Ok(Order::Wait {
                hold,
                words,
                again_ms,
                identify_s,
            }) => {
                platform.show(&waiting(&hold, words, board));
                if identify_s > 0 {
                    platform.blink(identify_s);
                }
                let ms = again_ms.clamp(*WAIT_MS.start(), *WAIT_MS.end());
                Duration::from_millis(ms.into())
            }
            Ok(Order::Unknown) => {
                let words = "the station gave an order that this agent does not know";
                platform.show(&waiting(&Hold::Unknown, words.to_owned(), board));
                settings.longest_pause
            }
            Err(error) => {
                let mut screen = Screen::new(Tone::Waiting, "", "looking for the station");
                screen.lines = vec![error.to_string(), board];
                platform.show(&screen);
                rest(platform, pause);
                pause = (pause * 2).min(settings.longest_pause);
                continue;
            }
        };
        pause = settings.pause;
        rest(platform, calm);
    }
    Ending::PowerLost
}

fn ending(after: After) -> Ending {
    match after {
        After::PowerOff => Ending::PowerOff,
        After::Stay => Ending::Stay,
        After::Reboot | After::Unknown => Ending::Reboot,
    }
}

fn waiting(hold: &Hold, words: String, board: String) -> Screen {
    let mut screen = Screen::new(Tone::Waiting, "", "waiting");
    let words = if words.is_empty() {
        hold.to_string()
    } else {
        words
    };
    screen.lines = vec![words, board];
    screen
}

/// Waits, but not without power.
fn rest(platform: &dyn Platform, time: Duration) {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        if left.is_zero() || platform.power_lost() {
            break;
        }
        std::thread::sleep(left.min(Duration::from_millis(200)));
    }
}
