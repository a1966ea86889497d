//! What the producer reads: one file from memory, as far as the gate is open.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_lite::AsyncRead;

use super::gate::Gate;
use crate::tftp::content::Content;
use crate::tftp::live::Counted;

/// One pass over one file for one transfer.
#[derive(Debug)]
pub(in super::super) struct Source {
    content: Content,
    done: u64,
    gate: Arc<Gate>,
    _counted: Counted,
}

impl Source {
    pub(super) fn new(content: Content, gate: Arc<Gate>, counted: Counted) -> Self {
        Self {
            content,
            done: 0,
            gate,
            _counted: counted,
        }
    }
}

impl AsyncRead for Source {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let room = match ready!(self.gate.poll_room(self.done, cx)) {
            Ok(room) => usize::try_from(room).unwrap_or(usize::MAX),
            Err(_) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        };
        let most = out.len().min(room);
        let read = self.content.read(&mut out[..most]);
        self.done += read as u64;
        Poll::Ready(Ok(read))
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.gate.let_go();
    }
}
