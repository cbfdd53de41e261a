//! What a plan needs to know of the base image.

use serde::Serialize;

use crate::node::Profile;

/// Facts read from the base image before anything is planned.
#[derive(Clone, Debug, Serialize)]
pub struct BaseFacts {
    /// Where it came from, in words; without directories when serialised.
    #[serde(serialize_with = "super::origin::portable")]
    pub origin: String,
    /// SHA-256 of the uncompressed image, lower-case hex.
    pub sha256: String,
    /// What the operating system in it is.
    pub profile: Profile,
    /// Length of the root partition, in bytes.
    pub root_bytes: u64,
    /// Bytes of it in use.
    pub root_used_bytes: u64,
    /// When its root filesystem was last written, in seconds since 1970: the
    /// moment that every inode pidoop writes is dated with, so that no clock
    /// reaches an image.
    pub written_at: i64,
}
