//! Connections for the HTTP client: from a given address, to a literal address.
//!
//! Two things the client's own connector lacks. Virtual boards all live on one machine and are told
//! apart by their source address, so a connection must come from the board's own. And a board has
//! no name service: resolving is reading the digits, which also keeps the C library's resolver out
//! of a static program.
//!
//! The traits implemented here are the client's "unversioned" ones: a minor release may change them.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::Duration;
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// Kernel buffer for received bytes: a gigabit's worth of a scheduling pause of 20 ms.
const RECEIVE_BUFFER: usize = 2 << 20;

/// Reads addresses; asks nobody.
#[derive(Debug)]
pub(super) struct Literal;

impl Resolver for Literal {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let ip: IpAddr = host.parse().map_err(|_| Error::HostNotFound)?;
        let mut found = self.empty();
        found.push(SocketAddr::new(ip, uri.port_u16().unwrap_or(80)));
        Ok(found)
    }
}

/// Connects from one address of this machine.
#[derive(Debug)]
pub(super) struct From {
    pub(super) source: Option<Ipv4Addr>,
}

impl Connector<()> for From {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Connection>, Error> {
        let to = details.addrs.iter().next().ok_or(Error::HostNotFound)?;
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(*to),
            socket2::Type::STREAM,
            None,
        )?;
        if let Some(source) = self.source {
            socket.bind(&SocketAddrV4::new(source, 0).into())?;
        }
        // The kernel may cap it; what it gives is enough.
        socket.set_recv_buffer_size(RECEIVE_BUFFER).ok();
        socket.set_tcp_nodelay(true)?;
        let patience = details.timeout.not_zero();
        let patience = patience.map_or(Duration::from_secs(5), |p| *p);
        socket
            .connect_timeout(&(*to).into(), patience)
            .map_err(|e| {
                if e.kind() == io::ErrorKind::TimedOut {
                    Error::Timeout(details.timeout.reason)
                } else {
                    Error::Io(e)
                }
            })?;
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(Connection {
            stream: socket.into(),
            buffers,
        }))
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    buffers: LazyBuffers,
}

/// Turns what the kernel says when time is up into what the client expects.
fn timed(result: io::Result<usize>, timeout: NextTimeout) -> Result<usize, Error> {
    match result {
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            ) =>
        {
            Err(Error::Timeout(timeout.reason))
        }
        other => Ok(other?),
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.stream
            .set_write_timeout(timeout.not_zero().map(|t| *t))?;
        let output = &self.buffers.output()[..amount];
        timed(self.stream.write_all(output).map(|()| 0), timeout)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        self.stream
            .set_read_timeout(timeout.not_zero().map(|t| *t))?;
        let input = self.buffers.input_append_buf();
        let amount = loop {
            match self.stream.read(input) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break timed(other, timeout)?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // A byte that nobody asked for, or the end, both mean: do not use it again.
        let mut byte = [0];
        let waiting = self.stream.set_nonblocking(true).is_ok()
            && matches!(self.stream.peek(&mut byte), Err(e) if e.kind() == io::ErrorKind::WouldBlock);
        waiting && self.stream.set_nonblocking(false).is_ok()
    }
}
