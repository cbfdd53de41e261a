//! What lies beside the images: the manifest and digests.

mod manifest;
mod sums;

pub use manifest::{ImageRecord, Manifest};
pub use sums::{digest_of, sums_file};
