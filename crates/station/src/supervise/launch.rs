//! How each server is opened: is the place free, who holds it otherwise, which sockets, which task.

use crate::boot_tree::BootTree;
use crate::config::{Config, Deployment, Dhcp};
use crate::doors::listen;
use crate::engine::Engine;
use crate::net::port::{PortError, Transport, explain, free};
use crate::rights::{Denied, Reason, Rights, What};
use crate::self_test::visits::Visits;
use axum::Router;
use netboot::dhcp::visitor::Keys;
use netboot::dhcp::{ReplyTo, Server, Settings, Told};
use netboot::packets::Packets;
use netboot::tftp::TftpEvent;
use socket2::{Domain, Protocol, Socket, Type};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::pin::Pin;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::Mac;
use wire::health::ServerKind;

/// Ports of DHCP and TFTP that boards know; only these are had through the rights.
const DHCP_PORT: u16 = 67;
const TFTP_PORT: u16 = 69;
/// Kept connections that wait to be accepted.
pub const BACKLOG: i32 = 1024;
/// UEFI processor types (RFC 5970 registry) and the path of the loader for each.
pub const LOADERS: [(u16, &str); 2] = [(11, "efi/grubaa64.efi"), (7, "efi/grubx64.efi")];

/// A server that is open and about to run.
pub struct Launched {
    /// Where it listens, in words.
    pub listen: String,
    /// Where it listens.
    pub at: SocketAddrV4,
    /// Its task; ends when asked to, or with the reason why it cannot go on.
    pub task: Pin<Box<dyn Future<Output = Result<(), String>> + Send>>,
}

/// Opens servers.
pub trait Launch: Send + 'static {
    /// Opens `server`, to end when `stop` is cancelled. The error says who holds the place, or what
    /// else is in the way, and what to do.
    fn launch(
        &mut self,
        server: ServerKind,
        stop: CancellationToken,
    ) -> impl Future<Output = Result<Launched, String>> + Send;

    /// Lets this Ethernet address be answered by DHCP from now on.
    fn vouch(&mut self, mac: Mac);

    /// What is opened from now on stands on this NIC and this address.
    fn stand_on(&mut self, deployment: &Deployment);

    /// DHCP hands addresses out like this when it is opened the next time.
    fn hand_out(&mut self, dhcp: &Dhcp);
}

/// Opens the real servers.
pub struct Launcher {
    dhcp: Dhcp,
    deployment: Deployment,
    rights: Rights,
    engine: Engine,
    tree: Arc<BootTree>,
    router: Router,
    loopback: bool,
    device: Option<String>,
    dhcp_events: mpsc::Sender<Told>,
    tftp_events: mpsc::Sender<TftpEvent>,
    vouch: Option<mpsc::Sender<Mac>>,
    vouched: Vec<Mac>,
    visits: Visits,
    packets: Packets,
}

impl Launcher {
    /// A launcher for this configuration. With `loopback` nothing is bound to a device and DHCP
    /// answers go back to where the question came from.
    pub fn new(
        config: &Config,
        rights: Rights,
        loopback: bool,
        engine: Engine,
        tree: Arc<BootTree>,
        router: Router,
        events: (mpsc::Sender<Told>, mpsc::Sender<TftpEvent>),
    ) -> Self {
        let device = config.deployment.interface.clone().filter(|_| !loopback);
        Self {
            deployment: config.deployment.clone(),
            dhcp: config.dhcp.clone(),
            rights,
            engine,
            tree,
            router,
            loopback,
            device,
            dhcp_events: events.0,
            tftp_events: events.1,
            vouch: None,
            vouched: Vec::new(),
            visits: Visits::default(),
            packets: Packets::default(),
        }
    }

    /// The same launcher, whose servers receive the self-test's visits and write their packets down.
    #[must_use]
    pub fn watched(mut self, visits: Visits, packets: Packets) -> Self {
        self.visits = visits;
        self.packets = packets;
        self
    }

    fn at(&self, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(self.deployment.address.address, port)
    }

    fn words(&self, at: SocketAddrV4) -> String {
        match &self.device {
            Some(device) => format!("{at} on {device}"),
            None => at.to_string(),
        }
    }

    fn http(&self, stop: CancellationToken) -> Result<Launched, String> {
        let wanted = self.at(self.deployment.http_port);
        let device = self.device.as_deref();
        let listener = listen_tcp(device, wanted).map_err(|e| e.to_string())?;
        let at = bound(&listener.local_addr(), wanted);
        self.engine.set_station_url(format!("http://{at}"));
        self.tree.set_station_url(format!("http://{at}"));
        let router = self.router.clone();
        Ok(Launched {
            listen: self.words(at),
            at,
            task: Box::pin(async move {
                let ended = listen::tcp(listener, router, None, stop).await;
                ended.map_err(|dead| dead.to_string())
            }),
        })
    }

