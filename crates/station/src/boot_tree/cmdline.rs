//! The kernel command line of the installer: where the station is, and the board's boot token.

use std::fmt::Write as _;
use wire::Mac;
use wire::agent::{PARAM_MAC, PARAM_STATION, PARAM_TOKEN};

/// Longest line the firmware takes to the kernel whole. It adds its own words, and beyond about a
/// kilobyte it says "ARM kernel command line is too long".
pub const MOST: usize = 1023;

/// What a board must be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told<'a> {
    /// URL of the station's door for boards.
    pub station: &'a str,
    /// The one-time boot token.
    pub token: &'a str,
    /// The interface that booted.
    pub mac: Mac,
}

/// The consoles of a kind of machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// A Raspberry Pi: serial pins and screen. The firmware puts the right UART for `serial0`.
    Pi,
    /// A 64-bit Arm machine with UEFI.
    Arm,
    /// A 64-bit x86 machine.
    X86,
}

/// Renders the line, without a newline.
pub fn render(console: Console, told: &Told<'_>) -> String {
    let consoles = match console {
        Console::Pi => "console=serial0,115200 console=tty1",
        Console::Arm => "console=ttyAMA0,115200 console=tty0",
        Console::X86 => "console=ttyS0,115200 console=tty0",
    };
    let mut line = format!("{consoles} rdinit=/init panic=10 consoleblank=0 loglevel=4");
    for (name, value) in [(PARAM_STATION, told.station), (PARAM_TOKEN, told.token)] {
        let _ = write!(line, " {name}={value}");
    }
    let _ = write!(line, " {PARAM_MAC}={}", told.mac);
    line
}

/// What is wrong with a command line for the installer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lint {
    /// More than one line, or a byte that is not printable ASCII.
    #[error("the command line holds {0:?}; it must be one line of printable ASCII")]
    Character(char),
    /// Longer than [`MOST`].
    #[error("the command line has {0} bytes; the firmware takes {MOST}")]
    TooLong(usize),
    /// A word that starts another system, or does nothing when given here.
    #[error("{0}= does not belong on the installer's command line")]
    Stray(&'static str),
    /// A parameter that must be there exactly once.
    #[error("{name}= stands there {times} times; it must stand there once")]
    Times {
        /// The parameter.
        name: &'static str,
        /// How often it was found.
        times: usize,
    },
}

/// Checks a command line for the installer.
pub fn lint(line: &str) -> Result<(), Lint> {
    if let Some(bad) = line.chars().find(|c| !matches!(c, ' '..='~')) {
        return Err(Lint::Character(bad));
    }
    if line.len() > MOST {
        return Err(Lint::TooLong(line.len()));
    }
    let times = |name: &str| {
        line.split(' ')
            .filter(|word| word.split_once('=').is_some_and(|(key, _)| key == name))
            .count()
    };
    // root= and init= would start another system; initrd= has no effect here and misleads.
    for stray in ["root", "init", "initrd"] {
        if times(stray) > 0 {
            return Err(Lint::Stray(stray));
        }
    }
    for name in ["rdinit", PARAM_STATION, PARAM_TOKEN, PARAM_MAC] {
        let times = times(name);
        if times != 1 {
            return Err(Lint::Times { name, times });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Told<'static> {
        Told {
            station: "http://192.168.151.1:5001",
            token: "0123456789abcdef0123456789abcdef",
            mac: Mac([0x2c, 0xcf, 0x67, 0, 0x11, 0x22]),
        }
    }

    #[test]
    fn rendered_lines_pass_the_lint() {
        for console in [Console::Pi, Console::Arm, Console::X86] {
            let line = render(console, &told());
            assert_eq!(lint(&line), Ok(()), "{line}");
            assert!(line.contains("punnet.station=http://192.168.151.1:5001 "));
            assert!(line.ends_with("punnet.mac=2c:cf:67:00:11:22"));
        }
    }

    #[test]
    fn lines_that_would_not_boot_the_installer_are_found() {
        let good = render(Console::Pi, &told());
        for (line, lint_says) in [
            (format!("{good}\n"), Lint::Character('\n')),
            (format!("{good} root=/dev/ram0"), Lint::Stray("root")),
            (format!("{good} init=/bin/sh"), Lint::Stray("init")),
            (format!("{good} initrd=x"), Lint::Stray("initrd")),
            (
                format!("{good} punnet.token=2"),
                Lint::Times {
                    name: PARAM_TOKEN,
                    times: 2,
                },
            ),
            (
                good.replace(" rdinit=/init", ""),
                Lint::Times {
                    name: "rdinit",
                    times: 0,
                },
            ),
        ] {
            assert_eq!(lint(&line), Err(lint_says), "{line}");
        }
        let long = format!("{good} {}", "x".repeat(MOST));
        assert!(matches!(lint(&long), Err(Lint::TooLong(_))));
    }
}
