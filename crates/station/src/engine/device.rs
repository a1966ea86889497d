//! The compatible device API: foreign installers ask for a name and an image, and report.
//!
//! The same rules of admission as for the agent, as far as the facts reach: nobody has looked at
//! the disks, so rules that ask for them hold the board. What such an installer says is believed,
//! and recorded as [`VerifyLevel::Reported`]. A deployment of the agent is never touched from here,
//! and two boards that go by one id are told apart as far as whole serial numbers and addresses can.

use super::admit::{Admitted, Asking, admit};
use super::check_in::tell_conflict;
use super::turn::Turn;
use crate::bench::admission::Wants;
use crate::bench::attempt::{Attempt, Via};
use crate::bench::identity;
use crate::bench::seat::{NO_MAC, Seat};
use crate::bench::stages::{Heard, line};
use crate::names;
use crate::store;
use std::net::Ipv4Addr;
use std::str::FromStr;
use wire::batch::VerifyLevel;
use wire::board::{Failure, Hold, Mac, Serial};
use wire::device::{ConfigRequest, StatusReply, StatusRequest};
use wire::image::Image;
use wire::name::{Hostname, NameError, ProductCode, VenueCode};
use wire::refusal::{Code, Refusal};
use wire::{BoardId, Stage};

const MOST_WORDS: usize = 500;

/// What a foreign installer was assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAssignment {
    /// The deployment.
    pub deployment: String,
    /// The name.
    pub hostname: Hostname,
    /// The batch's product.
    pub product: ProductCode,
    /// The batch's venue.
    pub venue: VenueCode,
    /// The image.
    pub image: Image,
}

/// Answers `POST /api/config`. The outer result is a request that changed nothing; the inner one
/// is the answer, of which a hold is remembered.
pub(super) fn config(
    turn: &mut Turn<'_>,
    from: Ipv4Addr,
    request: &ConfigRequest,
) -> Result<Result<DeviceAssignment, Refusal>, Refusal> {
    let wants = Wants {
        product: code("product_type", request.product_type.as_deref())?,
        venue: code("venue_code", request.venue_code.as_deref())?,
    };
    let who = who(
        turn,
        from,
        request.serial_number.as_deref(),
        request.mac_address.as_deref(),
    )?;
    if let Some(why) = stranger(turn, &who)? {
        return Ok(Err(on_hold(
            who.board,
            &Hold::IdentityConflict { why }.to_string(),
        )));
    }
    turn.welcome(who.board, who.mac)?;
    if let Some(open) = turn.seat(who.board).and_then(Seat::open)
        && open.via == Via::Agent
    {
        return Err(Refusal::conflict(format!(
            "Board {} is being provisioned as {} by the agent.",
            who.board, open.hostname
        ))
        .next("Let it finish, or cancel its batch."));
    }
    learn(turn, from, &who);
    turn.hear(who.board, Heard::CheckedIn)?;
    let asking = Asking {
        board: who.board,
        via: Via::Device,
        boot: None,
        machine: turn.seat(who.board).and_then(|s| s.machine),
        disks: None,
        wants,
    };
    Ok(match admit(turn, &asking)? {
        Admitted::Go { attempt, image } => {
            if let Some(seat) = turn.seat_mut(who.board) {
                seat.checked_in = true;
            }
            Ok(DeviceAssignment {
                deployment: attempt.id,
                hostname: attempt.hostname,
                product: attempt.product,
                venue: attempt.venue,
                image: *image,
            })
        }
        Admitted::Wait { words, .. } => Err(on_hold(who.board, &words)),
        Admitted::GoHome { hostname } => Err(on_hold(
            who.board,
            &format!("it was provisioned before as {hostname}. Approve it to image it again."),
        )),
    })
}

/// Reads a code that an installer may leave out.
fn code<T: FromStr<Err = NameError>>(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, Refusal> {
    let parse = |text: &str| {
        text.parse()
            .map_err(|e| Refusal::invalid(field, format!("{e}.")))
    };
    given(text).map(parse).transpose()
}

fn on_hold(board: BoardId, words: &str) -> Refusal {
    Refusal::new(Code::OnHold, format!("Board {board} waits: {words}"))
}

/// A board as its installer gives it.
struct Who {
    board: BoardId,
    serial: Option<Serial>,
    mac: Mac,
}

fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|t| !t.is_empty())
}

