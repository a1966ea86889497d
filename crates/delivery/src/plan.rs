//! What to ask for next. Pure: chunks and byte ranges in, one span of the pack out.
//!
//! Every chunk of data is `Missing`, `Asked` for, or `Here`. Frames that lie side by side in the
//! pack are asked for together, up to a limit, so that a board makes few requests and a lost
//! connection costs little.

use std::ops::Range;
use wire::manifest::{ChunkClass, Manifest};

/// Frames that lie side by side in the pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The byte range of the pack.
    pub bytes: Range<u64>,
    /// The chunks in it, in the order of their frames, each with its frame's length.
    pub frames: Vec<(usize, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Missing,
    Asked,
    Here,
}

#[derive(Debug, Clone)]
struct Frame {
    chunk: usize,
    offset: u64,
    packed: u64,
    state: State,
}

/// Which chunks a board still needs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Frames in the order of the pack.
    frames: Vec<Frame>,
    /// Position in `frames` of each chunk of data.
    place: Vec<Option<usize>>,
    here: usize,
    bytes_here: u64,
}

impl Plan {
    /// A plan for a checked manifest, with nothing there yet.
    pub fn new(manifest: &Manifest) -> Self {
        let mut frames: Vec<Frame> = manifest
            .chunks
            .iter()
            .enumerate()
            .filter(|(_, c)| c.class == ChunkClass::Data)
            .map(|(chunk, c)| Frame {
                chunk,
                offset: c.offset,
                packed: c.packed,
                state: State::Missing,
            })
            .collect();
        frames.sort_by_key(|f| f.offset);
        let mut place = vec![None; manifest.chunks.len()];
        for (at, frame) in frames.iter().enumerate() {
            place[frame.chunk] = Some(at);
        }
        Self {
            frames,
            place,
            here: 0,
            bytes_here: 0,
        }
    }

    /// The next frames to ask for, at most `most` bytes (but at least one frame); they count as
    /// asked for until [`Plan::arrived`] or [`Plan::lost`].
    pub fn next(&mut self, most: u64) -> Option<Span> {
        let first = self.frames.iter().position(|f| f.state == State::Missing)?;
        let start = self.frames[first].offset;
        let mut span = Span {
            bytes: start..start,
            frames: Vec::new(),
        };
        for frame in &mut self.frames[first..] {
            let end = frame.offset + frame.packed;
            let fits = span.frames.is_empty() || end - start <= most;
            if frame.state != State::Missing || frame.offset != span.bytes.end || !fits {
                break;
            }
            frame.state = State::Asked;
            span.bytes.end = end;
            span.frames.push((frame.chunk, frame.packed));
        }
        Some(span)
    }

    /// A chunk is here and right. Counts once, however often it is said; true the first time.
    pub fn arrived(&mut self, chunk: usize) -> bool {
        let Some(frame) = self.frame(chunk) else {
            return false;
        };
        let first = frame.state != State::Here;
        frame.state = State::Here;
        let packed = frame.packed;
        if first {
            self.here += 1;
            self.bytes_here += packed;
        }
        first
    }

    /// A chunk that was asked for did not come, or was wrong: it is missing again.
    pub fn lost(&mut self, chunk: usize) {
        if let Some(frame) = self.frame(chunk)
            && frame.state == State::Asked
        {
            frame.state = State::Missing;
        }
    }

    /// True when every chunk of data is here.
    pub fn is_complete(&self) -> bool {
        self.here == self.frames.len()
    }

    /// Bytes of the pack that are here, and bytes in all.
    pub fn bytes(&self) -> (u64, u64) {
        (self.bytes_here, self.frames.iter().map(|f| f.packed).sum())
    }

    fn frame(&mut self, chunk: usize) -> Option<&mut Frame> {
        let place = self.place.get(chunk).copied().flatten()?;
        self.frames.get_mut(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wire::manifest::{Chunk, Hash32};

    fn manifest(classes: &[(ChunkClass, u64)]) -> Manifest {
        let mut offset = 64;
        let chunks = classes.iter().map(|&(class, packed)| {
            let data = class == ChunkClass::Data;
            let chunk = Chunk {
                class,
                hash: data.then_some(Hash32([1; 32])),
                offset: if data { offset } else { 0 },
                packed: if data { packed } else { 0 },
            };
            offset += chunk.packed;
            chunk
        });
        let chunks: Vec<_> = chunks.collect();
        let raw_bytes = chunks.len() as u64 * 4096;
        Manifest {
            format: 1,
            raw_bytes,
            chunk_bytes: 4096,
            head_bytes: 512,
            chunks,
        }
    }

    #[test]
    fn neighbours_are_asked_for_together_up_to_the_limit() {
        use ChunkClass::{Data, Hole, Zero};
        let m = manifest(&[
            (Data, 10),
            (Hole, 0),
            (Data, 20),
            (Zero, 0),
            (Data, 30),
            (Data, 40),
        ]);
        let mut plan = Plan::new(&m);
        let span = plan.next(60).unwrap();
        assert_eq!(
            (span.bytes, span.frames),
            (64..124, vec![(0, 10), (2, 20), (4, 30)])
        );
        let span = plan.next(5).unwrap();
        assert_eq!(
            span.frames,
            [(5, 40)],
            "one frame is asked for however small the limit"
        );
        assert_eq!(plan.next(60), None);
    }

    #[test]
    fn what_is_lost_is_asked_for_again_and_nothing_else() {
        let m = manifest(&[(ChunkClass::Data, 10); 3]);
        let mut plan = Plan::new(&m);
        plan.next(1000).unwrap();
        assert!(plan.arrived(0) && plan.arrived(2) && !plan.arrived(2));
        plan.lost(1);
        plan.lost(2);
        assert_eq!(plan.bytes(), (20, 30));
        assert_eq!(plan.next(1000).unwrap().frames, [(1, 10)]);
    }

    proptest! {
        #[test]
        fn every_chunk_comes_once_whatever_is_lost(
            sizes in prop::collection::vec((prop::bool::ANY, 1..50u64), 1..40),
            most in 1..200u64,
            fate in prop::collection::vec(prop::bool::weighted(0.7), 0..400),
        ) {
            let classes: Vec<_> = sizes
                .iter()
                .map(|&(data, n)| (if data { ChunkClass::Data } else { ChunkClass::Hole }, n))
                .collect();
            let mut plan = Plan::new(&manifest(&classes));
            let mut fate = fate.into_iter();
            let mut came = vec![0; classes.len()];
            while let Some(span) = plan.next(most) {
                let sum: u64 = span.frames.iter().map(|f| f.1).sum();
                prop_assert_eq!(span.bytes.end - span.bytes.start, sum);
                for (chunk, _) in span.frames {
                    if fate.next().unwrap_or(true) {
                        came[chunk] += i32::from(plan.arrived(chunk));
                    } else {
                        plan.lost(chunk);
                    }
                }
            }
            prop_assert!(plan.is_complete());
            for (came, (class, _)) in came.iter().zip(&classes) {
                prop_assert_eq!(*came, i32::from(*class == ChunkClass::Data));
            }
        }
    }
}
