//! Carrying out a plan.
//!
//! [`survey`] reads what a plan must know of the base image. [`ensure_layer`]
//! makes the shared layer once, [`Build`] one image for each node, or as much
//! of it as an older image lacks. Every image is read back by readers that did
//! not write it before it gets its name.

mod error;
mod images;
mod layer;
mod lock;
mod node;
mod record;
mod rehearsal;
mod scratch;
mod survey;

pub use error::BakeError;
pub use images::Build;
pub use layer::{LayerImage, ensure_layer};
pub use lock::DirLock;
pub use node::{How, NodeImage};
pub use scratch::{Scratch, abandon_all};
pub use survey::survey;

/// The moment as e2fsprogs and the FAT writer take it: whole seconds, never
/// before 1980, where the time of FAT begins.
fn epoch_for_tools(epoch: i64) -> u64 {
    const FAT_BEGINS: i64 = 315_532_800;
    epoch.max(FAT_BEGINS).unsigned_abs()
}
