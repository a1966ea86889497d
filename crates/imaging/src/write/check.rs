//! Writes with one retry, and comparisons that name the sectors.

use super::WriteError;
use crate::target::Target;

/// Bytes per attempt when a failed write is narrowed down.
const NARROW: usize = 64 * 1024;

/// Zeros to write and to compare with.
pub(super) static ZEROS: [u8; 1 << 20] = [0; 1 << 20];

/// First and last sector of `len` bytes at `offset`.
pub(super) fn sectors(target: &impl Target, offset: u64, len: usize) -> (u64, u64) {
    let sector = u64::from(target.sector());
    let last = offset + (len as u64).max(1) - 1;
    (offset / sector, last / sector)
}

/// Writes `data`; what fails is tried once more in small pieces, so that the error names the
/// sectors. Returns whether a second attempt was needed.
pub(super) fn write(
    target: &mut impl Target,
    offset: u64,
    data: &[u8],
) -> Result<bool, WriteError> {
    if target.write_at(offset, data).is_ok() {
        return Ok(false);
    }
    let mut at = offset;
    for piece in data.chunks(NARROW) {
        if let Err(source) = target.write_at(at, piece) {
            let (first, last) = sectors(target, at, piece.len());
            return Err(WriteError::Write {
                first,
                last,
                source,
            });
        }
        at += piece.len() as u64;
    }
    Ok(true)
}

/// Writes `len` zeros.
pub(super) fn write_zeros(
    target: &mut impl Target,
    offset: u64,
    len: u64,
) -> Result<bool, WriteError> {
    let (mut at, end) = (offset, offset + len);
    let mut retried = false;
    while at < end {
        let piece = (end - at).min(ZEROS.len() as u64) as usize;
        retried |= write(target, at, &ZEROS[..piece])?;
        at += piece as u64;
    }
    Ok(retried)
}

/// Reads `good.len()` bytes at `offset` from the medium and says where they are not `good`.
pub(super) fn differs(target: &mut impl Target, offset: u64, good: &[u8]) -> Option<WriteError> {
    let mut back = vec![0; good.len()];
    if let Err(e) = target.read_back(offset, &mut back) {
        let (first, last) = sectors(target, offset, good.len());
        let what = format!("they cannot be read: {e}");
        return Some(WriteError::ReadBack { first, last, what });
    }
    let first = back.iter().zip(good).position(|(a, b)| a != b)?;
    let last = back.iter().zip(good).rposition(|(a, b)| a != b)?;
    let wrong = back.iter().zip(good).filter(|(a, b)| a != b).count();
    let (first, last) = sectors(target, offset + first as u64, last - first + 1);
    let what = format!("{wrong} bytes differ");
    Some(WriteError::ReadBack { first, last, what })
}

/// Writes `good` and reads it back; once more when that fails. Returns whether it was needed.
pub(super) fn prove(
    target: &mut impl Target,
    offset: u64,
    good: &[u8],
) -> Result<bool, WriteError> {
    write(target, offset, good)?;
    target.flush().map_err(WriteError::Flush)?;
    if differs(target, offset, good).is_none() {
        return Ok(false);
    }
    write(target, offset, good)?;
    target.flush().map_err(WriteError::Flush)?;
    match differs(target, offset, good) {
        Some(error) => Err(error),
        None => Ok(true),
    }
}
