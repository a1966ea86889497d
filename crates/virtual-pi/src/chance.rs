//! Chance that can be repeated: every fault of a virtual board is drawn from a seed, so that a run
//! that went wrong can be run again exactly as it was.

/// A stream of numbers that depends on nothing but its seed (SplitMix64, public domain algorithm
/// by Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// The stream of `seed`. Two parts of one board take two `part`s, so that a packet more in one
    /// does not shift what the other draws.
    pub fn new(seed: u64, part: u64) -> Self {
        let mut chance = Self {
            state: seed ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93),
        };
        chance.draw();
        chance
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw().checked_rem(bound).unwrap_or(0)
    }

    /// True with probability `p`: never at 0, always at 1.
    pub fn hits(&mut self, p: f64) -> bool {
        // 53 bits are what a f64 holds exactly.
        let drawn = (self.draw() >> 11) as f64 / (1_u64 << 53) as f64;
        drawn < p
    }

    /// So many bytes as lower-case hexadecimal digits.
    pub fn hex(&mut self, bytes: usize) -> String {
        let mut drawn = vec![0; bytes];
        self.fill(&mut drawn);
        hex::encode(drawn)
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(8) {
            let drawn = self.draw().to_le_bytes();
            piece.copy_from_slice(&drawn[..piece.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_two_parts_differ() {
        let draw = |seed, part| {
            let mut c = Chance::new(seed, part);
            [c.draw(), c.draw(), c.draw()]
        };
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
    }

    #[test]
    fn a_probability_is_kept() {
        let mut c = Chance::new(1, 1);
        assert!((0..1000).all(|_| !c.hits(0.0)));
        assert!((0..1000).all(|_| c.hits(1.0)));
        let hits = (0..10_000).filter(|_| c.hits(0.1)).count();
        assert!((800..1200).contains(&hits), "{hits}");
    }
}