    async fn udp(
        &self,
        what: What,
        bind: SocketAddrV4,
        shown: Ipv4Addr,
    ) -> Result<(std::net::UdpSocket, SocketAddrV4), String> {
        let usual = matches!(
            (what, bind.port()),
            (What::Dhcp, DHCP_PORT) | (What::Tftp, TFTP_PORT)
        );
        let device = self.device.as_deref();
        let socket = if usual && device.is_some() {
            let opened = self.rights.udp(what).await;
            opened.map_err(|denied| in_words(&denied, bind))?
        } else {
            free(Transport::Udp, device, bind).map_err(|e| e.to_string())?;
            netboot::socket::open(device, bind).map_err(|e| format!("{e}."))?
        };
        let port = bound(&socket.local_addr(), bind).port();
        Ok((socket, SocketAddrV4::new(shown, port)))
    }

    async fn tftp(&self, stop: CancellationToken) -> Result<Launched, String> {
        let wanted = self.at(self.deployment.tftp_port);
        let (socket, at) = self.udp(What::Tftp, wanted, *wanted.ip()).await?;
        let task = netboot::tftp::serve_watched(
            socket,
            self.device.clone(),
            Arc::clone(&self.tree) as Arc<dyn netboot::tftp::Files>,
            netboot::tftp::Settings::default(),
            self.tftp_events.clone(),
            self.packets.clone(),
            stop.cancelled_owned(),
        );
        Ok(Launched {
            listen: self.words(at),
            at,
            task: Box::pin(async move { task.await.map_err(|e| e.to_string()) }),
        })
    }

    async fn dhcp(&mut self, stop: CancellationToken) -> Result<Launched, String> {
        let wanted = self.at(self.deployment.dhcp_port);
        // Broadcasts reach a socket that is bound to no address; the device keeps it to one wire.
        let bind = if self.loopback {
            wanted
        } else {
            SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, wanted.port())
        };
        let settings = self.dhcp_settings();
        settings.check().map_err(|e| format!("{e}."))?;
        let (socket, at) = self.udp(What::Dhcp, bind, *wanted.ip()).await?;
        let visits = self.visits.clone();
        let server = Server::new(settings, self.engine.leases().await)
            .expecting(Keys::new(move |key| visits.knows(key)));
        let packets = self.packets.clone();
        let (vouch, vouched) = mpsc::channel(256);
        self.vouch = Some(vouch);
        let events = (self.dhcp_events.clone(), self.tree.news());
        Ok(Launched {
            listen: self.words(at),
            at,
            task: Box::pin(async move {
                let stop = stop.cancelled_owned();
                netboot::dhcp::serve_watched(socket, server, events, vouched, packets, stop)
                    .await
                    .map_err(|e| e.to_string())
            }),
        })
    }

    fn dhcp_settings(&self) -> Settings {
        let deployment = &self.deployment;
        let dhcp = &self.dhcp;
        let pool = deployment.leases.first..=deployment.leases.last;
        let address = deployment.address;
        let mut settings = Settings::new(address.address, address.mask(), pool);
        settings.lease = dhcp.lease;
        settings.reply_delay = dhcp.reply_delay;
        settings.raw_option_43 = dhcp.raw_option_43;
        settings.answer_uefi = dhcp.answer_uefi;
        settings.uefi_loaders = LOADERS
            .iter()
            .filter(|(_, path)| self.tree.has_loader(path))
            .map(|(arch, path)| (*arch, (*path).to_owned()))
            .collect();
        settings.accept = dhcp.accept.iter().chain(&self.vouched).copied().collect();
        if self.loopback {
            settings.reply = ReplyTo::Source;
        }
        settings
    }
}

impl Launch for Launcher {
    async fn launch(
        &mut self,
        server: ServerKind,
        stop: CancellationToken,
    ) -> Result<Launched, String> {
        match server {
            ServerKind::Http => self.http(stop),
            ServerKind::Tftp => self.tftp(stop).await,
            ServerKind::Dhcp => self.dhcp(stop).await,
        }
    }

    fn vouch(&mut self, mac: Mac) {
        if !self.vouched.contains(&mac) {
            self.vouched.push(mac);
        }
        if let Some(vouch) = &self.vouch
            && vouch.try_send(mac).is_err()
        {
            tracing::debug!(%mac, "DHCP learns of it when it starts again");
        }
    }

    fn stand_on(&mut self, deployment: &Deployment) {
        let interface = deployment.interface.clone();
        self.device = interface.filter(|_| !self.loopback);
        self.deployment = deployment.clone();
    }

    fn hand_out(&mut self, dhcp: &Dhcp) {
        self.dhcp = dhcp.clone();
    }
}

fn in_words(denied: &Denied, at: SocketAddrV4) -> String {
    match denied.reason {
        Reason::Taken => {
            explain(Transport::Udp, at, std::io::ErrorKind::AddrInUse.into()).to_string()
        }
        _ => format!("{}.", denied.text.trim_end_matches('.')),
    }
}

fn bound(real: &std::io::Result<SocketAddr>, wanted: SocketAddrV4) -> SocketAddrV4 {
    match real {
        Ok(SocketAddr::V4(at)) => *at,
        _ => wanted,
    }
}

/// A listening TCP socket, tied to `device` when one is named. A holder of the port is named; the address
/// may come later.
pub fn listen_tcp(device: Option<&str>, at: SocketAddrV4) -> Result<TcpListener, PortError> {
    free(Transport::Tcp, device, at)?;
    let open = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.bind_device(device.map(str::as_bytes))?;
        socket.set_freebind_v4(true)?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::V4(at).into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    open().map_err(|why| explain(Transport::Tcp, at, why))
}
