//! What the pre-flight asks of a wire, and what the agent asks first, from the command line.
//!
//! ```text
//! look_around eth1 address 192.168.151.1     # who has this address?
//! look_around eth1 watch 192.168.151.1       # announce it, name whoever else uses it
//! look_around eth1 rivals 4                  # which DHCP servers answer within four seconds?
//! look_around eth1 ask                       # get an address as the agent does
//! ```

use netboot::arp::{self, ArpSocket, Timing};
use netboot::dhcp::client::{Conversation, Lessee, Network, Persona};
use netboot::dhcp::{CLIENT_PORT, probe};
use netboot::socket;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;
use tokio::sync::mpsc;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match words[..] {
        [device, "address", ip] => {
            match runtime.block_on(arp::probe(device, ip.parse()?, Timing::default()))? {
                Some(mac) => println!("{ip} is used by {mac}"),
                None => println!("{ip} is free"),
            }
        }
        [device, "watch", ip] => {
            let (tell, mut told) = mpsc::channel(8);
            let (device, ip) = (device.to_owned(), ip.parse()?);
            runtime.block_on(async {
                let socket = ArpSocket::open(&device)?;
                let timing = Timing::default();
                let watching = socket.watch(ip, timing, tell, std::future::pending());
                let printing = async {
                    while let Some(conflict) = told.recv().await {
                        println!("{ip} is also used by {}", conflict.mac);
                    }
                };
                tokio::join!(watching, printing).0
            })?;
        }
        [device, "rivals", seconds] => {
            let patience = Duration::from_secs(seconds.parse()?);
            for rival in runtime.block_on(probe::probe(device, None, patience))? {
                println!("{rival:?}");
            }
        }
        [device, "ask"] => {
            let address = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT);
            let socket = socket::open_shared(Some(device), address)?;
            let mac = ArpSocket::open(device)?.mac();
            let seed = getrandom::u64()?;
            let mut talk = Conversation::begin(socket, |now| {
                Lessee::new(Persona::agent(None), mac, Network::Broadcast, seed, now)
            });
            println!("{:?}", talk.next_event(Duration::from_mins(1))?);
        }
        _ => return Err("look_around DEVICE address|watch IP, rivals SECONDS, or ask".into()),
    }
    Ok(())
}
