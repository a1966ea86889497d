//! Bytes of files on their way to boards without a copy in this program: `sendfile(2)` beneath hyper.
//!
//! hyper takes a body as [`Bytes`] and hands them to the connection by vectored writes, uncopied. So
//! a body whose bytes lie in a file yields slices of one block of memory that only *stands in* for
//! them ([`Files::send`]), and the connection beneath hyper ([`Line`]) knows that block by its
//! address and sends the file's bytes instead. Both keep step through one queue per connection: a
//! stand-in that does not have exactly the length of the queue's front ends the connection, so that
//! whatever happens in between, no board ever gets the block itself.
//!
//! Only a plain TCP connection can do this. Where the request's extensions hold no [`Files`] (a Unix
//! socket, TLS) a body reads its bytes, as every program does.

use bytes::Bytes;
use rustix::fs::MemfdFlags;
use rustix::io::ReadWriteFlags;
use rustix::net::SendFlags;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// Longest stretch that is sent at once, in bytes.
pub const MOST: u64 = 4 << 20;

/// Distance of the bytes by which [`Stretch::is_warm`] looks whether a file is in memory.
const SAMPLE: u64 = 512 << 10;

/// Bytes read at once by [`Stretch::warm`].
const READ: usize = 256 << 10;

/// Stands in for bytes of files. It is never written to nor read, so it takes addresses but no
/// memory.
static STAND_IN: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(vec![0; MOST as usize]));

/// As many zeros as are sent at once, in a file that takes no room.
static ZEROS: LazyLock<io::Result<Arc<File>>> = LazyLock::new(|| {
    let file = File::from(rustix::fs::memfd_create("zeros", MemfdFlags::CLOEXEC)?);
    file.set_len(MOST)?;
    Ok(Arc::new(file))
});

/// Told how many bytes have gone out.
pub trait Tally: Send + Sync {
    /// So many more.
    fn sent(&self, bytes: u64);
}

/// A run of bytes of a file.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// The file.
    pub file: Arc<File>,
    /// Where they lie in it.
    pub at: u64,
    /// How many they are.
    pub length: u64,
}

impl Stretch {
    /// The stretch of `range` in a file, cut to what is sent at once.
    pub fn new(file: &Arc<File>, range: Range<u64>) -> Self {
        Self {
            file: Arc::clone(file),
            at: range.start,
            length: (range.end - range.start).min(MOST),
        }
    }

    /// Zeros, as many as `length` or as are sent at once. `None` where the kernel has none to give.
    pub fn zeros(length: u64) -> Option<Self> {
        ZEROS.as_ref().ok().map(|file| Self::new(file, 0..length))
    }

    /// True unless sending it would wait for a disk, as far as a few of its bytes tell. A file
    /// system that cannot say counts as in memory.
    pub fn is_warm(&self) -> bool {
        let last = self.at + self.length.saturating_sub(1);
        let inside = (self.at..last).step_by(SAMPLE as usize);
        inside.chain([last]).all(|at| {
            let mut byte = [0];
            let flags = ReadWriteFlags::NOWAIT;
            let buffers = &mut [io::IoSliceMut::new(&mut byte)];
            rustix::io::preadv2(&self.file, buffers, at, flags) != Err(rustix::io::Errno::AGAIN)
        })
    }

    /// Brings it into memory. Blocks for as long as the disk takes.
    pub fn warm(&self) -> io::Result<()> {
        let mut scratch = vec![0; READ.min(self.length as usize)];
        let end = self.at + self.length;
        for at in (self.at..end).step_by(READ) {
            let length = scratch.len().min((end - at) as usize);
            self.file.read_exact_at(&mut scratch[..length], at)?;
        }
        Ok(())
    }
}

/// The files that stand-ins on one connection stand for, in order. Clones are the same queue.
#[derive(Clone, Default)]
pub struct Files(Arc<Mutex<VecDeque<Going>>>);

/// What is left of a stretch that is on its way.
struct Going {
    file: Arc<File>,
    at: u64,
    left: u64,
    tally: Arc<dyn Tally>,
}

