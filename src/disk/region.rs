//! A range of bytes in a file.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::DiskError;

/// A range of bytes in a file: a partition of an image, or a whole file that
/// holds one filesystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The file.
    pub file: Utf8PathBuf,
    /// First byte.
    pub start: u64,
    /// Length in bytes.
    pub len: u64,
    /// Number of the partition that this is; `None` for a whole file.
    pub partition: Option<u32>,
}

impl Region {
    /// All of `file`.
    ///
    /// # Errors
    /// If the file is not there.
    pub fn whole(file: impl AsRef<Utf8Path>) -> Result<Self, DiskError> {
        let file = file.as_ref();
        let len = fs::metadata(file)
            .map_err(|e| DiskError::io("opening", file, e))?
            .len();
        Ok(Self {
            file: file.to_owned(),
            start: 0,
            len,
            partition: None,
        })
    }

    /// First byte behind the region.
    pub fn end(&self) -> u64 {
        self.start + self.len
    }
}

/// `partition 2 of base.img`, or the file's path.
impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.partition {
            Some(number) => write!(f, "partition {number} of {}", self.file),
            None => write!(f, "{}", self.file),
        }
    }
}
