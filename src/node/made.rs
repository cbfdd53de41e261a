//! Whole nodes for tests: a base image with a personality applied to it.

use super::fake_base::base;
use super::fake_cluster::with_inputs;
use super::reader::Reader;
use super::{Profile, Release, personality};
use crate::cluster::Cluster;
use crate::edit::{Edits, Tree, resolve};

/// The filesystems of a finished node.
pub(crate) struct Made {
    pub(crate) root: Tree,
    pub(crate) boot: Tree,
}

impl Made {
    /// The node at `index` on the base of `release`.
    pub(crate) fn new(release: Release, cluster: &Cluster, index: usize) -> Self {
        let (root, boot) = base(release);
        let profile = Profile::detect(&root, &boot).unwrap();
        let edits = with_inputs(cluster, index, &profile, |inputs| {
            personality(inputs).unwrap()
        });
        let mut made = Self {
            root: Tree::read_from(&root).unwrap(),
            boot: Tree::read_from(&boot).unwrap(),
        };
        made.apply(&edits);
        made
    }

    pub(crate) fn apply(&mut self, edits: &Edits) {
        let changes = resolve(&edits.root, &self.root, &()).unwrap();
        self.root.apply(&changes).unwrap();
        let changes = resolve(&edits.boot, &self.boot, &()).unwrap();
        self.boot.apply(&changes).unwrap();
    }

    /// Text of a file of the root filesystem.
    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> String {
        Reader(&self.root)
            .text(path)
            .unwrap()
            .unwrap_or_else(|| panic!("there is no {path}"))
    }

    /// Whether anything is at a path.
    pub(crate) fn has(&self, path: &str) -> bool {
        Reader(&self.root).entry(path).unwrap().is_some()
    }

    /// Target of a link.
    pub(crate) fn link(&self, path: &str) -> Option<String> {
        match Reader(&self.root).entry(path).unwrap()?.kind {
            crate::edit::EntryKind::Symlink { target } => Some(target),
            _ => None,
        }
    }

    /// Owner and mode.
    #[track_caller]
    pub(crate) fn attributes(&self, path: &str) -> String {
        let entry = Reader(&self.root).entry(path).unwrap();
        let entry = entry.unwrap_or_else(|| panic!("there is no {path}"));
        format!("{} {}", entry.mode, entry.owner)
    }

    /// The kernel command line.
    pub(crate) fn cmdline(&self) -> String {
        Reader(&self.boot).text("/cmdline.txt").unwrap().unwrap()
    }
}
