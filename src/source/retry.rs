//! When to try the same address again.

use std::time::Duration;

use super::failure::Failure;

/// Longest wait between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How much a download has to grow between two breaks for the later one not to
/// count: a line that breaks every few minutes carries a large file all the
/// same, piece by piece.
const GAIN: u64 = 1 << 20;

/// Counts failures of one address.
#[derive(Debug)]
pub(super) struct Retries {
    tries: u32,
    first_pause: Duration,
    failures: u32,
    /// The furthest that a download got.
    furthest: u64,
}

impl Retries {
    /// Gives up after `tries` failures without gain in between; waits
    /// `first_pause` behind the first, then twice as long each time.
    pub(super) fn new(tries: u32, first_pause: Duration) -> Self {
        Self {
            tries: tries.max(1),
            first_pause,
            failures: 0,
            furthest: 0,
        }
    }

    /// How long to wait before the next try; none if there is to be none.
    /// `reached` is how far the download is.
    pub(super) fn after(&mut self, failure: &Failure, reached: u64) -> Option<Duration> {
        let Failure::Remote {
            passing: true,
            after,
            ..
        } = failure
        else {
            return None;
        };
        if reached >= self.furthest + GAIN {
            self.furthest = reached;
            self.failures = 0;
        }
        self.failures += 1;
        if self.failures >= self.tries {
            return None;
        }
        let doubled = 1 << (self.failures - 1).min(16);
        let pause = self.first_pause.saturating_mul(doubled);
        Some(pause.max(after.unwrap_or_default()).min(LONGEST_PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_and_end() {
        let mut retries = Retries::new(4, SECOND);
        let cut = Failure::passing("cut");
        let pauses: Vec<_> = (0..4).map(|_| retries.after(&cut, 0)).collect();
        assert_eq!(
            pauses,
            [Some(SECOND), Some(2 * SECOND), Some(4 * SECOND), None]
        );
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let mut retries = Retries::new(4, SECOND);
        assert_eq!(retries.after(&Failure::status(404, None), 0), None);
        assert!(retries.after(&Failure::status(503, None), 0).is_some());
    }

    #[test]
    fn a_server_may_ask_for_more_time_within_reason() {
        let asked = |seconds: u64| {
            let failure = Failure::status(429, Some(Duration::from_secs(seconds)));
            Retries::new(4, SECOND).after(&failure, 0)
        };
        assert_eq!(asked(0), Some(SECOND));
        assert_eq!(asked(20), Some(20 * SECOND));
        assert_eq!(asked(86_400), Some(LONGEST_PAUSE));
    }

    #[test]
    fn a_line_that_breaks_all_the_time_gets_there_if_it_gains() {
        let mut retries = Retries::new(2, SECOND);
        let cut = Failure::passing("cut");
        for piece in 1..=100 {
            assert_eq!(retries.after(&cut, piece * GAIN), Some(SECOND), "{piece}");
        }
        // From the beginning each time, and never further: that is no gain.
        assert_eq!(retries.after(&cut, 100 * GAIN), None);
    }
}
