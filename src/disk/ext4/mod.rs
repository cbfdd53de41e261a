//! ext4: read by the `ext4-view` crate, written by `debugfs`, judged by
//! `e2fsck`, grown by `resize2fs`. Reader and writer share no code, so each
//! can vouch for the other.
//!
//! All work on a [`Region`](super::Region), in place and without privileges:
//! e2fsprogs takes `FILE?offset=BYTES` for a filesystem inside a file. Only
//! growing needs the filesystem in a file of its own ([`grow`]).

mod apply;
mod check;
mod debugfs;
mod footprint;
mod grow;
mod inodes;
mod leftovers;
mod read;
mod rehearsal;
mod script;
mod skeleton;
mod superblock;

pub use apply::{Applied, apply};
pub use check::{Verdict, check};
pub use footprint::Footprint;
pub use grow::grow;
pub use inodes::ListedExt4;
pub use read::Ext4Volume;
pub use rehearsal::Rehearsal;
pub use skeleton::Skeleton;
pub use superblock::{Features, Superblock};
