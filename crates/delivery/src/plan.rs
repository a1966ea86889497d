//! Which chunks a board still lacks, and which to ask for next.
//!
//! Pure: chunks and the present moment in, fetches and a deadline out. Neighbouring frames are
//! asked for together, because each request costs a round trip; they are accounted for one by one,
//! because that is the grain at which a broken connection loses something.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;
use wire::manifest::{ChunkClass, Manifest};
use wire::time::Millis;

/// How fetches are cut and repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Most bytes of one fetch; a single larger frame is still fetched whole.
    pub most_bytes: u64,
    /// Fetches under way at once.
    pub at_once: usize,
    /// Pause after the first failure in a row; it doubles with each further one.
    pub pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
    /// How often a chunk may arrive damaged before the pack itself is blamed.
    pub most_damaged: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            most_bytes: 8 << 20,
            at_once: 2,
            pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(10),
            most_damaged: 5,
        }
    }
}

/// One range to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Names it in [`Plan::ended`].
    pub id: u64,
    /// Bytes of the pack.
    pub range: Range<u64>,
    /// The chunks in it with the lengths of their frames, in order, without gaps.
    pub frames: Vec<(usize, usize)>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask for this.
    Fetch(Fetch),
    /// Nothing before this moment, unless something arrives.
    WaitUntil(Millis),
    /// Everything wanted is under way.
    Busy,
    /// Every chunk was accepted.
    Complete,
}

/// A chunk that keeps arriving damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("chunk {chunk} of the image arrived damaged {times} times")]
pub struct Spoiled {
    /// The chunk.
    pub chunk: usize,
    /// How often it came.
    pub times: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Not data: never fetched.
    Needless,
    Wanted,
    /// Part of a fetch under way.
    Asked(u64),
    /// Arrived, hash not checked yet.
    Arrived,
    Accepted,
}

/// What a board has and lacks of one pack.
#[derive(Debug)]
pub struct Plan {
    settings: Settings,
    standing: Vec<Standing>,
    /// Place of each frame in the pack.
    frames: Vec<Range<u64>>,
    damaged: BTreeMap<usize, u32>,
    under_way: usize,
    next_id: u64,
    /// Failures in a row, and until when to pause for them.
    failures: u32,
    pause_until: Millis,
    left: usize,
}

impl Plan {
    /// Everything is wanted.
    pub fn new(manifest: &Manifest, settings: Settings) -> Self {
        let standing: Vec<_> = manifest
            .chunks
            .iter()
            .map(|c| match c.class {
                ChunkClass::Data => Standing::Wanted,
                ChunkClass::Zero | ChunkClass::Hole => Standing::Needless,
            })
            .collect();
        let frames = manifest
            .chunks
            .iter()
            .map(|c| c.offset..c.offset.saturating_add(c.packed))
            .collect();
        Self {
            settings,
            left: standing.iter().filter(|s| **s == Standing::Wanted).count(),
            standing,
            frames,
            damaged: BTreeMap::new(),
            under_way: 0,
            next_id: 1,
            failures: 0,
            pause_until: Millis(0),
        }
    }

    /// What to do at `now`.
    pub fn next(&mut self, now: Millis) -> Next {
        if self.left == 0 {
            return Next::Complete;
        }
        let first = self.standing.iter().position(|s| *s == Standing::Wanted);
        let Some(first) = first.filter(|_| self.under_way < self.settings.at_once.max(1)) else {
            return Next::Busy;
        };
        if now < self.pause_until {
            return Next::WaitUntil(self.pause_until);
        }
        Next::Fetch(self.cut(first))
    }

