//! FAT16 and FAT32, read and written in-process by the `fatfs` crate.
//!
//! `fatfs` believes what is on the disk. `structure` therefore goes over a
//! filesystem first, with code of its own: chains that end, copies of the
//! table that agree, entries that point somewhere. It does so again after a
//! write, and then puts right what the crate leaves: the count of free
//! clusters, and `..` in directories of the root.

mod apply;
mod clock;
mod layout;
mod structure;
mod volume;

pub use apply::{Applied, Ground, apply, rehearse};
pub use volume::FatVolume;
