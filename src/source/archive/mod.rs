//! Tar archives: read with suspicion, unpacked once.
//!
//! [`stage()`] unpacks an archive, one plain file for each member, and keeps an
//! index, which [`recall`] finds later. Names never become paths on the host, so nothing in an
//! archive can reach outside; they are checked all the same, because they
//! become paths in an image.

mod index;
mod layout;
mod limits;
mod member;
mod read;
mod stage;
mod staged;
#[cfg(test)]
mod tests;

pub use stage::{recall, stage};
pub use staged::{StagedArchive, StagedArchives};
