//! A listener that remembers, for tests.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Clock, Event, Listener, Reporter};

/// All events heard so far.
#[derive(Clone, Default)]
pub(crate) struct Recorded(Arc<Mutex<Vec<Event>>>);

impl Recorded {
    /// A reporter, and what it reports.
    pub(crate) fn reporter() -> (Reporter, Self) {
        let recorded = Self::default();
        (Reporter::new(recorded.clone()), recorded)
    }

    /// The events in the order heard.
    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    /// Titles of the tasks begun.
    pub(crate) fn titles(&self) -> Vec<String> {
        let titled = |event: Event| match event {
            Event::TaskStarted { title, .. } => Some(title),
            _ => None,
        };
        self.all().into_iter().filter_map(titled).collect()
    }
}

impl Listener for Recorded {
    fn hear(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// A writer whose bytes can be read back while a listener owns it.
#[derive(Clone, Default)]
pub(super) struct SharedBytes(Arc<Mutex<Vec<u8>>>);

impl SharedBytes {
    /// What was written so far.
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for SharedBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A clock that stands still until told otherwise.
#[derive(Clone, Default)]
pub(super) struct HandClock(Arc<Mutex<Duration>>);

impl HandClock {
    /// Moves it on.
    pub(super) fn pass(&self, millis: u64) {
        *self.0.lock().unwrap() += Duration::from_millis(millis);
    }

    /// As listeners take it.
    pub(super) fn clock(&self) -> Clock {
        let now = self.0.clone();
        Arc::new(move || *now.lock().unwrap())
    }
}
