//! What can be told about long work.

use serde::Serialize;

/// Names a task among all of one [`Reporter`](super::Reporter).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct TaskId(pub u64);

/// What a task counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Bytes, shown as KiB, MiB and GiB.
    #[default]
    Bytes,
    /// Things: files, edits, checks.
    Items,
}

/// One thing that happened.
///
/// Serialised, an event is one line of the JSON progress stream; the fields and
/// tags are part of what programs rely on, under the `schema` number that
/// [`JsonLines`](super::JsonLines) puts in front.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Work began.
    TaskStarted {
        /// The task.
        task: TaskId,
        /// The task it is part of.
        parent: Option<TaskId>,
        /// What is being done, such as `fetching hadoop-3.5.0`.
        title: String,
        /// How much there is to do, where that is known.
        total: Option<u64>,
        /// What `total` and `done` count.
        unit: Unit,
    },
    /// Work went on.
    TaskAdvanced {
        /// The task.
        task: TaskId,
        /// How much is done altogether.
        done: u64,
    },
    /// Work goes on from a place it did not just get to: behind what an earlier
    /// try had done, or from the beginning again.
    TaskResumed {
        /// The task.
        task: TaskId,
        /// How much is done altogether.
        done: u64,
    },
    /// Work is complete.
    TaskFinished {
        /// The task.
        task: TaskId,
        /// How much was done altogether.
        done: u64,
    },
    /// Work was given up; the error travels elsewhere.
    TaskAbandoned {
        /// The task.
        task: TaskId,
        /// How far it got.
        done: u64,
    },
    /// A remark for people.
    Note {
        /// One line, without a line break.
        line: String,
    },
}
