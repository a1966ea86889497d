//! Works a plan off over a road, trying again for as long as it takes.
//!
//! A station that restarts, a cable that is pulled and a connection that breaks all look the same
//! from here: the span ends early. What had arrived stays, the rest goes back into the plan, and
//! after a pause that grows to five seconds it is asked for again.

use crate::plan::{Plan, Span};
use std::time::Duration;

/// How many bytes are asked for in one request.
pub const SPAN_BYTES: u64 = 8 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A way by which frames come.
pub trait Road {
    /// Brings the frames of a span, each to `sink` as soon as it is whole, in order. A frame that
    /// `sink` answers with `false` ends the span early without an error.
    fn bring(
        &mut self,
        span: &Span,
        sink: &mut dyn FnMut(usize, Vec<u8>) -> bool,
    ) -> Result<(), RoadError>;

    /// How this road is called in reports: `http`, `multicast`.
    fn name(&self) -> &'static str;
}

/// Why a span ended early.
#[derive(Debug, thiserror::Error)]
pub enum RoadError {
    /// The connection could not be made or broke: worth trying again.
    #[error("the connection to the station broke: {0}")]
    Broken(String),
    /// The station answered that it will not serve this pack.
    #[error("the station refused the pack with status {status}: {text}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its words.
        text: String,
    },
}

/// What becomes of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Taken.
    Right,
    /// Its hash is wrong: ask for it again.
    Wrong,
    /// Stop fetching.
    Stop,
}

/// Why fetching ended before the plan was complete.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The caller said stop.
    #[error("stopped")]
    Stopped,
    /// The station will not serve the pack.
    #[error(transparent)]
    Refused(RoadError),
    /// One chunk came wrong too often.
    #[error("chunk {chunk} of the image came damaged {times} times")]
    Damaged {
        /// The chunk.
        chunk: usize,
        /// How often.
        times: u32,
    },
}

/// How often a chunk may come damaged before fetching gives up.
const DAMAGED_LIMIT: u32 = 5;

/// Fetches everything the plan misses. `take` gets each frame and judges it; `pause` waits between
/// attempts and answers `false` to stop.
pub fn fetch(
    plan: &mut Plan,
    road: &mut dyn Road,
    take: &mut dyn FnMut(usize, Vec<u8>) -> Verdict,
    pause: &mut dyn FnMut(Duration, &str) -> bool,
) -> Result<(), FetchError> {
    let mut wait = FIRST_PAUSE;
    let mut damaged: Option<(usize, u32)> = None;
    while !plan.is_complete() {
        let Some(span) = plan.next(SPAN_BYTES) else {
            return Err(FetchError::Stopped);
        };
        let mut stopped = false;
        let mut came_any = false;
        let outcome = road.bring(&span, &mut |chunk, frame| match take(chunk, frame) {
            Verdict::Right => {
                came_any |= plan.arrived(chunk);
                true
            }
            Verdict::Wrong => {
                let times = damaged.filter(|d| d.0 == chunk).map_or(1, |d| d.1 + 1);
                damaged = Some((chunk, times));
                false
            }
            Verdict::Stop => {
                stopped = true;
                false
            }
        });
        for (chunk, _) in &span.frames {
            plan.lost(*chunk);
        }
        if stopped {
            return Err(FetchError::Stopped);
        }
        if let Some((chunk, times)) = damaged
            && times >= DAMAGED_LIMIT
        {
            return Err(FetchError::Damaged { chunk, times });
        }
        let why = match outcome {
            Ok(()) => continue,
            Err(RoadError::Broken(why)) => why,
            Err(refused) => return Err(FetchError::Refused(refused)),
        };
        if came_any {
            wait = FIRST_PAUSE;
        }
        tracing::debug!(road = road.name(), %why, ?wait, "trying again");
        if !pause(wait, &why) {
            return Err(FetchError::Stopped);
        }
        wait = (wait * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::manifest::{Chunk, ChunkClass, Hash32, Manifest};

    /// A road that breaks after every `every` frames.
    struct Bumpy {
        every: usize,
        asked: Vec<usize>,
    }

    impl Road for Bumpy {
        fn bring(
            &mut self,
            span: &Span,
            sink: &mut dyn FnMut(usize, Vec<u8>) -> bool,
        ) -> Result<(), RoadError> {
            for (nth, (chunk, bytes)) in span.frames.iter().enumerate() {
                if nth == self.every {
                    return Err(RoadError::Broken("pulled".into()));
                }
                self.asked.push(*chunk);
                if !sink(*chunk, vec![0; *bytes as usize]) {
                    break;
                }
            }
            Ok(())
        }
        fn name(&self) -> &'static str {
            "bumpy"
        }
    }

    fn plan(chunks: usize) -> Plan {
        let chunk = |i| Chunk {
            class: ChunkClass::Data,
            hash: Some(Hash32([0; 32])),
            offset: 64 + 10 * i as u64,
            packed: 10,
        };
        Plan::new(&Manifest {
            format: 1,
            raw_bytes: chunks as u64 * 4096,
            chunk_bytes: 4096,
            head_bytes: 512,
            chunks: (0..chunks).map(chunk).collect(),
        })
    }

    #[test]
    fn a_road_that_breaks_costs_no_chunk_twice() {
        let mut road = Bumpy {
            every: 3,
            asked: vec![],
        };
        let mut pauses = vec![];
        fetch(
            &mut plan(10),
            &mut road,
            &mut |_, _| Verdict::Right,
            &mut |wait, _| {
                pauses.push(wait);
                true
            },
        )
        .unwrap();
        assert_eq!(road.asked, (0..10).collect::<Vec<_>>());
        assert!(
            pauses.iter().all(|p| *p == FIRST_PAUSE),
            "progress resets the pause: {pauses:?}"
        );
    }

    #[test]
    fn pauses_grow_while_nothing_comes_and_the_caller_can_stop() {
        let mut road = Bumpy {
            every: 0,
            asked: vec![],
        };
        let mut pauses = vec![];
        let end = fetch(
            &mut plan(1),
            &mut road,
            &mut |_, _| Verdict::Right,
            &mut |wait, _| {
                pauses.push(wait);
                pauses.len() < 8
            },
        );
        assert!(matches!(end, Err(FetchError::Stopped)));
        assert!(
            pauses.is_sorted() && pauses.last() == Some(&LONGEST_PAUSE),
            "{pauses:?}"
        );
    }

    #[test]
    fn a_damaged_chunk_is_asked_for_again_and_then_given_up() {
        let mut road = Bumpy {
            every: 99,
            asked: vec![],
        };
        let mut bad = 2;
        let mut take = |chunk, _| {
            if chunk == 1 && bad > 0 {
                bad -= 1;
                return Verdict::Wrong;
            }
            Verdict::Right
        };
        fetch(&mut plan(3), &mut road, &mut take, &mut |_, _| true).unwrap();
        assert_eq!(road.asked, [0, 1, 1, 1, 2]);

        let end = fetch(
            &mut plan(3),
            &mut road,
            &mut |_, _| Verdict::Wrong,
            &mut |_, _| true,
        );
        assert!(matches!(
            end,
            Err(FetchError::Damaged {
                chunk: 0,
                times: DAMAGED_LIMIT
            })
        ));
    }
}
