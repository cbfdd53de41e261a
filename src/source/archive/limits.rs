//! Sizes that no honest archive has. An SD card is the measure: what exceeds
//! these could not be put on one anyway, and would fill the disk first.

/// Most members in an archive; the largest JDK has under 100,000 with sources.
pub(super) const MEMBERS: usize = 500_000;

/// Most bytes in one member.
pub(super) const MEMBER_BYTES: u64 = 16 << 30;

/// Most bytes in all members together.
pub(super) const TOTAL_BYTES: u64 = 64 << 30;

/// Most bytes of headers in front of one member. A long name takes a few
/// hundred.
pub(super) const HEADER_BYTES: u64 = 2 << 20;

/// Longest name in bytes, which is Linux's `PATH_MAX`.
pub(super) const NAME_BYTES: usize = 4096;

/// Longest component of a name, which is ext4's limit.
pub(super) const COMPONENT_BYTES: usize = 255;
