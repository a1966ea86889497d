//! What the kernel's command line tells the agent.

use std::net::SocketAddr;
use wire::Mac;
use wire::agent::{PARAM_MAC, PARAM_STATION, PARAM_TOKEN};

/// The parameters of a netbooted board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// URL of the station's door for boards.
    pub station: String,
    /// The one-time boot token, when the station gave one.
    pub token: Option<String>,
    /// The address that booted, when the station wrote it down.
    pub mac: Option<Mac>,
}

/// Longest command line; the firmware's own limit is not published, 1 kB is known to be safe.
const MAX_BYTES: usize = 1024;

impl Parameters {
    /// Reads `cmdline.txt`. An error says what a board would stumble over.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_BYTES {
            return Err(format!(
                "cmdline.txt has {} bytes, a board takes {MAX_BYTES}",
                bytes.len()
            ));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| "cmdline.txt is not text".to_owned())?;
        let mut lines = text.lines();
        let line = lines.next().unwrap_or_default();
        if lines.any(|l| !l.trim().is_empty()) {
            return Err("cmdline.txt has more than one line, a board reads only the first".into());
        }
        let value = |key: &str| {
            line.split_whitespace()
                .filter_map(|word| word.split_once('='))
                .find_map(|(k, v)| (k == key && !v.is_empty()).then(|| v.to_owned()))
        };
        let station = value(PARAM_STATION).ok_or("cmdline.txt names no station")?;
        let address = station
            .strip_prefix("http://")
            .map(|a| a.trim_end_matches('/'));
        if address.is_none_or(|a| a.parse::<SocketAddr>().is_err()) {
            return Err(format!("{station} is not the http address of a station"));
        }
        let mac = value(PARAM_MAC).map(|m| m.parse::<Mac>().map_err(|e| e.to_string()));
        Ok(Self {
            station,
            token: value(PARAM_TOKEN),
            mac: mac.transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_station_and_the_token_are_found() {
        let text = b"console=tty1 punnet.station=http://127.0.0.1:5001 punnet.token=abc \
                     punnet.mac=2c:cf:67:00:00:01 panic=10\n";
        let p = Parameters::parse(text).unwrap();
        assert_eq!(p.station, "http://127.0.0.1:5001");
        assert_eq!(p.token.as_deref(), Some("abc"));
        assert_eq!(p.mac.unwrap().to_string(), "2c:cf:67:00:00:01");
    }

    #[test]
    fn what_a_board_would_stumble_over_is_named() {
        let long = vec![b'x'; 2000];
        let bad: [(&[u8], &str); 5] = [
            (b"console=tty1", "names no station"),
            (b"punnet.station=ftp://1.2.3.4", "not the http address"),
            (
                b"a\npunnet.station=http://127.0.0.1:1",
                "more than one line",
            ),
            (b"\xff", "not text"),
            (&long, "2000 bytes"),
        ];
        for (bytes, why) in bad {
            let e = Parameters::parse(bytes).unwrap_err();
            assert!(e.contains(why), "{e}");
        }
    }
}
