//! Partition tables and filesystems in image files.
//!
//! An image is opened as a [`PiImage`]: its partition table is read and its
//! two partitions are found. Each is a [`Region`] of a file, and so is a root
//! filesystem that was taken out into a file of its own. The FAT side is
//! edited in-process ([`fat`]), the ext4 side by `debugfs` ([`ext4`]); both
//! are read through [`ReadTree`](crate::edit::ReadTree).

mod delta;
mod error;
pub mod ext4;
pub mod fat;
mod gpt;
mod image;
mod mbr;
mod region;
mod shape;
mod sharing;
mod sniff;
mod sparse;
mod standing;
mod table;
mod window;

pub use delta::{Delta, Extent, Piece};
pub use error::DiskError;
pub use image::PiImage;
pub use region::Region;
pub use sniff::Format;
pub use sparse::{
    CopyMethod, copy_file, copy_range, expect_scattered, open_scattered, punch_zeros, splice_range,
};
pub use table::{Partition, PartitionTable, TableKind};
pub use window::Window;