impl Files {
    /// Queues a stretch and gives the bytes that a body has to yield in its place, at once and whole.
    pub fn send(&self, stretch: &Stretch, tally: Arc<dyn Tally>) -> Bytes {
        let left = stretch.length.min(MOST);
        self.queue().push_back(Going {
            file: Arc::clone(&stretch.file),
            at: stretch.at,
            left,
            tally,
        });
        STAND_IN.slice(..left as usize)
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Going>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what it can of the front, for which a stand-in of `length` bytes was to be written.
    fn pass(&self, line: &TcpStream, length: usize) -> io::Result<usize> {
        let mut queue = self.queue();
        let front = queue.front_mut().filter(|f| f.left == length as u64);
        let Some(front) = front else {
            return Err(io::Error::other("bytes of a file are out of step"));
        };
        let sent = line.try_io(Interest::WRITABLE, || {
            let mut at = front.at;
            Ok(rustix::fs::sendfile(
                line,
                &front.file,
                Some(&mut at),
                length,
            )?)
        })?;
        if sent == 0 {
            // The length was promised already, so the connection has to end.
            let words = "a file on its way to a board was cut short";
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, words));
        }
        front.at += sent as u64;
        front.left -= sent as u64;
        front.tally.sent(sent as u64);
        if front.left == 0 {
            queue.pop_front();
        }
        Ok(sent)
    }
}

/// A plain TCP connection that sends the files behind stand-ins.
pub struct Line {
    stream: TcpStream,
    files: Files,
    corked: bool,
}

impl Line {
    /// Takes over a connection.
    pub fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            files: Files::default(),
            corked: false,
        }
    }

    /// Holds back what fills no packet until a stretch is through (TCP_CORK, tcp(7)). The receiver is woken
    /// a fifth as often, which is most of what it costs to send; held over several stretches it gains
    /// nothing. A kernel that cannot do it sends all the same.
    fn cork(&mut self, corked: bool) {
        if self.corked != corked {
            self.corked = corked;
            if let Err(error) = rustix::net::sockopt::set_tcp_cork(&self.stream, corked) {
                tracing::trace!(%error, "TCP_CORK");
            }
        }
    }

    /// The queue that bodies on this connection send files through.
    pub fn files(&self) -> Files {
        self.files.clone()
    }

    /// Tries until it works or the connection takes no more.
    fn when_ready(
        &self,
        cx: &mut Context<'_>,
        mut send: impl FnMut(&Self) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match send(self) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return Poll::Ready(other),
            }
        }
    }
}

fn is_stand_in(bytes: &[u8]) -> bool {
    let place = bytes.as_ptr().addr();
    let begins = STAND_IN.as_ptr().addr();
    !bytes.is_empty() && (begins..begins + STAND_IN.len()).contains(&place)
}

