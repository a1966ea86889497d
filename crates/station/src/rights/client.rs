//! One conversation with whoever holds the rights.

use punnet_net::{Channel, Reply, Request, in_this_process};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::process::Child;

/// Longest wait for an answer. NetworkManager may be asked in between.
const ANSWER: Duration = Duration::from_secs(15);
/// Time for a process to be gone once its socket is.
const GONE: Duration = Duration::from_secs(2);

/// The station's end of a conversation.
#[derive(Debug)]
pub(super) struct Client {
    let_go: Arc<AtomicBool>,
    channel: Channel<UnixStream>,
    process: Option<Child>,
    through: String,
}

impl Client {
    /// A conversation over `socket`, begun by the other side's greeting. Fails when it has no
    /// rights to share; `through` says who it is.
    pub(super) async fn greeted(
        socket: OwnedFd,
        process: Option<Child>,
        through: String,
    ) -> io::Result<Self> {
        let mut client = Self::over(socket, process, through)?;
        match client.hear().await? {
            (Reply::Ready { rights: true, .. }, _) => Ok(client),
            (Reply::Ready { .. }, _) => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "it was started without rights",
            )),
            (other, _) => Err(io::Error::other(format!("it began with {other:?}"))),
        }
    }

    /// A conversation with this process, whatever rights it has.
    pub(super) async fn own() -> io::Result<Self> {
        let mut client = Self::over(in_this_process()?, None, "this process".to_owned())?;
        client.hear().await?;
        Ok(client)
    }

    fn over(socket: OwnedFd, process: Option<Child>, through: String) -> io::Result<Self> {
        Ok(Self {
            let_go: Arc::default(),
            channel: Channel::over(stream(socket)?)?,
            process,
            through,
        })
    }

    /// Ends the conversation; the other side undoes what it did.
    pub(super) fn let_go(self) {
        self.let_go.store(true, Ordering::Relaxed);
    }

    /// Whom it leads to, in words.
    pub(super) fn through(&self) -> &str {
        &self.through
    }

    /// Asks and waits for the answer.
    pub(super) async fn ask(&mut self, request: &Request) -> io::Result<(Reply, Option<OwnedFd>)> {
        let socket = self.channel.socket();
        socket
            .async_io(Interest::WRITABLE, || self.channel.send(request, None))
            .await?;
        self.hear().await
    }

    async fn hear(&mut self) -> io::Result<(Reply, Option<OwnedFd>)> {
        let socket = self.channel.socket();
        let receive = || self.channel.receive::<Reply>();
        let hearing = socket.async_io(Interest::READABLE, receive);
        let heard = tokio::time::timeout(ANSWER, hearing).await;
        let received = heard.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let Some(received) = received else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let reply = received.message.unwrap_or(Reply::Unknown);
        Ok((reply, received.socket))
    }

    /// A future of the other side's end: how it ended, in words, unless it was let go.
    pub(super) fn ended(
        &mut self,
    ) -> io::Result<impl Future<Output = Option<String>> + Send + 'static + use<>> {
        let socket = stream(self.channel.socket().as_fd().try_clone_to_owned()?)?;
        let mut process = self.process.take();
        let let_go = Arc::clone(&self.let_go);
        Ok(async move {
            closed(&socket).await;
            let status = match &mut process {
                Some(process) => tokio::time::timeout(GONE, process.wait()).await.ok(),
                None => None,
            };
            if let_go.load(Ordering::Relaxed) {
                return None;
            }
            Some(match status {
                Some(Ok(status)) => how(status),
                _ => "its connection was closed".to_owned(),
            })
        })
    }
}

fn stream(socket: OwnedFd) -> io::Result<UnixStream> {
    // The runtime has no sockets of this kind; of its stream only readiness is used, which is the
    // same for both.
    let socket = std::os::unix::net::UnixStream::from(socket);
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}

/// Waits for the other end to be closed, whatever is said until then.
async fn closed(socket: &UnixStream) {
    while let Ok(ready) = socket.ready(Interest::READABLE).await {
        if ready.is_read_closed() {
            return;
        }
        let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        // Forgets what is there to be read: that is another reader's.
        let _ = socket.try_io(Interest::READABLE, nothing);
    }
}

fn how(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("it was killed by signal {signal}"),
        (None, Some(code)) => format!("it ended with status {code}"),
        (None, None) => "it ended".to_owned(),
    }
}
