//! External programs, one wrapper for all.
//!
//! A [`Tool`] names a program, the Debian package it comes from and the oldest
//! version that will do. [`Tool::call`] builds a [`Call`]: arguments as data,
//! an environment made from nothing, standard input from memory. Running it
//! gives an [`Output`] or an error that holds the whole command line and the
//! end of what the program said. Children still running when this process is
//! interrupted are killed by [`kill_children`]. What they read and write by name
//! is in memory ([`MemoryFile`]) or, where that will not do, in directories that
//! are removed then ([`Handover`]).

mod call;
mod children;
mod error;
mod handover;
mod memory_file;
#[allow(clippy::module_inception)]
mod tool;
mod version;

pub use call::{Call, Output};
pub use children::{Running, kill_children};
pub use error::ToolError;
pub use handover::Handover;
pub use memory_file::MemoryFile;
pub use tool::{DEBUGFS, E2FSCK, E2IMAGE, GPGV, Probe, RESIZE2FS, Tool};
pub use version::Version;
