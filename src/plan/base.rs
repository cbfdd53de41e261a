//! What a plan needs to know of the base image.

use serde::{Serialize, Serializer};

use crate::edit::ImagePath;
use crate::hadoop::{Arch, GlibcVersion};
use crate::node::{DiskId, NetworkStack, Profile, Release};

/// Facts read from the base image before anything is planned.
#[derive(Clone, Debug, Serialize)]
pub struct BaseFacts {
    /// Where it came from, in words; without directories when serialised.
    #[serde(serialize_with = "super::origin::portable")]
    pub origin: String,
    /// SHA-256 of the uncompressed image, lower-case hex.
    pub sha256: String,
    /// What the operating system in it is; serialised, as much as people want to
    /// know.
    #[serde(serialize_with = "shown")]
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

/// What of a profile a plan shows (docs/plan-json.md).
#[derive(Serialize)]
struct Shown<'a> {
    release: Release,
    arch: Arch,
    glibc: GlibcVersion,
    boot_mount: &'a Option<ImagePath>,
    disk_id: Option<DiskId>,
    network: NetworkStack,
    shadow_gid: u32,
    zram: bool,
}

fn shown<S: Serializer>(profile: &Profile, serializer: S) -> Result<S::Ok, S::Error> {
    let shown = Shown {
        release: profile.release,
        arch: profile.arch,
        glibc: profile.glibc,
        boot_mount: &profile.boot_mount,
        disk_id: profile.disk_id,
        network: profile.network,
        shadow_gid: profile.shadow_gid,
        zram: profile.zram,
    };
    shown.serialize(serializer)
}
