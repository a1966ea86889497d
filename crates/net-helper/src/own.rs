//! The loop, and running it in a process that has the rights itself.

use crate::channel::Channel;
use crate::hands::Hands;
use crate::words::{Denied, Reason, Reply, Request};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// Numbers of the capabilities that are needed (capabilities(7)): CAP_NET_BIND_SERVICE,
/// CAP_NET_ADMIN, CAP_NET_RAW.
const NEEDED: [u32; 3] = [10, 12, 13];

/// Does this process have every right that is needed?
pub fn has_rights() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    NEEDED.iter().all(|bit| effective >> bit & 1 == 1)
}

/// Says that it is there.
pub fn greet<S: AsFd>(channel: &Channel<S>) -> io::Result<()> {
    let ready = Reply::Ready {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        rights: has_rights(),
    };
    channel.send(&ready, None)
}

/// Answers the next request; false when the other side is gone.
pub fn serve_next<S: AsFd>(channel: &Channel<S>, hands: &mut Hands) -> io::Result<bool> {
    let Some(received) = channel.receive::<Request>()? else {
        return Ok(false);
    };
    let (reply, socket) = if let Some(request) = received.message {
        hands.answer(request)
    } else {
        let denied = Denied::new(Reason::Forbidden, "the request makes no sense");
        (Reply::Refused(denied), None)
    };
    channel.send(&reply, socket.as_ref().map(AsFd::as_fd))?;
    Ok(true)
}

/// Runs the loop in a thread of this process, which ends when the returned end is closed.
pub fn in_this_process() -> io::Result<OwnedFd> {
    let (far, near) = Channel::pair()?;
    let channel = Channel::over(far)?;
    let mut hands = Hands::new()?;
    greet(&channel)?;
    std::thread::Builder::new()
        .name("punnet-net".to_owned())
        .spawn(move || while let Ok(true) = serve_next(&channel, &mut hands) {})?;
    Ok(near)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::What;

    #[test]
    fn a_conversation_runs_until_the_station_leaves() {
        let channel = Channel::over(in_this_process().unwrap()).unwrap();
        let next = || channel.receive::<Reply>().unwrap().unwrap();
        assert!(matches!(next().message, Some(Reply::Ready { .. })));
        channel.send(&"nonsense", None).unwrap();
        assert!(matches!(next().message, Some(Reply::Refused(_))));
        channel
            .send(&Request::Open { what: What::Tftp }, None)
            .unwrap();
        let reply = next();
        assert!(matches!(reply.message, Some(Reply::Refused(_))));
        assert!(reply.socket.is_none());
    }
}
