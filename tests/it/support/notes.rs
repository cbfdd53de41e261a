//! What a library tells of its work.

use std::sync::{Arc, Mutex};

use pidoop::progress::{Event, Listener, Reporter};

/// Everything heard so far.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Vec<Event>>>);

impl Notes {
    /// A reporter, and what it reports.
    pub(crate) fn reporter() -> (Reporter, Self) {
        let notes = Self::default();
        (Reporter::new(notes.clone()), notes)
    }

    /// The remarks, one a line.
    pub(crate) fn text(&self) -> String {
        let lines = self.all().into_iter().filter_map(|event| match event {
            Event::Note { line } => Some(line + "\n"),
            _ => None,
        });
        lines.collect()
    }

    /// Titles of the tasks begun.
    pub(crate) fn titles(&self) -> Vec<String> {
        let titles = self.all().into_iter().filter_map(|event| match event {
            Event::TaskStarted { title, .. } => Some(title),
            _ => None,
        });
        titles.collect()
    }

    /// All events.
    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }
}

impl Listener for Notes {
    fn hear(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}
