//! One message at a time over a Unix socket, with at most one open socket beside it.
//!
//! The socket keeps messages apart (`SOCK_SEQPACKET`), so a message is read whole or refused, and
//! an open socket arrives with the message it belongs to.

use rustix::cmsg_space;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair, sockopt::socket_type,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Longest message, in bytes.
const LONGEST: usize = 4096;

/// One end of a channel.
#[derive(Debug)]
pub struct Channel<S = OwnedFd>(S);

/// A message as it arrived.
#[derive(Debug)]
pub struct Received<T> {
    /// The message; absent when it makes no sense.
    pub message: Option<T>,
    /// The open socket beside it.
    pub socket: Option<OwnedFd>,
}

impl Channel {
    /// Both ends of a new channel. Neither outlives a process that is started meanwhile.
    pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
        Ok(socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?)
    }
}

impl<S: AsFd> Channel<S> {
    /// A channel over an open socket, which must be one that keeps messages apart.
    pub fn over(socket: S) -> io::Result<Self> {
        if socket_type(&socket)? == SocketType::SEQPACKET {
            return Ok(Self(socket));
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "this is no socket that keeps messages apart",
        ))
    }

    /// The socket beneath.
    pub fn socket(&self) -> &S {
        &self.0
    }

    /// Sends a message.
    pub fn send<T: Serialize>(
        &self,
        message: &T,
        socket: Option<BorrowedFd<'_>>,
    ) -> io::Result<()> {
        let bytes = serde_json::to_vec(message)?;
        let beside: Vec<BorrowedFd<'_>> = socket.into_iter().collect();
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !beside.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&beside)) {
            return Err(io::Error::other("there is no room for the open socket"));
        }
        let data = [IoSlice::new(&bytes)];
        sendmsg(&self.0, &data, &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    }

    /// Takes the next message; `None` when the other side is gone. Waits if the socket does.
    pub fn receive<T: DeserializeOwned>(&self) -> io::Result<Option<Received<T>>> {
        let mut bytes = [0; LONGEST];
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut data = [IoSliceMut::new(&mut bytes)];
        let got = recvmsg(&self.0, &mut data, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        let socket = control.drain().find_map(|beside| match beside {
            RecvAncillaryMessage::ScmRights(mut sockets) => sockets.next(),
            _ => None,
        });
        if got.bytes == 0 {
            return Ok(None);
        }
        let whole = !got.flags.contains(ReturnFlags::TRUNC);
        let message = bytes.get(..got.bytes).filter(|_| whole);
        Ok(Some(Received {
            message: message.and_then(|bytes| serde_json::from_slice(bytes).ok()),
            socket,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{Request, What};
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    fn pair() -> (Channel, Channel) {
        let (one, other) = Channel::pair().unwrap();
        (Channel::over(one).unwrap(), Channel::over(other).unwrap())
    }

    #[test]
    fn a_message_and_an_open_socket_arrive_together() {
        let (one, other) = pair();
        let (mut near, far) = UnixStream::pair().unwrap();
        let asked = Request::Open { what: What::Dhcp };
        one.send(&asked, Some(far.as_fd())).unwrap();
        drop(far);
        let got = other.receive::<Request>().unwrap().unwrap();
        assert_eq!(got.message, Some(asked));
        near.write_all(b"through").unwrap();
        drop(near);
        let mut said = String::new();
        let mut far = UnixStream::from(got.socket.unwrap());
        far.read_to_string(&mut said).unwrap();
        assert_eq!(said, "through");
    }

    #[test]
    fn what_makes_no_sense_is_told_from_the_end() {
        let (one, other) = pair();
        for junk in [
            &b"{"[..],
            b"\"use\"",
            br#"{"ask":"use"}"#,
            b"\xff\xfe",
            &[b' '; 8000],
        ] {
            rustix::net::send(one.socket(), junk, SendFlags::empty()).unwrap();
            let got = other.receive::<Request>().unwrap().unwrap();
            assert_eq!(got.message, None, "{junk:?}");
        }
        one.send(&serde_json::json!({"ask": "fly"}), None).unwrap();
        let got = other.receive::<Request>().unwrap().unwrap();
        assert_eq!(got.message, Some(Request::Unknown));
        drop(one);
        assert!(other.receive::<Request>().unwrap().is_none());
    }

    #[test]
    fn a_stream_is_no_channel() {
        let (one, _other) = UnixStream::pair().unwrap();
        assert!(Channel::over(one).is_err());
    }
}
