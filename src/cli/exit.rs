//! Exit statuses, a documented contract.

/// How a run of pidoop ended, as the shell sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// It worked, or every check passed.
    Ok = 0,
    /// A check failed: the thing looked at is not as it should be.
    CheckFailed = 1,
    /// The command line or the cluster file is wrong.
    Usage = 2,
    /// The machine could not do it: a tool is missing, the disk is full, an
    /// input could not be had.
    Environment = 3,
    /// A bug in pidoop.
    Bug = 70,
    /// Interrupted, as shells count signal 2.
    Interrupted = 130,
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}
