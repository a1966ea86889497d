//! The real DHCP and TFTP servers on loopback, with files that a test decides.

use super::door::bound;
use crate::board::Doors;
use bytes::Bytes;
use netboot::dhcp::{self, ReplyTo};
use netboot::tftp::{self, Files, Opened};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, watch};

/// Which file a client gets.
pub(crate) type Serve = Arc<dyn Fn(SocketAddr, &str) -> Option<Bytes> + Send + Sync>;

struct Tree(Serve);

impl Files for Tree {
    fn open(&self, client: SocketAddr, path: &str) -> Opened {
        (self.0)(client, path).into()
    }
}

/// Running servers; they stop when this is dropped.
pub(crate) struct Boot {
    doors: Doors,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Boot {
    /// Serves the same files to everybody.
    pub(crate) fn start(files: HashMap<String, Bytes>) -> Self {
        Self::serve(Arc::new(move |_, path| files.get(path).cloned()), None)
    }

    /// Serves, on given ports or on free ones.
    pub(crate) fn serve(files: Serve, doors: Option<Doors>) -> Self {
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let bind = |at: SocketAddrV4| bound(|| UdpSocket::bind(at));
        let dhcp = bind(doors.map_or(any, |d| d.dhcp));
        let tftp = bind(doors.map_or(any, |d| d.tftp));
        let place = |socket: &UdpSocket| match socket.local_addr().unwrap() {
            SocketAddr::V4(at) => at,
            SocketAddr::V6(_) => unreachable!("an IPv4 address was bound"),
        };
        let doors = Doors {
            dhcp: place(&dhcp),
            tftp: place(&tftp),
        };
        let (stop, stopped) = watch::channel(false);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(run(dhcp, tftp, files, stopped));
        });
        Self {
            doors,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn doors(&self) -> Doors {
        self.doors
    }
}

impl Drop for Boot {
    fn drop(&mut self) {
        self.stop.send(true).ok();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

async fn run(dhcp: UdpSocket, tftp: UdpSocket, files: Serve, stopped: watch::Receiver<bool>) {
    let (from, to) = (
        Ipv4Addr::new(127, 64, 128, 1),
        Ipv4Addr::new(127, 64, 255, 254),
    );
    let mut settings =
        dhcp::Settings::new(Ipv4Addr::LOCALHOST, Ipv4Addr::new(255, 0, 0, 0), from..=to);
    settings.reply = ReplyTo::Source;
    let server = dhcp::Server::new(settings, Vec::new());
    let (dhcp_events, mut dhcp_heard) = mpsc::channel(64);
    let (tftp_events, mut tftp_heard) = mpsc::channel(64);
    let (_vouch, vouched) = mpsc::channel(1);
    let until = |mut stopped: watch::Receiver<bool>| async move {
        stopped.wait_for(|stop| *stop).await.ok();
    };
    tftp.set_nonblocking(true).unwrap();
    let serve_dhcp = dhcp::serve(dhcp, server, dhcp_events, vouched, until(stopped.clone()));
    let serve_tftp = tftp::serve(
        tftp,
        None,
        Arc::new(Tree(files)),
        tftp::Settings::default(),
        tftp_events,
        until(stopped),
    );
    let listen = async {
        loop {
            tokio::select! {
                Some(_) = dhcp_heard.recv() => {}
                Some(_) = tftp_heard.recv() => {}
                else => break,
            }
        }
    };
    let (a, b, ()) = tokio::join!(serve_dhcp, serve_tftp, listen);
    a.unwrap();
    b.unwrap();
}
