//! The handle that work reports through.

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Counted, Event, TaskId, Unit};

/// Someone who hears of events. Called from any thread, often: once for each
/// chunk of a copy. A listener that shows things thins them out itself.
pub trait Listener: Send + Sync {
    /// Hears one event. Failures to show it are the listener's to bear: work
    /// does not stop because a terminal went away.
    fn hear(&self, event: &Event);
}

/// Handle on which work opens tasks; clones are cheap and report to the same
/// listener.
#[derive(Clone)]
pub struct Reporter {
    shared: Arc<Shared>,
}

struct Shared {
    listener: Box<dyn Listener>,
    next: AtomicU64,
}

struct Silent;

impl Listener for Silent {
    fn hear(&self, _: &Event) {}
}

impl Reporter {
    /// Reports to `listener`.
    pub fn new(listener: impl Listener + 'static) -> Self {
        Self {
            shared: Arc::new(Shared {
                listener: Box::new(listener),
                next: AtomicU64::new(1),
            }),
        }
    }

    /// Reports to no one.
    pub fn silent() -> Self {
        Self::new(Silent)
    }

    /// Begins work that counts bytes; `total` is how many, where known.
    pub fn task(&self, title: impl Into<String>, total: Option<u64>) -> Task {
        self.start(title.into(), total, Unit::Bytes, None)
    }

    /// Begins work that counts things.
    pub fn items(&self, title: impl Into<String>, total: Option<u64>) -> Task {
        self.start(title.into(), total, Unit::Items, None)
    }

    /// A remark for people, shown in every listener. Line breaks become
    /// spaces.
    pub fn note(&self, line: impl Into<String>) {
        let line = line.into().replace(['\n', '\r'], " ");
        self.shared.listener.hear(&Event::Note { line });
    }

    fn start(&self, title: String, total: Option<u64>, unit: Unit, parent: Option<TaskId>) -> Task {
        let id = TaskId(self.shared.next.fetch_add(1, Ordering::Relaxed));
        self.shared.listener.hear(&Event::TaskStarted {
            task: id,
            parent,
            title,
            total,
            unit,
        });
        Task {
            reporter: self.clone(),
            id,
            done: AtomicU64::new(0),
            ended: false,
        }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter").finish_non_exhaustive()
    }
}

/// Work under way. It may be shared between threads. Dropped without
/// [`finish`](Self::finish) it counts as abandoned, so an early `?` tells the
/// truth.
#[derive(Debug)]
pub struct Task {
    reporter: Reporter,
    id: TaskId,
    done: AtomicU64,
    ended: bool,
}

impl Task {
    /// Says that `amount` more is done.
    pub fn advance(&self, amount: u64) {
        let done = self.done.fetch_add(amount, Ordering::Relaxed) + amount;
        self.reporter.shared.listener.hear(&Event::TaskAdvanced {
            task: self.id,
            done,
        });
    }

    /// Says that work goes on with `done` done altogether, whatever was said
    /// before: an earlier try had got there, or all begins again.
    pub fn stands_at(&self, done: u64) {
        if self.done.swap(done, Ordering::Relaxed) != done {
            self.reporter.shared.listener.hear(&Event::TaskResumed {
                task: self.id,
                done,
            });
        }
    }

    /// Says that the work is complete.
    pub fn finish(mut self) {
        self.ended = true;
        let done = self.done.load(Ordering::Relaxed);
        self.reporter.shared.listener.hear(&Event::TaskFinished {
            task: self.id,
            done,
        });
    }

    /// Begins work that is part of this and counts bytes.
    pub fn task(&self, title: impl Into<String>, total: Option<u64>) -> Self {
        self.reporter
            .start(title.into(), total, Unit::Bytes, Some(self.id))
    }

    /// Begins work that is part of this and counts things.
    pub fn items(&self, title: impl Into<String>, total: Option<u64>) -> Self {
        self.reporter
            .start(title.into(), total, Unit::Items, Some(self.id))
    }

    /// The reporter this task belongs to, for remarks and separate tasks.
    pub fn reporter(&self) -> &Reporter {
        &self.reporter
    }

    /// `reader`, advancing this task by every byte read through it.
    pub fn reading<R: Read>(&self, reader: R) -> Counted<'_, R> {
        Counted::new(reader, self)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.ended {
            let done = self.done.load(Ordering::Relaxed);
            self.reporter.shared.listener.hear(&Event::TaskAbandoned {
                task: self.id,
                done,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Recorded;
    use super::*;

    #[test]
    fn tasks_nest_and_end_once() {
        let (reporter, events) = Recorded::reporter();
        let outer = reporter.items("building", Some(2));
        let inner = outer.task("copying worker1", Some(10));
        inner.advance(4);
        inner.advance(6);
        inner.finish();
        outer.advance(1);
        drop(outer);
        reporter.note("two\nlines");
        let (outer, inner) = (TaskId(1), TaskId(2));
        assert_eq!(
            events.all(),
            [
                Event::TaskStarted {
                    task: outer,
                    parent: None,
                    title: "building".to_owned(),
                    total: Some(2),
                    unit: Unit::Items,
                },
                Event::TaskStarted {
                    task: inner,
                    parent: Some(outer),
                    title: "copying worker1".to_owned(),
                    total: Some(10),
                    unit: Unit::Bytes,
                },
                Event::TaskAdvanced {
                    task: inner,
                    done: 4
                },
                Event::TaskAdvanced {
                    task: inner,
                    done: 10
                },
                Event::TaskFinished {
                    task: inner,
                    done: 10
                },
                Event::TaskAdvanced {
                    task: outer,
                    done: 1
                },
                Event::TaskAbandoned {
                    task: outer,
                    done: 1
                },
                Event::Note {
                    line: "two lines".to_owned()
                },
            ]
        );
    }

    #[test]
    fn threads_share_a_task() {
        let (reporter, events) = Recorded::reporter();
        let task = reporter.task("hashing", None);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..100).for_each(|_| task.advance(3)));
            }
        });
        task.finish();
        assert_eq!(
            events.all().last(),
            Some(&Event::TaskFinished {
                task: TaskId(1),
                done: 1200
            })
        );
    }
}
