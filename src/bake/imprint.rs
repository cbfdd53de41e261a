//! What tells whether an image needs other contents only.

use serde::{Deserialize, Serialize};

use super::origin::FORMAT;
use crate::disk::ext4::NewContent;
use crate::edit::{Changes, FileContent, cache_key};
use crate::plan::{NodePlan, Plan};
use crate::source::Sha256;

/// What is to be known of an image so that a later build can put other contents
/// into the blocks that its files have. Two images from the same layer with the
/// same frame differ in contents of files, in their lengths and in the checksums
/// of their inodes, and in nothing else: debugfs, the version of which is part of
/// the layer's name, is told the same of the same filesystem, and of a file's
/// content no more matters to it than how many blocks it takes, and which of them
/// are zeros.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Imprint {
    /// Digest of all but the contents of files in the root filesystem.
    frame: Sha256,
    /// Length and digest of each of these, in order of their paths.
    contents: Vec<(u64, Sha256)>,
}

impl Imprint {
    /// That of the image of `node` with these changes in its root and its boot
    /// filesystem, of which the first has blocks of `block` bytes. `None` if it
    /// cannot be told.
    pub(super) fn of(
        plan: &Plan,
        node: &NodePlan,
        (root, boot): (&Changes, &Changes),
        block: u64,
    ) -> Option<Self> {
        let in_boot: Vec<[u8; 32]> = boot.files().map(|(_, file)| file.sha256()).collect();
        let frame = cache_key(&[
            FORMAT.as_bytes(),
            &plan.epoch.to_le_bytes(),
            &node.disk_id.get().to_le_bytes(),
            &root.outline(usize::try_from(block).ok()?)?,
            &boot.outline(1)?,
            in_boot.as_flattened(),
        ]);
        let known = |content: &FileContent| (content.len(), Sha256(content.sha256()));
        Some(Self {
            frame: Sha256(frame),
            contents: root.files().map(|(_, content)| known(content)).collect(),
        })
    }

    /// The files whose contents are others than in an image with the imprint
    /// `old`; `None` if more is. `root` is what this was made of.
    pub(super) fn instead_of<'c>(
        &self,
        old: &Self,
        root: &'c Changes,
    ) -> Option<Vec<NewContent<'c>>> {
        if self.frame != old.frame || self.contents.len() != old.contents.len() {
            return None;
        }
        let mut new = Vec::new();
        let known = self.contents.iter().zip(&old.contents);
        for ((path, content), (now, before)) in root.files().zip(known) {
            let FileContent::Inline { bytes, .. } = content else {
                return None;
            };
            if now != before {
                let was = before.0;
                new.push(NewContent { path, bytes, was });
            }
        }
        Some(new)
    }
}
