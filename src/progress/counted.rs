//! A reader whose bytes advance a task.

use std::io::{self, Read};

use super::Task;

/// Passes reads through and tells a [`Task`] of each.
#[derive(Debug)]
pub struct Counted<'a, R> {
    inner: R,
    task: &'a Task,
}

impl<'a, R: Read> Counted<'a, R> {
    /// Counts what is read from `inner` towards `task`.
    pub fn new(inner: R, task: &'a Task) -> Self {
        Self { inner, task }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if read > 0 {
            self.task.advance(read as u64);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Event, Recorded, TaskId};
    use super::*;

    #[test]
    fn counts_bytes_and_not_the_end() {
        let (reporter, events) = Recorded::reporter();
        let task = reporter.task("reading", Some(5));
        let mut text = String::new();
        task.reading(&b"hello"[..])
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "hello");
        let advances = events
            .all()
            .iter()
            .filter(|e| matches!(e, Event::TaskAdvanced { .. }))
            .count();
        assert_eq!(advances, 1);
        task.finish();
        assert_eq!(
            events.all().last(),
            Some(&Event::TaskFinished {
                task: TaskId(1),
                done: 5
            })
        );
    }
}
