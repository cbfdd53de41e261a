//! Judging a filesystem.

use super::debugfs::Device;
use crate::disk::{DiskError, Region};
use crate::tool::E2FSCK;

/// Bits of e2fsck's exit code (e2fsck(8)).
const CORRECTED: i32 = 1;
const UNCORRECTED: i32 = 4;
const OPERATIONAL: i32 = 8;

/// What e2fsck thinks of a filesystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to find fault with.
    Clean,
    /// Something is wrong.
    Damaged {
        /// All that e2fsck said.
        report: String,
    },
}

/// Has e2fsck go over the filesystem in `region`, all passes, changing
/// nothing.
///
/// # Errors
/// If e2fsck is missing or could not do its work. A damaged filesystem is a
/// verdict, not an error.
pub fn check(region: &Region) -> Result<Verdict, DiskError> {
    let device = Device::new(region)?;
    let output = E2FSCK
        .call()
        .and_then(|call| call.arg("-fn").arg(&device.argument).run())
        .map_err(DiskError::tool(region))?;
    match output.code() {
        Some(0) => Ok(Verdict::Clean),
        Some(code) if code & UNCORRECTED != 0 || code & OPERATIONAL == 0 => Ok(Verdict::Damaged {
            report: output.stdout_text().trim().to_owned(),
        }),
        _ => Err(DiskError::tool(region)(output.failed())),
    }
}

/// Has e2fsck mend the count of inodes that share a block of attributes, with
/// the clock at `epoch`. It mends whatever it finds, so the filesystem must
/// have been clean before. Extent trees stay as they are.
pub(super) fn settle(region: &Region, epoch: u64) -> Result<(), DiskError> {
    let device = Device::new(region)?;
    let output = E2FSCK
        .call()
        .map(|call| call.args(["-fy", "-E", "no_optimize_extents", &device.argument]))
        .and_then(|call| call.fake_time(epoch).run())
        .map_err(DiskError::tool(region))?;
    match output.code() {
        Some(0 | CORRECTED) => Ok(()),
        _ => Err(DiskError::tool(region)(output.failed())),
    }
}

impl Verdict {
    /// This verdict as an error unless it is clean.
    ///
    /// # Errors
    /// The report.
    pub fn into_result(self, region: &Region) -> Result<(), DiskError> {
        match self {
            Self::Clean => Ok(()),
            Self::Damaged { report } => Err(DiskError::filesystem(
                region,
                format!("e2fsck found damage:\n{report}"),
            )),
        }
    }
}
