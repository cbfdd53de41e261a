//! Numbers that look random and are the same in every run.

use std::time::Duration;

/// A sequence of numbers that follows from its seed.
pub(crate) struct Chance(u64);

impl Chance {
    /// The sequence of a seed, which is not 0.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (xorshift64, Marsaglia 2003).
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A stretch of time up to `longest`.
    pub(crate) fn duration(&mut self, longest: Duration) -> Duration {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        longest.mul_f64(share)
    }
}
