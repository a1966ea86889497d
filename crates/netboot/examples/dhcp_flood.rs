//! Many boards asking for an address, and how fast they get it, as one line of JSON.
//!
//! ```text
//! dhcp_flood --boards 10000 --at 127.64.0.1:6767      # over loopback, each source its own address
//! dhcp_flood --boards 10000 --device veth1            # broadcasts, listening on port 68 of a NIC
//! ```
//! Each board has an Ethernet address of its own and speaks as a Pi 4 does: DISCOVER, OFFER, REQUEST,
//! ACK. `--window` boards talk at once (64), shared among `--threads` (1); `--first` numbers the
//! first board, so that a second run brings new ones.

use netboot::dhcp::CLIENT_PORT;
use netboot::dhcp::client::{Event, Lessee, Network, Output, Persona, Timing};
use netboot::socket;
use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::ops::Range;
use std::time::{Duration, Instant};
use wire::revision::Revision;
use wire::{Mac, Millis};

#[derive(Clone)]
struct Plan {
    device: Option<String>,
    at: Option<SocketAddrV4>,
    window: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut plan = Plan {
        device: None,
        at: None,
        window: 64,
    };
    let (mut boards, mut first, mut threads) = (1000_u32, 0_u32, 1_u32);
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or(format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--device" => plan.device = Some(value),
            "--at" => plan.at = Some(value.parse()?),
            "--window" => plan.window = value.parse::<usize>()?.max(1),
            "--threads" => threads = value.parse::<u32>()?.max(1),
            "--boards" => boards = value.parse()?,
            "--first" => first = value.parse()?,
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    if plan.device.is_some() == plan.at.is_some() {
        return Err("give either --at ADDRESS:PORT or --device NIC".into());
    }
    // A NIC has one port 68, so there one thread hears for all.
    let threads = if plan.device.is_some() { 1 } else { threads };
    let started = Instant::now();
    let share = boards.div_ceil(threads);
    let workers: Vec<_> = (0..threads)
        .map(|n| {
            let from = first + (n * share).min(boards);
            let to = first + ((n + 1) * share).min(boards);
            let plan = plan.clone();
            std::thread::spawn(move || flood(&plan, n as u8, from..to))
        })
        .collect();
    let mut micros = Vec::new();
    for worker in workers {
        micros.extend(worker.join().map_err(|_| "a thread panicked")??);
    }
    let seconds = started.elapsed().as_secs_f64();
    micros.sort_unstable();
    let at = |percent: usize| {
        let place = micros.len() * percent / 100;
        micros
            .get(place.min(micros.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0)
    };
    println!(
        "{{\"boards\":{boards},\"done\":{},\"failed\":{},\"seconds\":{seconds:.4},\"per_second\":{:.0},\
         \"p50_us\":{},\"p99_us\":{}}}",
        micros.len(),
        boards as usize - micros.len(),
        micros.len() as f64 / seconds,
        at(50),
        at(99),
    );
    Ok(())
}

/// Lets these boards ask, a window of them at a time; returns how long each took, in microseconds.
fn flood(plan: &Plan, thread: u8, boards: Range<u32>) -> io::Result<Vec<u64>> {
    let own = Ipv4Addr::new(127, 64, 1 + thread / 250, 1 + thread % 250);
    let socket = match &plan.device {
        Some(device) => {
            let everywhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, CLIENT_PORT);
            socket::open_shared(Some(device), everywhere)
        }
        None => socket::open(None, SocketAddrV4::new(own, 0)),
    };
    let socket = socket.map_err(io::Error::other)?;
    socket.set_read_timeout(Some(Duration::from_millis(20)))?;
    let mut waiting = boards;
    let mut asking: HashMap<Mac, (Lessee, Instant)> = HashMap::new();
    let mut micros = Vec::new();
    let mut buffer = [0; 1500];
    loop {
        while asking.len() < plan.window
            && let Some(board) = waiting.next()
        {
            let (mac, mut lessee) = begin(plan, board);
            carry(&socket, &mut lessee)?;
            asking.insert(mac, (lessee, Instant::now()));
        }
        if asking.is_empty() {
            return Ok(micros);
        }
        match socket.recv_from(&mut buffer) {
            Ok((length, SocketAddr::V4(from))) => {
                let bytes = buffer.get(..length).unwrap_or_default();
                let Some(mac) = bytes
                    .get(28..34)
                    .and_then(|raw| raw.try_into().ok())
                    .map(Mac)
                else {
                    continue;
                };
                if let Some((lessee, began)) = asking.get_mut(&mac) {
                    lessee.handle(bytes, from, Millis::now());
                    if let Some(Event::Bound(_)) = carry(&socket, lessee)? {
                        micros.push(began.elapsed().as_micros() as u64);
                        asking.remove(&mac);
                    }
                }
            }
            Ok((_, SocketAddr::V6(_))) => {}
            Err(why)
                if matches!(
                    why.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                let now = Millis::now();
                for (lessee, _) in asking.values_mut() {
                    lessee.handle_timeout(now);
                    carry(&socket, lessee)?;
                }
                asking.retain(|_, (lessee, _)| lessee.next_deadline().is_some());
            }
            Err(why) => return Err(why),
        }
    }
}

fn begin(plan: &Plan, board: u32) -> (Mac, Lessee) {
    let [b0, b1, b2, b3] = board.to_be_bytes();
    let mac = Mac([2, 0x50, b0, b1, b2, b3]);
    let persona = Persona {
        broadcast: plan.device.is_some(),
        timing: Timing {
            resend: Duration::from_secs(1),
            slowest: Duration::from_secs(1),
            tries: Some(5),
            total: None,
        },
        ..Persona::eeprom(Revision(0x00d0_3114), mac, board, false)
    };
    let network = plan.at.map_or(Network::Broadcast, Network::Only);
    (
        mac,
        Lessee::new(persona, mac, network, board.into(), Millis::now()),
    )
}

fn carry(socket: &UdpSocket, lessee: &mut Lessee) -> io::Result<Option<Event>> {
    while let Some(output) = lessee.poll() {
        match output {
            Output::Event(event) => return Ok(Some(event)),
            Output::Send { to, bytes } => {
                socket.send_to(&bytes, to)?;
            }
        }
    }
    Ok(None)
}
