//! The lock as a whole.

use std::collections::BTreeMap;

use super::LockedInput;
use crate::cluster::SourceChoice;

/// The schema of lock files that this version reads and writes.
pub const SCHEMA: i64 = 1;

/// What each input of a cluster resolved to, by the key that names it under
/// `[image]` in the cluster file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// The inputs.
    pub inputs: BTreeMap<String, LockedInput>,
}

impl Lock {
    /// The entry for an input that is asked for in this way now; none if there
    /// is none, or it is the answer to another question.
    pub fn answer(&self, key: &str, choice: &SourceChoice) -> Option<&LockedInput> {
        self.inputs.get(key).filter(|input| input.answers(choice))
    }
}
