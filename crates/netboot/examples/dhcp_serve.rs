//! Our DHCP server alone, for measurements and for looking at it by hand.
//!
//! ```text
//! dhcp_serve --server 10.77.0.1/16 --pool 10.77.1.0-10.77.200.255 --device veth0
//! dhcp_serve --server 127.64.0.1/8 --pool 127.65.0.1-127.65.255.250 --listen 127.64.0.1:6767 --source
//! ```
//! With `--device` it listens on port 67 of that NIC; with `--source` it answers to where a packet
//! came from. `--uefi` answers UEFI firmware too, `--accept MAC` one more client, `--verbose` prints
//! every event.

use netboot::dhcp::{ReplyTo, Server, Settings, serve};
use netboot::socket;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddrV4};
use tokio::sync::mpsc;

fn main() -> Result<(), Box<dyn Error>> {
    let none = Ipv4Addr::UNSPECIFIED;
    let mut settings = Settings::new(none, none, none..=none);
    let (mut device, mut verbose) = (None, false);
    let mut listen = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 67);
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{flag} needs a value"));
        match flag.as_str() {
            "--device" => device = Some(value()?),
            "--listen" => listen = value()?.parse()?,
            "--server" => {
                let text = value()?;
                let (ip, bits) = text.split_once('/').ok_or("--server ADDRESS/BITS")?;
                let ones = u32::MAX
                    .checked_shl(32 - bits.parse::<u32>()?.min(32))
                    .unwrap_or(0);
                (settings.server, settings.mask) = (ip.parse()?, Ipv4Addr::from_bits(ones));
            }
            "--pool" => {
                let text = value()?;
                let (first, last) = text.split_once('-').ok_or("--pool FIRST-LAST")?;
                settings.pool = first.parse()?..=last.parse()?;
            }
            "--accept" => settings.accept.extend([value()?.parse::<wire::Mac>()?]),
            "--source" => settings.reply = ReplyTo::Source,
            "--uefi" => settings.answer_uefi = true,
            "--verbose" => verbose = true,
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    settings.check()?;
    let socket = socket::open(device.as_deref(), listen)?;
    let (events, mut told) = mpsc::channel(1024);
    let (_vouch, vouched) = mpsc::channel(1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let printing = async {
            while let Some(event) = told.recv().await {
                if verbose {
                    println!("{event:?}");
                }
            }
        };
        let server = Server::new(settings, Vec::new());
        let serving = serve(socket, server, events, vouched, std::future::pending());
        tokio::join!(serving, printing).0
    })?;
    Ok(())
}
