//! Getting one file, as the bootloader asks for it.

use super::{LARGEST, Socket, Wire};
use crate::bootloader::{Answer, Ask, Firmware, Options};
use crate::chance::Chance;
use crate::pace::Pace;
use crate::power::{NoPower, Power};
use netboot::tftp::client::{Client, Outcome, Output, Want};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// What firmware can hold of one file, in bytes.
const LARGEST_FILE: usize = 128 << 20;
/// RFC 2347: an acknowledgement of options.
const OACK: [u8; 2] = [0, 6];

/// The TFTP side of a bootloader.
#[derive(Debug)]
pub(crate) struct Fetcher<'a> {
    pub(crate) address: Ipv4Addr,
    pub(crate) server: SocketAddr,
    pub(crate) firmware: Firmware,
    pub(crate) wire: Wire,
    pub(crate) pace: Pace,
    pub(crate) power: &'a Power,
    pub(crate) chance: Chance,
}

impl Fetcher<'_> {
    /// Asks and waits for what comes of it. Each request has a port of its own.
    pub(crate) fn fetch(&mut self, ask: &Ask) -> Result<Answer, NoPower> {
        let bind = |this: &mut Self| Socket::bind(this.address, this.wire, &mut this.chance);
        let mut socket = match bind(self) {
            Ok(socket) => socket,
            Err(e) => return Ok(Answer::Failed(format!("no socket: {e}"))),
        };
        let mut twice = false;
        if self.chance.hits(self.wire.duplicates) {
            // Seen on real boards: the same request again at once, or a second transfer of the
            // same file that is begun and never spoken of again.
            twice = self.chance.hits(0.5);
            if !twice && let Ok(mut stray) = bind(self) {
                let mut client = Client::new(self.want(ask), self.server, Instant::now());
                if let Some(Output::Send { to, bytes }) = client.poll(Instant::now()) {
                    stray.send(&bytes, to);
                }
            }
        }
        self.converse(&mut socket, ask, twice)
    }

    fn want(&self, ask: &Ask) -> Want {
        let (max_block, tsize) = match ask.options {
            Options::None => (None, false),
            Options::Size => (None, true),
            Options::SizeAndBlock(block) => (Some(block), true),
        };
        Want {
            max_block,
            tsize,
            probe: ask.probe,
            rollover: self.firmware.rollover,
            resend: self.pace.retry(Duration::from_secs(2)),
            patience: self.pace.retry(Duration::from_secs(30)),
            limit: LARGEST_FILE,
            ..Want::file(ask.path.as_str())
        }
    }

    fn converse(&self, socket: &mut Socket, ask: &Ask, twice: bool) -> Result<Answer, NoPower> {
        let mut client = Client::new(self.want(ask), self.server, Instant::now());
        let mut buffer = [0; LARGEST];
        let mut acknowledged = false;
        let mut first = twice;
        loop {
            self.power.check()?;
            while let Some(output) = client.poll(Instant::now()) {
                match output {
                    Output::Send { to, bytes } => {
                        if std::mem::take(&mut first) {
                            socket.send(&bytes, to);
                        }
                        socket.send(&bytes, to);
                    }
                    Output::Ended(outcome) => return Ok(answer(outcome, acknowledged)),
                }
            }
            let Some(deadline) = client.next_deadline() else {
                return Ok(Answer::Failed("the transfer came to a stop".to_owned()));
            };
            match socket.receive(&mut buffer, deadline, self.power)? {
                Some((len, from)) => {
                    acknowledged |= buffer[..len].starts_with(&OACK);
                    client.handle(&buffer[..len], from);
                }
                None => client.handle_timeout(Instant::now()),
            }
        }
    }
}

fn answer(outcome: Outcome, acknowledged: bool) -> Answer {
    let failed = |why: String| Answer::Failed(why);
    match outcome {
        Outcome::Present { .. } => Answer::There,
        Outcome::File { bytes } => Answer::File {
            bytes: bytes.into(),
            acknowledged,
        },
        Outcome::NotFound => Answer::NotFound,
        Outcome::Refused { code, message } => failed(format!("refused with {code}: {message}")),
        Outcome::TimedOut { received: 0 } => failed("no answer".to_owned()),
        Outcome::TimedOut { received } => failed(format!("timed out after {received} bytes")),
        Outcome::RolledOver => failed(
            "the file has more than 65535 blocks, which this firmware cannot count; keep files \
             below 64 MB or update the boot EEPROM"
                .to_owned(),
        ),
        Outcome::BadAnswer => failed("the server granted what was not asked for".to_owned()),
        Outcome::TooLarge => failed("the file is larger than the firmware's memory".to_owned()),
        Outcome::WrongSize { told, received } => failed(format!(
            "{received} bytes arrived where {told} were announced"
        )),
    }
}
