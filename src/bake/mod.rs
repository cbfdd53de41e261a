//! Carrying out a plan.
//!
//! A [`Survey`] is what a plan must know of the base image. [`ensure_layer`]
//! makes the shared layer once, [`Build`] one image for each node, or as much
//! of it as an older image lacks. Every image is read back by readers that did
//! not write it before it gets its name.

mod difference;
mod doubt;
mod error;
mod images;
mod imprint;
mod intent;
mod layer;
mod lock;
mod materials;
mod node;
mod origin;
mod record;
mod rehearsal;
mod scratch;
mod spelling;
mod survey;
mod verdict;

pub use difference::{
    ImageDifference, LayoutDifference, SeenImage, Stock, compare_images, compare_node,
};
pub use error::BakeError;
pub use images::Build;
pub use layer::{LayerImage, Unsettled, cached_layer, ensure_layer};
pub use lock::DirLock;
pub use materials::Materials;
pub use node::{How, NodeImage};
pub use scratch::{Scratch, abandon_all};
pub use survey::Survey;
pub use verdict::{Check, CheckResult, Identity, Planned, judge};

/// The moment as e2fsprogs and the FAT writer take it: whole seconds, never
/// before 1980, where the time of FAT begins.
fn epoch_for_tools(epoch: i64) -> u64 {
    const FAT_BEGINS: i64 = 315_532_800;
    epoch.max(FAT_BEGINS).unsigned_abs()
}
