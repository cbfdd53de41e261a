//! The id of a disk with an MBR.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The 4 bytes at offset 440 of an MBR, which `PARTUUID`s begin with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DiskId(pub(super) u32);

impl DiskId {
    /// A signature as read from a disk; zero means it has none.
    pub const fn new(id: u32) -> Option<Self> {
        if id == 0 { None } else { Some(Self(id)) }
    }

    /// The number, stored little-endian in the MBR.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The PARTUUID of a partition, such as `1a2b3c4d-02`.
    pub fn part_uuid(self, partition: u32) -> String {
        format!("{self}-{partition:02x}")
    }
}

/// Eight lower-case hex digits, as in `PARTUUID=1a2b3c4d-02`.
impl fmt::Display for DiskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// The same digits.
impl<'de> Deserialize<'de> for DiskId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let id = u32::from_str_radix(&text, 16).ok().and_then(Self::new);
        id.ok_or_else(|| serde::de::Error::custom("no disk id"))
    }
}

impl Serialize for DiskId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for DiskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DiskId({self})")
    }
}
