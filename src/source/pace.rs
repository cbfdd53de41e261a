//! Servers that send, but too slowly to ever end.

use std::time::Duration;

/// Watches that bytes keep coming: a timeout between two reads never passes
/// where one byte comes every few seconds.
#[derive(Debug)]
pub(super) struct Pace {
    least: u64,
    window: Duration,
    begun: Duration,
    bytes: u64,
}

impl Pace {
    /// Wants at least `least` bytes in each `window`; the first begins `now`.
    pub(super) fn new(least: u64, window: Duration, now: Duration) -> Self {
        Self {
            least,
            window,
            begun: now,
            bytes: 0,
        }
    }

    /// Takes note of bytes that came by `now`, and says whether it goes on fast
    /// enough.
    pub(super) fn keeps(&mut self, now: Duration, bytes: u64) -> bool {
        self.bytes += bytes;
        if now < self.begun + self.window {
            return true;
        }
        let enough = self.bytes >= self.least;
        self.begun = now;
        self.bytes = 0;
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_drip_is_too_slow_and_a_trickle_is_not() {
        let mut drip = Pace::new(1000, at(60), at(0));
        assert!((1..60).all(|second| drip.keeps(at(second), 1)));
        assert!(!drip.keeps(at(60), 1));
        let mut trickle = Pace::new(1000, at(60), at(0));
        assert!((1..600).all(|second| trickle.keeps(at(second), 20)));
    }

    #[test]
    fn a_pause_within_a_window_is_forgiven() {
        let mut pace = Pace::new(1000, at(60), at(0));
        assert!(pace.keeps(at(1), 5000));
        assert!(pace.keeps(at(59), 1));
        assert!(pace.keeps(at(61), 1));
        assert!(!pace.keeps(at(125), 999), "what came before does not count");
    }
}
