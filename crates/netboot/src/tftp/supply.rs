//! The blocks that are ready before the board asks for them.
//!
//! The block producer behind us is asked for large pieces, each a whole number of the board's
//! blocks, so that one exchange with it serves dozens of round trips with the board. At least two
//! pieces are held: one being said and one ready. Pieces are emptied and filled again; nothing is
//! allocated per block.

use std::collections::VecDeque;

use super::packet::{HEADER, LARGEST_BLOCK};

/// The producer also answers with options and errors, which must fit into the same buffer.
const SMALLEST_PIECE: usize = 512;

/// A run of consecutive blocks, cut to the board's block size.
#[derive(Debug)]
pub(super) struct Supply {
    block: usize,
    /// Blocks per piece.
    per: u64,
    pieces: VecDeque<Piece>,
    /// How many pieces were dropped before the first one held.
    dropped: u64,
    most: usize,
    spare: Vec<Vec<u8>>,
    last: Option<u64>,
}

#[derive(Debug)]
struct Piece {
    /// A whole DATA packet of the producer: the block's bytes begin after its header.
    packet: Vec<u8>,
    length: usize,
}

impl Supply {
    /// For blocks of `block` bytes, `window` of them in flight, and at most `most` bytes in all.
    pub(super) fn new(block: u16, window: u16, most: usize, piece: usize) -> Self {
        let block = usize::from(block);
        // No larger than the whole file and the short block that ends it need.
        let target = piece.min(most.saturating_add(1)).max(SMALLEST_PIECE);
        let per = target
            .div_ceil(block)
            .min(usize::from(LARGEST_BLOCK) / block)
            .max(1);
        let window_pieces = usize::from(window).div_ceil(per) + 1;
        Self {
            block,
            per: per as u64,
            pieces: VecDeque::new(),
            dropped: 0,
            most: window_pieces,
            spare: Vec::new(),
            last: None,
        }
    }

    /// Bytes per piece: the block size to ask the producer for.
    pub(super) fn piece_size(&self) -> u16 {
        u16::try_from(self.per * self.block as u64).unwrap_or(LARGEST_BLOCK)
    }

    /// How many pieces may have been asked for in all, from the beginning.
    pub(super) fn allowance(&self) -> u64 {
        self.dropped + self.most as u64
    }

    /// An empty buffer for the producer's next DATA packet.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        let size = HEADER + usize::from(self.piece_size());
        self.spare.pop().unwrap_or_else(|| vec![0; size])
    }

    /// Gives a buffer back unused.
    pub(super) fn put_back(&mut self, buffer: Vec<u8>) {
        self.spare.push(buffer);
    }

    /// Adds the next piece: a DATA packet with `length` bytes of data. A short piece is the last.
    pub(super) fn add(&mut self, packet: Vec<u8>, length: usize) {
        let length = length.min(packet.len().saturating_sub(HEADER));
        self.pieces.push_back(Piece { packet, length });
        if length < usize::from(self.piece_size()) {
            let before = (self.dropped + self.pieces.len() as u64 - 1) * self.per;
            self.last = Some(before + (length / self.block) as u64 + 1);
        }
    }

    /// The highest block that is here, counted from 1; 0 if none is.
    pub(super) fn ready(&self) -> u64 {
        self.last
            .unwrap_or_else(|| (self.dropped + self.pieces.len() as u64) * self.per)
    }

    /// The number of the last block of the file, once its end is here.
    pub(super) fn last(&self) -> Option<u64> {
        self.last
    }

    /// The bytes of a block that is here and was not released.
    pub(super) fn block(&self, number: u64) -> Option<&[u8]> {
        let index = number.checked_sub(1)?;
        let piece = (index / self.per).checked_sub(self.dropped)?;
        let piece = self.pieces.get(usize::try_from(piece).ok()?)?;
        let from = (index % self.per) as usize * self.block;
        let to = (from + self.block).min(piece.length);
        piece.packet.get(HEADER + from..HEADER + to)
    }

    /// Blocks up to `delivered` are not needed any more.
    pub(super) fn release(&mut self, delivered: u64) {
        while !self.pieces.is_empty() && (self.dropped + 1) * self.per <= delivered {
            if let Some(piece) = self.pieces.pop_front() {
                self.spare.push(piece.packet);
                self.dropped += 1;
            }
        }
    }
}
