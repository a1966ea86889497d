//! Cutting wanted pieces out of a stream of chunks, wherever the chunk borders fall.

use std::collections::BTreeMap;

/// Pieces that are waited for. Memory grows only as their bytes arrive.
#[derive(Debug)]
pub(super) struct Gather<K> {
    wanted: BTreeMap<(u64, u64), Wanted<K>>,
    count: u64,
}

#[derive(Debug)]
struct Wanted<K> {
    key: K,
    len: u64,
    bytes: Vec<u8>,
}

impl<K> Default for Gather<K> {
    fn default() -> Self {
        Self {
            wanted: BTreeMap::new(),
            count: 0,
        }
    }
}

impl<K> Gather<K> {
    /// Waits for `len` bytes at `start`. Bytes that have passed already never come.
    pub(super) fn want(&mut self, start: u64, len: u64, key: K) {
        let wanted = Wanted {
            key,
            len,
            bytes: Vec::new(),
        };
        self.wanted.insert((start, self.count), wanted);
        self.count += 1;
    }

    /// Takes what it wants of the bytes at `start`; returns the pieces that are whole now.
    pub(super) fn feed(&mut self, start: u64, bytes: &[u8]) -> Vec<(K, Vec<u8>)> {
        let end = start + bytes.len() as u64;
        let mut over = Vec::new();
        for (place, wanted) in self.wanted.range_mut(..(end, 0)) {
            let next = place.0 + wanted.bytes.len() as u64;
            if next < start {
                over.push(*place);
                continue;
            }
            let missing = wanted.len - wanted.bytes.len() as u64;
            let from = (next - start) as usize;
            let to = (next.saturating_add(missing).min(end) - start) as usize;
            wanted
                .bytes
                .extend_from_slice(bytes.get(from..to).unwrap_or_default());
            if wanted.bytes.len() as u64 == wanted.len {
                over.push(*place);
            }
        }
        let taken = over.into_iter().filter_map(|p| self.wanted.remove(&p));
        taken
            .filter(|w| w.bytes.len() as u64 == w.len)
            .map(|w| (w.key, w.bytes))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_whole_across_chunk_borders_and_missed_ones_never() {
        let stream: Vec<u8> = (0..=255).collect();
        for chunk in [1, 3, 7, 100, 256] {
            let mut gather = Gather::default();
            gather.want(5, 10, "a");
            gather.want(5, 1, "b");
            gather.want(200, 56, "c");
            gather.want(250, 10, "beyond the end");
            let mut got = Vec::new();
            for (i, part) in stream.chunks(chunk).enumerate() {
                got.extend(gather.feed((i * chunk) as u64, part));
                if i == 0 {
                    gather.want(0, 300, "begun too late");
                }
            }
            got.sort();
            let wanted = [
                ("a", stream[5..15].to_vec()),
                ("b", vec![5]),
                ("c", stream[200..].to_vec()),
            ];
            assert_eq!(got, wanted, "chunks of {chunk}");
        }
    }
}
