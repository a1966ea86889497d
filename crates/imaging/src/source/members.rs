//! gzip, bzip2 and Zstandard: streams made of any number of members, one after the other.

use super::{Format, SourceError};
use std::io::{self, BufRead, Read};
use std::marker::PhantomData;

type Input = Box<dyn BufRead + Send>;

/// A format whose decoder stops at the end of one member.
pub(super) trait Member {
    type Decoder: Read;
    const FORMAT: Format;
    const MAGIC: &'static [u8];
    fn begin(input: Input) -> Self::Decoder;
    fn end(decoder: Self::Decoder) -> Input;
}

/// gzip (RFC 1952).
pub(super) struct Gzip;

impl Member for Gzip {
    type Decoder = flate2::bufread::GzDecoder<Input>;
    const FORMAT: Format = Format::Gzip;
    const MAGIC: &'static [u8] = b"\x1f\x8b";
    fn begin(input: Input) -> Self::Decoder {
        flate2::bufread::GzDecoder::new(input)
    }
    fn end(decoder: Self::Decoder) -> Input {
        decoder.into_inner()
    }
}

/// bzip2.
pub(super) struct Bzip2;

impl Member for Bzip2 {
    type Decoder = bzip2::bufread::BzDecoder<Input>;
    const FORMAT: Format = Format::Bzip2;
    const MAGIC: &'static [u8] = b"BZh";
    fn begin(input: Input) -> Self::Decoder {
        bzip2::bufread::BzDecoder::new(input)
    }
    fn end(decoder: Self::Decoder) -> Input {
        decoder.into_inner()
    }
}

/// Reads all members as one stream. Zeros after the last one are padding, as on tapes and in
/// files that were copied by blocks; anything else is refused.
pub(super) struct Members<M: Member> {
    decoder: Option<M::Decoder>,
    format: PhantomData<fn() -> M>,
}

impl<M: Member> Members<M> {
    pub(super) fn new(input: Input) -> Self {
        Self {
            decoder: Some(M::begin(input)),
            format: PhantomData,
        }
    }

    /// The next member, when there is one behind the one that has ended.
    fn next(mut input: Input) -> io::Result<Option<M::Decoder>> {
        let mut padded = false;
        loop {
            let here = input.fill_buf()?;
            let Some(zeros) = here.iter().position(|b| *b != 0) else {
                let n = here.len();
                if n == 0 {
                    return Ok(None);
                }
                padded = true;
                input.consume(n);
                continue;
            };
            // At the edge of the buffer fewer bytes than the magic may be in sight; the decoder
            // will look at the rest.
            let seen = here.len().min(M::MAGIC.len());
            if padded || zeros > 0 || here[..seen] != M::MAGIC[..seen] {
                return Err(SourceError::TrailingGarbage(M::FORMAT).into());
            }
            return Ok(Some(M::begin(input)));
        }
    }
}

impl<M: Member> Read for Members<M> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while let Some(decoder) = &mut self.decoder {
            let n = decoder
                .read(buffer)
                .map_err(|e| SourceError::of_decoder(M::FORMAT, e))?;
            if n > 0 {
                return Ok(n);
            }
            let input = self.decoder.take().map(M::end);
            self.decoder = input.map(Self::next).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// Largest window a Zstandard stream may ask for: 128 MiB, what `zstd -d` takes without `--long`.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Zstandard (RFC 8878). Its decoder follows frames by itself.
pub(super) fn zstd(input: Input) -> Result<impl Read + Send, SourceError> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(input)
        .map_err(|e| SourceError::corrupt(Format::Zstd, &e))?;
    decoder
        .window_log_max(ZSTD_WINDOW_LOG)
        .map_err(|e| SourceError::corrupt(Format::Zstd, &e))?;
    Ok(Zstd {
        decoder,
        begun: false,
    })
}

struct Zstd {
    decoder: zstd::stream::read::Decoder<'static, Input>,
    begun: bool,
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.decoder.read(buffer) {
            Ok(n) => {
                self.begun |= n > 0;
                Ok(n)
            }
            // The library tells these apart by words alone.
            Err(e) if e.to_string().contains("too much memory") => {
                Err(SourceError::TooMuchMemory {
                    format: Format::Zstd,
                    limit_mib: 1 << (ZSTD_WINDOW_LOG - 20),
                }
                .into())
            }
            Err(e) if self.begun && e.to_string().contains("Unknown frame") => {
                Err(SourceError::TrailingGarbage(Format::Zstd).into())
            }
            Err(e) => Err(SourceError::of_decoder(Format::Zstd, e)),
        }
    }
}
