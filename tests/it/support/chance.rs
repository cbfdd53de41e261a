//! Numbers that look random and are the same in every run.

use std::time::Duration;

/// A sequence of numbers that follows from its seed.
pub(crate) struct Chance(u64);

impl Chance {
    /// The sequence of a seed; seeds that are alike have sequences that are not.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (SplitMix64, Steele, Lea and Flood 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A stretch of time shorter than `longest`, in whole microseconds.
    pub(crate) fn duration(&mut self, longest: Duration) -> Duration {
        let end = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.below(end.max(1)))
    }
}
