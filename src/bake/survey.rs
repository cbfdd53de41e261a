//! Reading what a plan must know of a base image.

use std::collections::BTreeSet;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::BakeError;
use crate::disk::PiImage;
use crate::disk::ext4::{Ext4Volume, Superblock};
use crate::disk::fat::FatVolume;
use crate::edit::{ImagePath, ReadTree};
use crate::hadoop::BaseJvmFacts;
use crate::node::Profile;
use crate::plan::BaseFacts;

/// Where the dynamic loader of each architecture is looked for (the System V
/// ABI of each names one path).
const LOADERS: [&str; 3] = [
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-linux-armhf.so.3",
    "/lib64/ld-linux-x86-64.so.2",
];

/// What there is to know of a base image, without where it came from. As data it
/// is for pidoop itself, to be read once and recalled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    sha256: String,
    root_bytes: u64,
    root_used_bytes: u64,
    written_at: i64,
    profile: Profile,
    loaders: BTreeSet<String>,
}

impl Survey {
    /// Changes when the same image would give another survey.
    pub const VERSION: u32 = 1;

    /// Opens the raw base image at `image`, whose bytes have this digest, and
    /// reads what matters.
    ///
    /// # Errors
    /// When it is not a Pi-shaped image of a system pidoop knows, is damaged, or
    /// has filesystem features newer than the tools at hand.
    pub fn of(image: &Utf8Path, sha256: &str) -> Result<Self, BakeError> {
        let disk = PiImage::open(image)?;
        // Before it is opened: the reader would replay a journal, or fail to, and
        // not say what is wrong with the image.
        Superblock::read(&disk.root())?.check_editable(&disk.root())?;
        let root = Ext4Volume::open(&disk.root())?;
        let boot = FatVolume::open(&disk.boot())?;
        let profile = Profile::detect(&root, &boot).map_err(|source| BakeError::Profile {
            image: image.to_owned(),
            source: Box::new(source),
        })?;

        let mut loaders = BTreeSet::new();
        for loader in LOADERS {
            let found = ImagePath::new(loader)
                .ok()
                .map(|path| root.entry(&path))
                .transpose()
                .map_err(|source| edit_error("the base image", "root", source))?
                .flatten();
            if found.is_some() {
                loaders.insert(loader.to_owned());
            }
        }
        let superblock = root.superblock();
        Ok(Self {
            sha256: sha256.to_owned(),
            root_bytes: disk.root().len,
            root_used_bytes: (superblock.blocks - superblock.free_blocks) * superblock.block_size,
            written_at: superblock.write_time.cast_signed(),
            profile,
            loaders,
        })
    }

    /// Digest of the raw image, in lower-case hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What a plan must know of it, and a Java runtime; `origin` is where it came
    /// from.
    pub fn into_facts(self, origin: &str) -> (BaseFacts, BaseJvmFacts) {
        let jvm = BaseJvmFacts {
            arch: self.profile.arch,
            glibc: Some(self.profile.glibc),
            loaders: self.loaders,
        };
        let facts = BaseFacts {
            origin: origin.to_owned(),
            sha256: self.sha256,
            root_bytes: self.root_bytes,
            root_used_bytes: self.root_used_bytes,
            written_at: self.written_at,
            profile: self.profile,
        };
        (facts, jvm)
    }
}

/// An edit error with the image it happened on.
pub(super) fn edit_error(
    what: &str,
    volume: &'static str,
    source: crate::edit::EditError,
) -> BakeError {
    BakeError::Edit {
        what: what.to_owned(),
        volume,
        source: Box::new(source),
    }
}