    fn cut(&mut self, first: usize) -> Fetch {
        let id = self.next_id;
        self.next_id += 1;
        self.under_way += 1;
        let mut range = self.frames[first].clone();
        let mut frames = Vec::new();
        for chunk in first..self.standing.len() {
            let frame = &self.frames[chunk];
            match self.standing[chunk] {
                // Zeros and holes have no frame, so their neighbours touch in the pack.
                Standing::Needless => continue,
                Standing::Wanted if chunk == first || frame.start == range.end => {}
                _ => break,
            }
            if !frames.is_empty() && frame.end - range.start > self.settings.most_bytes {
                break;
            }
            range.end = frame.end;
            frames.push((chunk, (frame.end - frame.start) as usize));
            self.standing[chunk] = Standing::Asked(id);
        }
        Fetch { id, range, frames }
    }

    /// A whole frame has come. Returns false when the chunk is not wanted any more: it has come
    /// before, by another way.
    pub fn arrived(&mut self, chunk: usize) -> bool {
        self.failures = 0;
        match self.standing.get_mut(chunk) {
            Some(standing @ (Standing::Wanted | Standing::Asked(_))) => {
                *standing = Standing::Arrived;
                true
            }
            _ => false,
        }
    }

    /// Its hash is right.
    pub fn accepted(&mut self, chunk: usize) {
        if let Some(standing) = self.standing.get_mut(chunk)
            && !matches!(*standing, Standing::Accepted | Standing::Needless)
        {
            *standing = Standing::Accepted;
            self.left -= 1;
        }
    }

    /// Its hash is wrong: it is wanted again, unless it has been so too often.
    pub fn damaged(&mut self, chunk: usize) -> Result<(), Spoiled> {
        if let Some(standing @ Standing::Arrived) = self.standing.get_mut(chunk) {
            *standing = Standing::Wanted;
        }
        let times = self.damaged.entry(chunk).or_insert(0);
        *times += 1;
        if *times >= self.settings.most_damaged {
            let times = *times;
            return Err(Spoiled { chunk, times });
        }
        Ok(())
    }

