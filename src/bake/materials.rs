//! What a layer is made from.

use camino::Utf8Path;

use crate::source::{SourceError, StagedArchives};

/// What a layer is made from, made ready when one is made and not before.
pub trait Materials: Sync {
    /// Makes `to`, which is not there yet, the raw base image. It is the caller's
    /// to change.
    ///
    /// # Errors
    /// It cannot be unpacked.
    fn base(&self, to: &Utf8Path) -> Result<(), SourceError>;

    /// The components, unpacked for as long as the result lives.
    ///
    /// # Errors
    /// They cannot be unpacked.
    fn archives(&self) -> Result<StagedArchives, SourceError>;
}