/// Finds out which board asks: by its serial number, else by an address that is known here.
fn who(
    turn: &Turn<'_>,
    from: Ipv4Addr,
    serial: Option<&str>,
    mac: Option<&str>,
) -> Result<Who, Refusal> {
    let said = match given(mac) {
        None => None,
        Some(text) => Some(
            text.parse::<Mac>()
                .map_err(|e| Refusal::invalid("mac_address", format!("{e}.")))?,
        ),
    };
    let mac = said.or_else(|| turn.holder(from));
    if let Some(text) = given(serial) {
        let (board, serial) =
            names::serial(text).map_err(|e| Refusal::invalid("serial_number", format!("{e}.")))?;
        let mac = mac.unwrap_or(NO_MAC);
        return Ok(Who { board, serial, mac });
    }
    let board = match mac {
        Some(mac) => turn.board_of(mac)?,
        None => None,
    };
    match (board, mac) {
        (Some(board), Some(mac)) => Ok(Who {
            board,
            serial: None,
            mac,
        }),
        _ => Err(Refusal::invalid(
            "serial_number",
            "The request names no board that is known here.",
        )
        .next("Send serial_number.")),
    }
}

/// Why the caller is another board than the one that is known under its id; that is put on the
/// record.
fn stranger(turn: &mut Turn<'_>, who: &Who) -> Result<Option<String>, Refusal> {
    turn.fetch(who.board)?;
    let seat = turn.seat(who.board);
    let why = seat.and_then(|seat| identity::stranger(seat, who.serial, who.mac, turn.now));
    if let Some(why) = &why {
        let whom = who.serial.map_or(who.mac.to_string(), |s| s.to_string());
        tell_conflict(turn, who.board, whom, why)?;
    }
    Ok(why)
}

fn learn(turn: &mut Turn<'_>, from: Ipv4Addr, who: &Who) {
    let leased = turn.bench.leased(from);
    if let Some(seat) = turn.seat_mut(who.board) {
        seat.tile.serial = seat.tile.serial.or(who.serial);
        if who.mac != NO_MAC {
            seat.tile.mac = who.mac;
        }
        seat.tile.ip = Some(from);
        seat.learn_mac(who.mac);
        // Later it may leave its address to be found out.
        seat.learn_mac(leased.unwrap_or(NO_MAC));
    }
    // What DHCP gave is known better than what an installer says.
    if leased.is_none() {
        turn.give(from, who.mac);
    }
}

/// Answers `POST /api/status`. The outer result is a request that changed nothing; the inner one is
/// the answer, of which a second board under one id is remembered.
pub(super) fn status(
    turn: &mut Turn<'_>,
    from: Ipv4Addr,
    request: &StatusRequest,
) -> Result<Result<StatusReply, Refusal>, Refusal> {
    let status = given(request.status.as_deref()).unwrap_or("");
    let Some(said) = Said::of(status) else {
        let status = line(status, 40);
        return Err(
            Refusal::invalid("status", format!("{status:?} is no status."))
                .next("Send starting, downloading, verifying, customizing, success or failed."),
        );
    };
    let attempt = find(turn, from, request)?;
    if attempt.via != Via::Device {
        return Err(Refusal::new(
            Code::Forbidden,
            format!("Deployment {} is the agent's.", attempt.id),
        ));
    }
    let board = attempt.board;
    if let Ok(who) = reporter(turn, from, request)
        && who.board == board
        && let Some(why) = stranger(turn, &who)?
    {
        let message = format!("The report is not about board {board}: {why}.");
        return Ok(Err(Refusal::conflict(message)));
    }
    let reply = StatusReply {
        received: true,
        hostname: Some(attempt.hostname.to_string()),
    };
    if !attempt.is_open() {
        return said_again(&attempt, said).map(|()| Ok(reply));
    }
    let words = given(request.message.as_deref()).map(|m| line(m, MOST_WORDS));
    match said {
        Said::At(stage) => turn.hear(
            board,
            Heard::Step {
                stage,
                detail: words,
            },
        )?,
        Said::Success => turn.hear(board, Heard::Done(VerifyLevel::Reported))?,
        Said::Failed => {
            let what = given(request.error_message.as_deref())
                .map(|m| line(m, MOST_WORDS))
                .or(words)
                .unwrap_or_else(|| "the installer reports a failure without a reason".to_owned());
            let failure = Failure {
                stage: attempt.stage,
                what,
                next: "Retry it when the cause is found.".to_owned(),
            };
            turn.hear(board, Heard::Failed(failure))?;
        }
    }
    Ok(Ok(reply))
}

