//! The road over HTTP: byte ranges of the pack over one kept connection.

use crate::fetch::{Road, RoadError};
use crate::plan::Span;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// How long a connection may be silent before it counts as broken.
const SILENCE: Duration = Duration::from_secs(10);

/// An HTTP client for everything a board says to its station: reports, orders, packs.
///
/// `local` is the source address of every connection, for boards that share one machine; a real
/// board leaves it out. Statuses of 400 and above are answers, not errors.
pub fn client(local: Option<Ipv4Addr>) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE))
        .max_idle_connections(4)
        .user_agent(concat!("punnet/", env!("CARGO_PKG_VERSION")))
        .build();
    ureq::Agent::with_parts(config, FromAddress { local }, DefaultResolver::default())
}

/// A pack on the station's door for boards.
#[derive(Debug)]
pub struct HttpPack {
    client: ureq::Agent,
    url: String,
}

impl HttpPack {
    /// The pack at `url`.
    pub fn new(client: ureq::Agent, url: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
        }
    }
}

impl Road for HttpPack {
    fn bring(
        &mut self,
        span: &Span,
        sink: &mut dyn FnMut(usize, Vec<u8>) -> bool,
    ) -> Result<(), RoadError> {
        let broken = |e: &dyn std::fmt::Display| RoadError::Broken(e.to_string());
        let range = format!("bytes={}-{}", span.bytes.start, span.bytes.end - 1);
        let answer = self.client.get(&self.url).header("range", range).call();
        let mut answer = answer.map_err(|e| broken(&e))?;
        let status = answer.status().as_u16();
        if status != 206 {
            let mut text = String::new();
            let body = answer.body_mut().as_reader();
            // Only to be shown: what cannot be read is left out.
            let _ = body.take(500).read_to_string(&mut text);
            return Err(match status {
                408 | 429 | 500.. => RoadError::Broken(format!("status {status} {text}")),
                _ => RoadError::Refused { status, text },
            });
        }
        let mut body = answer.body_mut().as_reader();
        for &(chunk, bytes) in &span.frames {
            let mut frame = vec![0; bytes as usize];
            body.read_exact(&mut frame).map_err(|e| broken(&e))?;
            if !sink(chunk, frame) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        "http"
    }
}

/// Opens TCP connections from a chosen source address, and gives up on silent ones.
#[derive(Debug)]
struct FromAddress {
    local: Option<Ipv4Addr>,
}

impl Connector for FromAddress {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _chained: Option<()>,
    ) -> Result<Option<Connection>, ureq::Error> {
        let Some(to) = details.addrs.iter().next() else {
            return Err(ureq::Error::HostNotFound);
        };
        let stream = self.open(*to)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        let config = details.config;
        let buffers = LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
        Ok(Some(Connection { stream, buffers }))
    }
}

impl FromAddress {
    fn open(&self, to: SocketAddr) -> std::io::Result<TcpStream> {
        use socket2::{Domain, Protocol, Socket, Type};
        let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
        if let Some(local) = self.local {
            socket.bind(&SocketAddr::from((local, 0)).into())?;
        }
        socket.connect_timeout(&to.into(), SILENCE)?;
        Ok(socket.into())
    }
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    buffers: LazyBuffers,
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        let output = &self.buffers.output()[..amount];
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// A kept connection is open when it has nothing to say: bytes or an end mean that the other
    /// side is gone.
    fn is_open(&mut self) -> bool {
        let mut probe = [0];
        let quiet = self.stream.set_nonblocking(true).is_ok()
            && matches!(
                self.stream.peek(&mut probe),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock
            );
        quiet && self.stream.set_nonblocking(false).is_ok()
    }
}
