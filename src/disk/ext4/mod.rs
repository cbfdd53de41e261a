//! ext4: read by the `ext4-view` crate, written by `debugfs`, judged by
//! `e2fsck`, grown by `resize2fs`. Reader and writer share no code, so each
//! can vouch for the other. Contents are written here, and the lengths that go
//! with them ([`refill()`]).
//!
//! All work on a [`Region`](super::Region), in place and without privileges:
//! e2fsprogs takes `FILE?offset=BYTES` for a filesystem inside a file. Only
//! resize2fs wants a file of its own; a copy of the metadata will do, unless
//! contents would have to move ([`Growth`], [`grow()`]).

mod apply;
mod check;
mod debugfs;
mod features;
mod footprint;
mod groups;
mod grow;
mod growth;
mod inodes;
mod leftovers;
mod length;
mod placed;
mod read;
mod refill;
mod rehearsal;
mod script;
mod skeleton;
mod superblock;

pub use apply::{Applied, Outlook, apply};
pub use check::{Verdict, check};
pub use features::Features;
pub use footprint::Footprint;
pub use grow::grow;
pub use growth::Growth;
pub use inodes::ListedExt4;
pub use read::Ext4Volume;
pub use refill::{NewContent, refill};
pub use rehearsal::{Ground, Rehearsal};
pub use skeleton::Skeleton;
pub use superblock::Superblock;
