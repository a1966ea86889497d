//! XZ, over several threads where the file was made in blocks (`xz -T`, as image builders do).
//!
//! The library's threaded decoder reads one stream; this reader adds what the format allows around
//! it: further streams, and padding between and after them.

use super::{Format, SourceError};
use liblzma::stream::{Action, Error, MtStreamBuilder, Status, Stream};
use std::io::{self, BufRead, Read};
use std::thread::available_parallelism;

/// Memory up to which blocks are decoded in parallel, in bytes.
const PARALLEL_BYTES: u64 = 256 << 20;
/// Memory beyond which a file is refused, in bytes: the largest preset needs 65 MiB.
const LIMIT_BYTES: u64 = 512 << 20;
const MAGIC: &[u8] = b"\xfd7zXZ\0";

pub(super) struct XzReader<R> {
    input: R,
    /// The stream being decoded; `None` between streams and at the end.
    stream: Option<Stream>,
    begun: bool,
}

impl<R: BufRead> XzReader<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            stream: None,
            begun: false,
        }
    }

    /// Begins the next stream; false at the end of the input.
    fn begin(&mut self) -> io::Result<bool> {
        let mut padding = 0_u64;
        loop {
            let here = self.input.fill_buf()?;
            let zeros = here.iter().take_while(|b| **b == 0).count();
            let (at_end, more) = (here.is_empty(), zeros < here.len());
            let seen = (here.len() - zeros).min(MAGIC.len());
            let magic = here[zeros..zeros + seen] == MAGIC[..seen];
            padding += zeros as u64;
            if at_end || more {
                // Padding comes in multiples of four bytes (format specification, section 2.2).
                if !padding.is_multiple_of(4) || (more && !magic) {
                    return Err(SourceError::TrailingGarbage(Format::Xz).into());
                }
            }
            self.input.consume(zeros);
            if at_end {
                return Ok(false);
            }
            if more {
                break;
            }
        }
        let threads = available_parallelism().map_or(1, |n| n.get().min(8) as u32);
        let stream = MtStreamBuilder::new()
            .threads(threads)
            .memlimit_threading(PARALLEL_BYTES)
            .memlimit_stop(LIMIT_BYTES)
            .decoder();
        self.stream = Some(stream.map_err(reason)?);
        self.begun = true;
        Ok(true)
    }
}

fn reason(e: Error) -> io::Error {
    match e {
        Error::MemLimit | Error::Mem => SourceError::TooMuchMemory {
            format: Format::Xz,
            limit_mib: (LIMIT_BYTES >> 20) as u32,
        },
        other => SourceError::corrupt(Format::Xz, &other),
    }
    .into()
}

impl<R: BufRead> Read for XzReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.stream.is_none() && !self.begin()? {
                return Ok(0);
            }
            let Some(stream) = &mut self.stream else {
                return Ok(0);
            };
            let here = self.input.fill_buf()?;
            let at_end = here.is_empty();
            let (in_before, out_before) = (stream.total_in(), stream.total_out());
            let action = if at_end { Action::Finish } else { Action::Run };
            let status = stream.process(here, buffer, action).map_err(reason)?;
            let used = (stream.total_in() - in_before) as usize;
            let made = (stream.total_out() - out_before) as usize;
            self.input.consume(used);
            let ended = matches!(status, Status::StreamEnd);
            if ended {
                self.stream = None;
            }
            if made > 0 {
                return Ok(made);
            }
            if at_end && !ended {
                return Err(SourceError::Truncated(Format::Xz).into());
            }
            if used == 0 && !ended {
                return Err(SourceError::corrupt(Format::Xz, &"it makes no progress").into());
            }
        }
    }
}
