//! Serves the files of one directory from memory over TFTP, to try clients and to measure.
//!
//! `cargo run --release -p netboot --example tftp_serve -- 127.0.0.1:6969 DIRECTORY [DEVICE]`
//!
//! With `--stock` as the last argument the bare async-tftp crate serves the same files from the
//! same memory, to see what the guard around it costs.

use std::collections::HashMap;
use std::error::Error;
use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;

use async_tftp::packet;
use async_tftp::server::{Handler, TftpServerBuilder};
use bytes::Bytes;
use futures_lite::io::{Cursor, Sink};
use netboot::tftp::{Files, Opened, Settings, serve};

struct Memory(HashMap<String, Bytes>);

impl Files for Memory {
    fn open(&self, _client: SocketAddr, path: &str) -> Opened {
        self.0.get(path).cloned().into()
    }
}

struct Stock(Memory);

impl Handler for Stock {
    type Reader = Cursor<Bytes>;
    type Writer = Sink;

    async fn read_req_open(
        &mut self,
        client: &SocketAddr,
        path: &Path,
    ) -> Result<(Self::Reader, Option<u64>), packet::Error> {
        let path = path.to_str().ok_or(packet::Error::FileNotFound)?;
        let Opened::Found(bytes) = self.0.open(*client, path) else {
            return Err(packet::Error::FileNotFound);
        };
        let size = bytes.len() as u64;
        Ok((Cursor::new(bytes), Some(size)))
    }

    async fn write_req_open(
        &mut self,
        _client: &SocketAddr,
        _path: &Path,
        _size: Option<u64>,
    ) -> Result<Sink, packet::Error> {
        Err(packet::Error::PermissionDenied)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let stock = arguments.last().is_some_and(|last| last == "--stock");
    if stock {
        arguments.pop();
    }
    let [address, directory, device @ ..] = arguments.as_slice() else {
        return Err("usage: tftp_serve ADDRESS:PORT DIRECTORY [DEVICE] [--stock]".into());
    };
    let mut files = HashMap::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            files.insert(name, Bytes::from(std::fs::read(entry.path())?));
        }
    }
    let files = Memory(files);
    let socket = UdpSocket::bind(address.parse::<SocketAddr>()?)?;
    eprintln!("serving on {}", socket.local_addr()?);
    if stock {
        let server = TftpServerBuilder::with_handler(Stock(files)).std_socket(socket)?;
        server.build().await?.serve().await?;
        return Ok(());
    }
    let (events, mut told) = tokio::sync::mpsc::channel(64);
    tokio::spawn(async move {
        // A line in one piece: standard error writes every fragment of a format by itself.
        while let Some(event) = told.recv().await {
            let line = format!("{event:?}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    });
    let device = device.first().cloned();
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    // Whoever measures lets a hundred clients share one address, which boards do not.
    let settings = Settings {
        transfers: 300,
        per_client: 300,
        ..Settings::default()
    };
    serve(socket, device, Arc::new(files), settings, events, stop).await?;
    Ok(())
}