impl AsyncWrite for Line {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = slices.iter().position(|s| !s.is_empty()).unwrap_or(0);
        let slices = &slices[first..];
        let plain = slices.iter().take_while(|s| !is_stand_in(s)).count();
        match (plain, slices.len()) {
            (0, n) if n > 0 => {
                let length = slices[0].len();
                self.cork(true);
                self.when_ready(cx, |line| line.files.pass(&line.stream, length))
            }
            // More follows: the head of an answer shares its packet with the first of the file.
            (1, n) if n > 1 => self.when_ready(cx, |line| {
                line.stream.try_io(Interest::WRITABLE, || {
                    let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
                    Ok(rustix::net::send(&line.stream, &slices[0], flags)?)
                })
            }),
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..plain]),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cork(false);
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    #[derive(Default)]
    struct Sum(AtomicU64);

    impl Tally for Sum {
        fn sent(&self, bytes: u64) {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    fn file() -> (Arc<File>, Vec<u8>) {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&bytes, 0).unwrap();
        (Arc::new(file), bytes)
    }

    async fn connected() -> (Line, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = TcpStream::connect(listener.local_addr().unwrap());
        let (own, other) = tokio::join!(listener.accept(), other);
        (Line::new(own.unwrap().0), other.unwrap())
    }

    /// Writes all of the pieces as hyper does: vectored, from the front.
    async fn write(line: &mut Line, mut pieces: VecDeque<Bytes>) -> io::Result<()> {
        while !pieces.is_empty() {
            let slices: Vec<IoSlice<'_>> = pieces.iter().map(|p| IoSlice::new(p)).collect();
            let mut sent = line.write_vectored(&slices).await?;
            drop(slices);
            while let Some(front) = pieces.front_mut() {
                let part = sent.min(front.len());
                bytes::Buf::advance(front, part);
                sent -= part;
                if !front.is_empty() {
                    break;
                }
                pieces.pop_front();
            }
        }
        line.shutdown().await
    }

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(work)
    }

    #[test]
    fn bytes_and_files_arrive_in_the_order_they_were_sent() {
        let (file, bytes) = file();
        let piece = prop_oneof![
            (0..9000_usize).prop_map(|n| (None, n)),
            (0..2_000_000_u64, 1..900_000_usize).prop_map(|(at, n)| (Some(at), n)),
        ];
        let config = ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(60)
        };
        proptest!(config, |(plan in prop::collection::vec(piece, 0..12))| {
            let (got, expected, sum, of_files) = block_on(async {
                let (mut line, mut other) = connected().await;
                let (files, sum) = (line.files(), Arc::new(Sum::default()));
                let (mut pieces, mut expected, mut of_files) = (VecDeque::new(), Vec::new(), 0);
                for (n, (at, length)) in plan.iter().enumerate() {
                    pieces.push_back(if let Some(at) = at {
                        let end = *at + *length as u64;
                        expected.extend_from_slice(&bytes[*at as usize..end as usize]);
                        of_files += *length as u64;
                        files.send(&Stretch::new(&file, *at..end), Arc::clone(&sum) as Arc<dyn Tally>)
                    } else {
                        let plain = vec![n as u8; *length];
                        expected.extend_from_slice(&plain);
                        plain.into()
                    });
                }
                let mut got = Vec::new();
                let read = other.read_to_end(&mut got);
                let (read, written) = tokio::join!(read, write(&mut line, pieces));
                read.unwrap();
                written.unwrap();
                (got, expected, sum.0.load(Ordering::Relaxed), of_files)
            });
            prop_assert!(got == expected);
            prop_assert_eq!(sum, of_files);
        });
    }

    #[test]
    fn packets_are_held_back_until_a_stretch_is_through_and_no_longer() {
        block_on(async {
            let (file, _) = file();
            let (mut line, _other) = connected().await;
            let files = line.files();
            let held = |line: &Line| rustix::net::sockopt::tcp_cork(&line.stream).unwrap();
            let stretch = Stretch::new(&file, 0..1000);
            let stand_in = files.send(&stretch, Arc::new(Sum::default()));
            line.write_all(&stand_in).await.unwrap();
            assert!(held(&line));
            line.flush().await.unwrap();
            assert!(!held(&line));
        });
    }

    #[test]
    fn a_stand_in_never_goes_out_itself() {
        block_on(async {
            let (file, _) = file();
            let (mut line, mut other) = connected().await;
            let stretch = Stretch::new(&file, 0..1000);
            let sum = || Arc::new(Sum::default());
            let stand_in = line.files().send(&stretch, sum());
            // Somebody lost the first bytes of it, sent it twice, or on another connection.
            let cut = write(&mut line, [stand_in.slice(1..)].into()).await;
            assert!(cut.is_err());
            let (mut elsewhere, _peer) = connected().await;
            assert!(write(&mut elsewhere, [stand_in].into()).await.is_err());
            drop(line);
            let mut got = Vec::new();
            other.read_to_end(&mut got).await.unwrap();
            assert_eq!(got, b"");
        });
    }

    #[test]
    fn a_file_that_is_too_short_is_an_error() {
        block_on(async {
            let (file, bytes) = file();
            let (mut line, mut other) = connected().await;
            let length = bytes.len() as u64;
            let stretch = Stretch::new(&file, length - 10..length + 10);
            assert!(stretch.warm().is_err());
            let stand_in = line.files().send(&stretch, Arc::new(Sum::default()));
            let error = write(&mut line, [stand_in].into()).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
            drop(line);
            let mut got = Vec::new();
            other.read_to_end(&mut got).await.unwrap();
            assert_eq!(got, &bytes[bytes.len() - 10..]);
        });
    }

    #[test]
    fn zeros_are_zeros() {
        let zeros = Stretch::zeros(u64::MAX).unwrap();
        assert_eq!(zeros.length, MOST);
        let mut bytes = vec![1; 5000];
        zeros.file.read_exact_at(&mut bytes, MOST - 5000).unwrap();
        assert_eq!(bytes, vec![0; 5000]);
    }
}