    /// A fetch is over; what it did not bring is wanted again. After a failure the plan pauses.
    pub fn ended(&mut self, id: u64, well: bool, now: Millis) {
        let asked = Standing::Asked(id);
        for standing in self.standing.iter_mut().filter(|s| **s == asked) {
            *standing = Standing::Wanted;
        }
        self.under_way = self.under_way.saturating_sub(1);
        if well {
            return;
        }
        let doubled = 2_u32.saturating_pow(self.failures.min(16));
        let pause = self.settings.pause.saturating_mul(doubled);
        let pause = pause.min(self.settings.longest_pause).as_millis();
        self.pause_until = now.plus(i64::try_from(pause).unwrap_or(i64::MAX));
        self.failures = self.failures.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wire::manifest::{Chunk, Hash32};

    /// Data chunks with frames of the given lengths; 0 makes a zero chunk.
    fn manifest(frames: &[u64]) -> Manifest {
        let mut offset = 16;
        let chunks = frames
            .iter()
            .map(|packed| {
                let data = *packed > 0;
                let chunk = Chunk {
                    class: if data {
                        ChunkClass::Data
                    } else {
                        ChunkClass::Zero
                    },
                    hash: data.then_some(Hash32([1; 32])),
                    offset: if data { offset } else { 0 },
                    packed: *packed,
                };
                offset += packed;
                chunk
            })
            .collect();
        Manifest {
            format: 1,
            raw_bytes: 4096 * frames.len() as u64,
            chunk_bytes: 4096,
            head_bytes: 512,
            chunks,
        }
    }

    fn settings() -> Settings {
        Settings {
            most_bytes: 100,
            pause: Duration::from_millis(100),
            longest_pause: Duration::from_millis(400),
            ..Settings::default()
        }
    }

    fn fetch(plan: &mut Plan, now: i64) -> Fetch {
        match plan.next(Millis(now)) {
            Next::Fetch(fetch) => fetch,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn neighbours_are_fetched_together_up_to_the_limit() {
        let mut plan = Plan::new(&manifest(&[30, 0, 30, 30, 30, 200]), settings());
        let one = fetch(&mut plan, 0);
        assert_eq!((one.range, one.frames.len()), (16..106, 3));
        let two = fetch(&mut plan, 0);
        assert_eq!((two.range, two.frames), (106..136, vec![(4, 30)]));
        assert_eq!(plan.next(Millis(0)), Next::Busy, "two are under way");
        plan.ended(two.id, true, Millis(0));
        assert_eq!(fetch(&mut plan, 0).frames, [(4, 30)], "it brought nothing");
    }

    #[test]
    fn a_broken_fetch_keeps_what_it_brought_and_pauses_longer_each_time() {
        let mut plan = Plan::new(&manifest(&[30, 30, 30]), settings());
        let one = fetch(&mut plan, 0);
        assert!(plan.arrived(0));
        plan.accepted(0);
        plan.ended(one.id, false, Millis(1000));
        assert_eq!(plan.next(Millis(1000)), Next::WaitUntil(Millis(1100)));
        for (at, pause) in [(1100, 200), (2000, 400), (3000, 400)] {
            let again = fetch(&mut plan, at);
            assert_eq!(again.frames, [(1, 30), (2, 30)]);
            plan.ended(again.id, false, Millis(at));
            assert_eq!(plan.next(Millis(at)), Next::WaitUntil(Millis(at + pause)));
        }
    }

    #[test]
    fn a_chunk_counts_once_from_wherever_it_comes() {
        let mut plan = Plan::new(&manifest(&[30, 30]), settings());
        let one = fetch(&mut plan, 0);
        assert!(plan.arrived(1));
        assert!(!plan.arrived(1));
        plan.accepted(1);
        plan.accepted(1);
        assert!(plan.arrived(0));
        plan.ended(one.id, true, Millis(0));
        assert_eq!(plan.next(Millis(0)), Next::Busy, "0 is being checked");
        plan.accepted(0);
        assert_eq!(plan.next(Millis(0)), Next::Complete);
        assert!(!plan.arrived(99));
    }

    #[test]
    fn a_chunk_that_keeps_coming_damaged_is_named() {
        let mut plan = Plan::new(&manifest(&[30]), settings());
        for _ in 0..4 {
            let one = fetch(&mut plan, 0);
            plan.arrived(0);
            plan.ended(one.id, true, Millis(0));
            plan.damaged(0).unwrap();
        }
        fetch(&mut plan, 0);
        plan.arrived(0);
        assert_eq!(plan.damaged(0), Err(Spoiled { chunk: 0, times: 5 }));
    }

    proptest! {
        /// Connections break anywhere, chunks come damaged: in the end every chunk was accepted,
        /// and none was asked for while it was at hand.
        #[test]
        fn everything_is_fetched_in_the_end(
            frames in prop::collection::vec(0..60_u64, 1..60),
            luck in prop::collection::vec((0..6_usize, any::<bool>()), 1..40),
        ) {
            let mut plan = Plan::new(&manifest(&frames), settings());
            let mut have = vec![false; frames.len()];
            let mut luck = luck.into_iter().cycle();
            let mut now = Millis(0);
            for _ in 0..2000 {
                match plan.next(now) {
                    Next::Complete => break,
                    Next::WaitUntil(then) => now = then,
                    Next::Busy => prop_assert!(false, "nothing is under way"),
                    Next::Fetch(fetch) => {
                        let (brings, spoil) = luck.next().unwrap();
                        let spoil = spoil && brings == 5;
                        for (chunk, len) in fetch.frames.iter().take(brings + 1) {
                            prop_assert!(!have[*chunk]);
                            prop_assert_eq!(*len as u64, frames[*chunk]);
                            prop_assert!(plan.arrived(*chunk));
                            if spoil && plan.damaged(*chunk).is_ok() {
                                continue;
                            }
                            have[*chunk] = true;
                            plan.accepted(*chunk);
                        }
                        plan.ended(fetch.id, brings > 2, now);
                    }
                }
            }
            prop_assert_eq!(plan.next(now), Next::Complete);
            for (chunk, len) in frames.iter().enumerate() {
                prop_assert_eq!(have[chunk], *len > 0);
            }
        }
    }
}
