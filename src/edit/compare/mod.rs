//! What differs between two filesystems.
//!
//! Each [`Side`] is a [`Listing`], which says what is at every path but for
//! content, and a way to read content.
//! [`compare()`] puts them side by side. Whether two files of one length have
//! the same bytes is asked of the caller, who may know a cheaper way than to
//! read both whole; [`candidates`] says of which files it will ask.
//!
//! Nothing secret leaves here: what a difference shows of content has been
//! gone over first (`redact`).

#[allow(clippy::module_inception)]
mod compare;
mod difference;
mod listing;
mod redact;
#[cfg(test)]
mod tests;
mod unified;

pub use compare::{Look, Side, candidates, compare};
pub use difference::{Aspect, ContentDifference, PathDifference};
pub use listing::{Found, Listing, lay, list};
pub use unified::TextDifference;
