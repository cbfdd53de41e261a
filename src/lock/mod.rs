//! The lock: what each input of a cluster resolved to.
//!
//! A cluster file names its inputs by recipe, path or address; what these stand
//! for may change. The lock, a file that users commit beside the cluster file,
//! says which bytes were meant. [`Lock::parse`] reads it, [`Lock`]'s `Display`
//! is the file's text, and [`moved`] tells two of them apart in words.

mod input;
#[allow(clippy::module_inception)]
mod lock;
mod moved;
mod parse;
mod render;
#[cfg(test)]
mod tests;

pub use input::{Asked, LockedInput, without_userinfo};
pub use lock::{Lock, SCHEMA};
pub use moved::{Moved, moved};
