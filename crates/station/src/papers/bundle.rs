//! Everything that is known of one board in one file, to send to whoever can help: a zip of its
//! sheet, its log, its packets, and how the station is set. No secret is in it.

use super::moment::Occasion;
use super::{Paper, board_log, unwritten};
use crate::store::{self, Connection};
use serde::Serialize;
use serde_json::json;
use std::io::{Cursor, Write as _};
use wire::health::{Finding, Lease, Ready, ServerStatus};
use wire::query::EventFilter;
use wire::sheet::Sheet;
use wire::{BoardId, Refusal};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// What lies in the bundle.
const ABOUT: &str = "\
What the station knows about one board.

board.txt      who it is, its deployments, every event; to read first
sheet.json     its way through the stages, its inventory, its speeds, what is advised
events.json    every event
network.json   its Ethernet addresses and its lease
packets.pcap   its last DHCP, ARP and TFTP packets, for Wireshark; where any are remembered
log.jsonl      the lines of the station's log about it; where a log is kept in files
station.json   version, servers, findings and readiness of the station
station.toml   how the station is set, without secrets; for administrators
";

/// What the store does not know.
#[derive(Debug)]
pub(crate) struct Around {
    pub(crate) sheet: Sheet,
    pub(crate) version: String,
    pub(crate) servers: Vec<ServerStatus>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) ready: Ready,
    /// Lines of the station's log about the board.
    pub(crate) log: Vec<String>,
    /// How the station is set; nothing when none runs, or it is not for whoever asks.
    pub(crate) settings: Option<String>,
    /// Its packets; nothing where none are remembered.
    pub(crate) packets: Option<Vec<u8>>,
}

/// Draws the bundle up.
pub(crate) fn draw(
    conn: &Connection,
    board: BoardId,
    around: &Around,
    occasion: &Occasion,
) -> Result<Paper, Refusal> {
    let seat = store::boards::get(conn, board)?;
    let macs = seat.map(|seat| seat.macs).unwrap_or_default();
    let leases = store::leases::all(conn)?.into_iter();
    let leases: Vec<Lease> = leases.filter(|l| macs.contains(&l.mac)).collect();
    let events = store::events::list(
        conn,
        &EventFilter {
            board: Some(board),
            limit: u32::MAX,
            ..EventFilter::default()
        },
    )?;
    let text = board_log::text(conn, board, occasion)?;
    let station = json!({
        "version": around.version,
        "drawn_up": occasion.exactly(occasion.at),
        "ready": around.ready,
        "servers": around.servers,
        "findings": around.findings,
    });

    let mut bundle = Bundle::begin(board);
    bundle.add("about.txt", ABOUT.as_bytes())?;
    bundle.add("board.txt", text.as_bytes())?;
    bundle.json("sheet.json", &around.sheet)?;
    bundle.json("events.json", &events)?;
    let network = json!({"ethernet_addresses": macs, "leases": leases});
    bundle.json("network.json", &network)?;
    if let Some(packets) = &around.packets {
        bundle.add("packets.pcap", packets)?;
    }
    if !around.log.is_empty() {
        bundle.add("log.jsonl", (around.log.join("\n") + "\n").as_bytes())?;
    }
    bundle.json("station.json", &station)?;
    if let Some(settings) = &around.settings {
        bundle.add("station.toml", settings.as_bytes())?;
    }
    Ok(Paper {
        file_name: format!("punnet-board-{board}.zip"),
        media_type: "application/zip",
        bytes: bundle.end()?,
    })
}

/// A zip under way; all files lie in one folder.
struct Bundle {
    zip: ZipWriter<Cursor<Vec<u8>>>,
    folder: String,
}

impl Bundle {
    fn begin(board: BoardId) -> Self {
        Self {
            zip: ZipWriter::new(Cursor::default()),
            folder: format!("punnet-board-{board}"),
        }
    }

    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), Refusal> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .unix_permissions(0o644);
        let name = format!("{}/{name}", self.folder);
        self.zip.start_file(name, options).map_err(unwritten)?;
        self.zip.write_all(bytes).map_err(unwritten)
    }

    fn json(&mut self, name: &str, value: &impl Serialize) -> Result<(), Refusal> {
        let bytes = serde_json::to_vec_pretty(value).map_err(unwritten)?;
        self.add(name, &bytes)
    }

    fn end(self) -> Result<Vec<u8>, Refusal> {
        let whole = self.zip.finish().map_err(unwritten)?;
        Ok(whole.into_inner())
    }
}
