//! Who owns a file and what may be done with it.

use std::fmt;

use serde::Serialize;

/// Numeric owner and group of an inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

impl Owner {
    /// `root:root`.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };

    /// Owner with the given ids.
    pub const fn new(uid: u32, gid: u32) -> Self {
        Self { uid, gid }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

/// Permission bits of an inode, including set-id and sticky bits; never the
/// file type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Mode(u16);

impl Mode {
    /// `rw-r--r--`, for files anyone may read.
    pub const FILE: Self = Self(0o644);
    /// `rw-------`, for secrets.
    pub const SECRET: Self = Self(0o600);
    /// `rwxr-xr-x`, for directories and programs.
    pub const EXECUTABLE: Self = Self(0o755);
    /// `rwx------`, for private directories.
    pub const PRIVATE_DIR: Self = Self(0o700);
    /// `rwxrwxrwx`, which every symbolic link has and nothing ever checks
    /// (symlink(7)).
    pub const SYMLINK: Self = Self(0o777);

    /// Keeps the low twelve bits of `bits`.
    pub const fn new(bits: u16) -> Self {
        Self(bits & 0o7777)
    }

    /// Whether everybody may read a file with this mode.
    pub const fn is_world_readable(self) -> bool {
        self.0 & 0o004 != 0
    }

    /// The twelve permission bits.
    pub const fn bits(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}