/// What a status text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    At(Stage),
    Success,
    Failed,
}

impl Said {
    fn of(status: &str) -> Option<Self> {
        Some(match status {
            "starting" => Self::At(Stage::PreparingStorage),
            "downloading" => Self::At(Stage::Writing),
            "verifying" => Self::At(Stage::Verifying),
            "customizing" => Self::At(Stage::Personalising),
            "success" => Self::Success,
            "failed" => Self::Failed,
            _ => return None,
        })
    }
}

/// Saying the same again is fine; saying something else after the end is not.
fn said_again(attempt: &Attempt, said: Said) -> Result<(), Refusal> {
    let same = match said {
        Said::Success => attempt.stage.is_finished(),
        Said::Failed => attempt.stage == Stage::Failed,
        Said::At(_) => false,
    };
    if same {
        return Ok(());
    }
    Err(Refusal::conflict(format!(
        "Deployment {} of {} is over ({}).",
        attempt.id, attempt.hostname, attempt.stage
    ))
    .next("Ask for the configuration again."))
}

fn serial_of(request: &StatusRequest) -> Option<&str> {
    given(request.serial.as_deref()).or(given(request.serial_number.as_deref()))
}

fn reporter(turn: &Turn<'_>, from: Ipv4Addr, request: &StatusRequest) -> Result<Who, Refusal> {
    let mac = request.mac_address.as_deref();
    who(turn, from, serial_of(request), mac)
}

/// The deployment that a report is about: the one it names, else the newest of its board, else the
/// newest of its name. A report under another name than the deployment's is about another one. Serials and
/// names stand on the board's label, so a report by these has to come from the board.
fn find(turn: &Turn<'_>, from: Ipv4Addr, request: &StatusRequest) -> Result<Attempt, Refusal> {
    if let Some(id) = given(request.deployment_id.as_deref()) {
        let found = store::deployments::get(turn.tx, id)?;
        return found.ok_or_else(|| super::report::unknown(id));
    }
    let serial = serial_of(request);
    let hostname = given(request.hostname.as_deref());
    let by_board = match reporter(turn, from, request) {
        Ok(who) => store::deployments::newest(turn.tx, who.board)?,
        Err(refusal) if serial.is_some() => return Err(refusal),
        Err(_) => None,
    };
    let found = match (by_board, hostname) {
        (None, Some(name)) => store::deployments::newest_of_name(turn.tx, name)?,
        (found, _) => found,
    };
    let named = |attempt: &Attempt| {
        hostname.is_none_or(|name| name.eq_ignore_ascii_case(attempt.hostname.as_str()))
    };
    let asked_for = || super::report::unknown(hostname.or(serial).unwrap_or(""));
    let attempt = found.filter(named).ok_or_else(asked_for)?;
    comes_from_its_board(turn, from, &attempt)?;
    Ok(attempt)
}

/// Refuses a report from another address than the one that the deployment's configuration went to, where
/// that is known. A board that DHCP gave another address since then is still itself.
fn comes_from_its_board(turn: &Turn<'_>, from: Ipv4Addr, attempt: &Attempt) -> Result<(), Refusal> {
    let Some(seat) = turn.seat(attempt.board) else {
        return Ok(());
    };
    let leased = turn.bench.leased(from);
    match seat.tile.ip {
        Some(ip) if ip != from && leased.is_none_or(|mac| !seat.macs.contains(&mac)) => {
            Err(Refusal::new(
                Code::Forbidden,
                format!(
                    "Deployment {} of {} is that of board {} at {ip}, and this report comes from \
                     {from}.",
                    attempt.id, attempt.hostname, attempt.board
                ),
            )
            .next("Report from the board itself, or ask for its configuration again."))
        }
        _ => Ok(()),
    }
}
