//! What one node's image will be, known before it is made.

use camino::{Utf8Path, Utf8PathBuf};

use super::intent::Intent;
use super::{BakeError, LayerImage};
use crate::disk::ext4::{self, Skeleton};
use crate::disk::fat;
use crate::disk::{Delta, PiImage, Piece, Region, TableKind, open_scattered};
use crate::node::Proof;
use crate::plan::{NodePlan, Plan};

/// The layer, as what the edits of all its nodes are tried out on.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    plan: &'a Plan,
    disk: PiImage,
    root: ext4::Ground,
    boot: fat::Ground,
}

/// What a node's intent meets on the layer.
#[derive(Debug)]
pub(super) struct Draft {
    intent: Intent,
    outlook: ext4::Outlook,
    /// Where the root filesystem will be.
    place: Region,
    /// What will be written outside of it, in the whole image.
    pieces: Vec<Piece>,
}

impl<'a> Ground<'a> {
    /// Opens the layer.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub(super) fn open(plan: &'a Plan, layer: &Utf8Path) -> Result<Self, BakeError> {
        let disk = PiImage::open(layer)?;
        Ok(Self {
            root: ext4::Ground::open(&disk.root())?,
            boot: fat::Ground::open(&disk.boot())?,
            plan,
            disk,
        })
    }

    /// What the edits of `node` change.
    ///
    /// # Errors
    /// When they do not fit the layer.
    pub(super) fn intent(&self, node: &NodePlan) -> Result<Intent, BakeError> {
        let trees = (self.root.tree(), self.boot.tree());
        Intent::of(self.plan, node, trees, self.root.block_size())
    }

    /// What `intent` of `node` meets.
    ///
    /// # Errors
    /// When it does not fit the layer, or a tool fails.
    pub(super) fn draft(
        &mut self,
        node: &NodePlan,
        intent: Intent,
        skeleton: &Skeleton,
    ) -> Result<Draft, BakeError> {
        let epoch = super::epoch_for_tools(self.plan.epoch);
        let place = Region {
            file: node.image.clone().into(),
            ..self.disk.root()
        };
        let outlook = self.root.outlook(&intent.root, skeleton, &place)?;
        let mut pieces = Vec::new();
        if let TableKind::Mbr { .. } = self.disk.table().kind {
            pieces.push(self.disk.rehearse_disk_id(node.disk_id.get())?);
        }
        let start = self.disk.boot().start;
        pieces.extend(moved(self.boot.rehearse(&intent.boot, epoch)?, start));
        Ok(Draft {
            intent,
            outlook,
            place,
            pieces,
        })
    }
}

/// The same further back.
pub(super) fn moved(
    pieces: impl IntoIterator<Item = Piece>,
    by: u64,
) -> impl Iterator<Item = Piece> {
    pieces.into_iter().map(move |Piece { at, bytes }| Piece {
        at: by.saturating_add(at),
        bytes,
    })
}

/// What makes a copy of the layer a node's image.
#[derive(Debug)]
pub(super) struct Rehearsal {
    pub(super) intent: Intent,
    /// The root filesystem's metadata as it will be.
    root_stage: ext4::Rehearsal,
    /// What they were copied from.
    skeleton: Utf8PathBuf,
    /// All that differs from the layer.
    pub(super) delta: Delta,
}

impl Rehearsal {
    /// Carries a node's edits out in memory, and has the result judged.
    ///
    /// # Errors
    /// When the edits do not fit the layer, or a tool fails.
    pub(super) fn of(plan: &Plan, draft: Draft, layer: &LayerImage) -> Result<Self, BakeError> {
        let epoch = super::epoch_for_tools(plan.epoch);
        let Draft {
            intent,
            outlook,
            place,
            mut pieces,
        } = draft;
        let whole = |written: &[Piece]| {
            pieces.extend(moved(written.iter().cloned(), place.start));
            Ok::<_, BakeError>(Delta::of(&open_scattered(&layer.path)?, pieces)?)
        };
        let skeleton = &layer.skeleton;
        let (root_stage, delta) =
            skeleton.rehearse(&intent.root, &outlook, epoch, &place, whole)?;
        Ok(Self {
            intent,
            root_stage,
            skeleton: layer.skeleton_path.clone(),
            delta: delta?,
        })
    }

    /// Reads an image back that was copied from the layer just now, and changed: all
    /// its metadata are those that were judged, and it is what is meant.
    ///
    /// # Errors
    /// When it is not what was planned, damaged, or shut to everybody.
    pub(super) fn verify(
        &self,
        plan: &Plan,
        node: &NodePlan,
        image: &Utf8Path,
    ) -> Result<Proof, BakeError> {
        let disk = PiImage::open(image)?;
        let mut wrong = Vec::new();
        if !self.root_stage.agrees_with(&disk.root())? {
            wrong.push(format!(
                "root partition: its metadata are not those that were judged; the layer \
                 seems to be damaged: remove {} and build again",
                self.skeleton
            ));
        }
        self.intent.verify(plan, node, &disk, &self.delta, wrong)
    }

    /// Ends it: what it took in memory serves the next one.
    pub(super) fn end(self, layer: &LayerImage) {
        self.root_stage.end(&layer.skeleton);
    }
}
