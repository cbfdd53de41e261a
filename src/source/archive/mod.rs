//! Tar archives: read with suspicion, unpacked once.
//!
//! [`stage()`] unpacks an archive, one plain file for each member whose content is
//! [`Needed`], and keeps how large all of them are, which [`recall`] finds later.
//! Names never become paths on the host, so nothing in an archive can reach outside;
//! they are checked all the same, because they become paths in an image.

mod known;
mod layout;
mod limits;
mod member;
mod needed;
mod read;
mod stage;
mod staged;
#[cfg(test)]
mod tests;

pub use known::{KnownArchive, recall};
pub use needed::{LooksInto, Needed};
pub use stage::stage;
pub use staged::{StagedArchive, StagedArchives};
