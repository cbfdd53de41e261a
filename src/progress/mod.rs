//! Events of long work, and who listens to them.
//!
//! Work takes a [`Reporter`], opens a [`Task`] for anything that may take
//! longer than a blink, and says how far it is. What becomes of that is the
//! listener's business: bars on a terminal ([`Bars`]), a few plain lines in a
//! log ([`Lines`]), JSON lines for programs ([`JsonLines`]), or nothing. Only
//! listeners read the clock.

mod bars;
mod counted;
mod event;
mod json;
mod lines;
#[cfg(test)]
mod recorded;
mod reporter;

pub use bars::Bars;
pub use counted::Counted;
pub use event::{Event, TaskId, Unit};
pub use json::JsonLines;
pub use lines::Lines;
pub(crate) use lines::amount;
#[cfg(test)]
pub(crate) use recorded::Recorded;
pub use reporter::{Listener, Reporter, Task};

use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time since some fixed moment; listeners are given one so that tests can
/// move it.
type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The machine's monotonic clock, from now on.
fn system_clock() -> Clock {
    let start = Instant::now();
    Arc::new(move || start.elapsed())
}
