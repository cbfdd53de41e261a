//! Typed changes to a filesystem, as data.
//!
//! An [`Edit`] says what should be true of a path. A list of them is what a
//! plan prints, what a build applies, what `verify` checks afterwards and what
//! a cache key hashes. [`resolve()`] gives the list its meaning against a tree
//! that can be read: one [`Target`] for each path touched. [`Tree`] is the
//! in-memory filesystem; the ext4 and FAT backends must agree with it.

mod attributes;
mod changes;
pub mod compare;
mod content;
mod digest;
#[allow(clippy::module_inception)]
mod edit;
mod error;
mod mismatch;
mod outline;
mod path;
mod read_tree;
mod remembered;
mod resolve;
mod selection;
pub mod text;
mod tree;

pub use attributes::{Mode, Owner};
pub use changes::{Changes, FileContent, Target};
pub use content::Content;
pub use digest::{cache_key, digest};
pub use edit::{ArchiveId, Edit, Edits, Unpack};
pub use error::EditError;
pub use mismatch::{Attributes, Difference, Mismatch};
pub use path::{ImagePath, ImagePathError};
pub use read_tree::{Archives, EntryKind, ReadTree, StagedEntry, StagedKind, TreeEntry};
pub use remembered::Remembered;
pub use resolve::resolve;
pub use selection::Selection;
pub use text::TextEdit;
pub use tree::{Node, NodeContent, Tree, TreeDifference};
