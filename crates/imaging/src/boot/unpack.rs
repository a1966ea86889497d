//! Compressed kernels and kernel modules, decompressed within bounds.

use std::io::Read;

/// Largest kernel after decompression, in bytes.
const MAX_KERNEL: u64 = 128 << 20;
/// Largest kernel module after decompression, in bytes.
const MAX_MODULE: u64 = 32 << 20;
/// Memory for one XZ decoder, in bytes.
const XZ_MEMORY: u64 = 128 << 20;

/// The first bytes of gzip data.
pub(super) fn gzip_start(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut first = Vec::new();
    let gzip = bytes.starts_with(b"\x1f\x8b").then_some(bytes)?;
    // What could be decompressed counts, even when the data is cut short behind it.
    let _ = flate2::read::GzDecoder::new(gzip)
        .take(4096)
        .read_to_end(&mut first);
    Some(first)
}

/// A kernel as it is after it has unpacked itself: gzip data, or the payload of an EFI zboot image
/// (`drivers/firmware/efi/libstub/zboot-header.S`).
pub(super) fn kernel(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.starts_with(b"\x1f\x8b") {
        return decompress(bytes, "gz", MAX_KERNEL);
    }
    let number = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize);
    if bytes.get(4..8)? != b"zimg" {
        return None;
    }
    let payload = bytes.get(number(8)?..)?.get(..number(12)?)?;
    let method = bytes.get(24..32)?.split(|b| *b == 0).next()?;
    match method {
        b"gzip" => decompress(payload, "gz", MAX_KERNEL),
        b"zstd" | b"zstd22" => decompress(payload, "zst", MAX_KERNEL),
        b"xzkern" => decompress(payload, "xz", MAX_KERNEL),
        _ => None,
    }
}

/// A kernel module, decompressed by what its name ends in.
pub(super) fn module(name: &str, bytes: Vec<u8>) -> Option<Vec<u8>> {
    match name.rsplit_once('.')?.1 {
        "ko" => Some(bytes),
        ending => decompress(&bytes, ending, MAX_MODULE),
    }
}

fn decompress(bytes: &[u8], ending: &str, most: u64) -> Option<Vec<u8>> {
    let reader: Box<dyn Read + '_> = match ending {
        "gz" => Box::new(flate2::read::MultiGzDecoder::new(bytes)),
        "zst" => Box::new(zstd::stream::read::Decoder::with_buffer(bytes).ok()?),
        "xz" => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, 0).ok()?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(bytes, stream))
        }
        _ => return None,
    };
    let mut out = Vec::new();
    let whole = reader.take(most + 1).read_to_end(&mut out);
    // Padding behind the data upsets the decoders after everything has been read.
    let enough = whole.is_ok() || !out.is_empty();
    (enough && out.len() as u64 <= most).then_some(out)
}
