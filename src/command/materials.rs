//! What the layer of a cluster is made from.

use std::sync::{Mutex, MutexGuard, PoisonError};

use camino::Utf8Path;

use crate::bake;
use crate::progress::Reporter;
use crate::source::{
    Cache, Needed, Obtained, RawBase, SourceError, StagedArchive, StagedArchives, stage,
};

/// The raw base image and the unpacked components: those that were needed before,
/// and the rest when a layer is made.
#[derive(Debug)]
pub(super) struct Materials {
    cache: Cache,
    reporter: Reporter,
    base: Obtained,
    raw: Mutex<Option<RawBase>>,
    components: [(Obtained, Needed); 2],
    staged: Mutex<[Option<StagedArchive>; 2]>,
}

/// A component of a layer.
#[derive(Debug)]
pub(super) struct Part {
    /// The archive.
    pub(super) file: Obtained,
    /// What gets into images of it.
    pub(super) needed: Needed,
    /// Unpacked, if that was needed to know what it is.
    pub(super) staged: Option<StagedArchive>,
}

impl Materials {
    pub(super) fn new(
        (cache, reporter): (Cache, Reporter),
        (base, raw): (Obtained, Option<RawBase>),
        [java, hadoop]: [Part; 2],
    ) -> Self {
        Self {
            cache,
            reporter,
            base,
            raw: Mutex::new(raw),
            components: [(java.file, java.needed), (hadoop.file, hadoop.needed)],
            staged: Mutex::new([java.staged, hadoop.staged]),
        }
    }

    /// The raw base image, which is the caller's from now on.
    pub(super) fn raw_base(&self) -> Result<RawBase, SourceError> {
        match locked(&self.raw).take() {
            Some(raw) => Ok(raw),
            None => RawBase::of(&self.base, &self.cache, &self.reporter),
        }
    }

    /// Leaves a raw image that was unpacked, and that nobody took, to a later
    /// build.
    pub(super) fn keep(self) -> Result<(), SourceError> {
        match self
            .raw
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
        {
            Some(raw) => raw.keep(),
            None => Ok(()),
        }
    }
}

impl bake::Materials for Materials {
    fn base(&self, to: &Utf8Path) -> Result<(), SourceError> {
        self.raw_base()?.give(to)
    }

    fn archives(&self) -> Result<StagedArchives, SourceError> {
        let [java, hadoop] = std::mem::take(&mut *locked(&self.staged));
        let staged = |at: usize, archive: Option<StagedArchive>| {
            let (file, needed) = &self.components[at];
            // Something is missing if it lies deeper than its recipe says, or less deep.
            match archive.filter(|archive| archive.has(needed)) {
                Some(archive) => Ok(archive),
                None => stage(file, needed, &self.cache, &self.reporter),
            }
        };
        let (java, hadoop) = rayon::join(|| staged(0, java), || staged(1, hadoop));
        Ok([java?, hadoop?].into_iter().collect())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
