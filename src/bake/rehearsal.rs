//! What one node's image will be, known before it is made.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use super::survey::edit_error;
use super::{BakeError, LayerImage};
use crate::disk::ext4::{self, Ext4Volume, Skeleton};
use crate::disk::fat::{self, FatVolume};
use crate::disk::{Delta, PiImage, Piece, Region, TableKind, open_scattered};
use crate::edit::{Attributes, Changes, Edit, ReadTree, resolve};
use crate::node::{Proof, prove};
use crate::plan::{NodePlan, Plan};

/// Changes when the same plan would give other bytes of a personality.
const FORMAT: &str = "pidoop-node-1";

/// Digest of everything that a node's image follows from.
pub(super) fn fingerprint(plan: &Plan, node: &NodePlan) -> String {
    let mut hash = Sha256::new();
    let (epoch, disk_id) = (plan.epoch.to_le_bytes(), node.disk_id.get().to_le_bytes());
    for field in [
        FORMAT.as_bytes(),
        plan.layer.id.as_bytes(),
        node.personality.as_bytes(),
        &epoch,
        &disk_id,
    ] {
        hash.update((field.len() as u64).to_le_bytes());
        hash.update(field);
    }
    hex::encode(hash.finalize())
}

/// The layer, as what the edits of all its nodes are tried out on.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    plan: &'a Plan,
    disk: PiImage,
    root: ext4::Ground,
    boot: fat::Ground,
}

/// What a node's edits come to on the layer.
#[derive(Debug)]
pub(super) struct Draft {
    root: Changes,
    boot: Changes,
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

    /// Looks at all that the edits of `node` ask of the layer, so that it is
    /// known when they are drafted.
    ///
    /// # Errors
    /// When they do not fit the layer.
    pub(super) fn foresee(&self, node: &NodePlan) -> Result<(), BakeError> {
        self.changes(node).map(drop)
    }

    /// What the edits of `node` change in the root and the boot partition.
    fn changes(&self, node: &NodePlan) -> Result<(Changes, Changes), BakeError> {
        let root = changes(&node.edits.root, self.root.tree(), node, "root")?;
        let boot = changes(&node.edits.boot, self.boot.tree(), node, "boot")?;
        Ok((root, boot))
    }

    /// What the edits of `node` come to.
    ///
    /// # Errors
    /// When they do not fit the layer, or a tool fails.
    pub(super) fn draft(
        &mut self,
        node: &NodePlan,
        skeleton: &Skeleton,
    ) -> Result<Draft, BakeError> {
        let epoch = super::epoch_for_tools(self.plan.epoch);
        let (root, boot) = self.changes(node)?;
        let place = Region {
            file: node.image.clone().into(),
            ..self.disk.root()
        };
        let outlook = self.root.outlook(&root, skeleton, &place)?;
        let mut pieces = Vec::new();
        if let TableKind::Mbr { .. } = self.disk.table().kind {
            pieces.push(self.disk.rehearse_disk_id(node.disk_id.get())?);
        }
        let start = self.disk.boot().start;
        pieces.extend(moved(self.boot.rehearse(&boot, epoch)?, start));
        Ok(Draft {
            root,
            boot,
            outlook,
            place,
            pieces,
        })
    }
}

/// The same further back.
fn moved(pieces: impl IntoIterator<Item = Piece>, by: u64) -> impl Iterator<Item = Piece> {
    pieces
        .into_iter()
        .map(move |Piece { at, bytes }| Piece { at: by + at, bytes })
}

/// When the image was copied from the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copied {
    /// In this build.
    JustNow,
    /// In an earlier one, which held the copy against the same skeleton; since
    /// then nobody wrote to it.
    Before,
}

/// What makes a copy of the layer a node's image.
#[derive(Debug)]
pub(super) struct Rehearsal {
    root: Changes,
    boot: Changes,
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
            root,
            boot,
            outlook,
            place,
            mut pieces,
        } = draft;
        let root_stage = layer.skeleton.rehearse(&root, &outlook, epoch, &place)?;
        let whole = || {
            pieces.extend(moved(root_stage.pieces().iter().cloned(), place.start));
            Ok::<_, BakeError>(Delta::of(&open_scattered(&layer.path)?, pieces)?)
        };
        let (sound, delta) = rayon::join(|| root_stage.check(), whole);
        sound?;
        Ok(Self {
            root,
            boot,
            root_stage,
            skeleton: layer.skeleton_path.clone(),
            delta: delta?,
        })
    }

    /// Reads the finished image back, with readers none of which wrote it, and
    /// proves that somebody can log in. Of a copy made just now all metadata
    /// are held against those that were judged; an image that is known to be the
    /// same but for the delta had that when it was copied.
    ///
    /// # Errors
    /// When it is not what was planned, damaged, or shut to everybody.
    pub(super) fn verify(
        &self,
        plan: &Plan,
        node: &NodePlan,
        image: &Utf8Path,
        copied: Copied,
    ) -> Result<Proof, BakeError> {
        let disk = PiImage::open(image)?;
        let (root, boot) = (disk.root(), disk.boot());
        let (root_tree, boot_tree) = (Ext4Volume::open(&root)?, FatVolume::open(&boot)?);
        let mut wrong = mismatches(&self.root, &root_tree, Attributes::Checked, node, "root")?;
        wrong.extend(mismatches(
            &self.boot,
            &boot_tree,
            Attributes::Ignored,
            node,
            "boot",
        )?);
        let written = Delta::read(&open_scattered(image)?, &self.delta.extents())?;
        if written != self.delta {
            wrong.push("blocks of it are not what was written to them".to_owned());
        }
        if copied == Copied::JustNow && !self.root_stage.agrees_with(&root)? {
            wrong.push(format!(
                "root partition: its metadata are not those that were judged; the layer \
                 seems to be damaged: remove {} and build again",
                self.skeleton
            ));
        }
        if !wrong.is_empty() {
            return Err(BakeError::Mismatch {
                what: node.image.clone(),
                mismatches: wrong,
            });
        }
        access(plan, node, &root_tree, &boot_tree)
    }

    /// Ends it: what it took in memory serves the next one.
    pub(super) fn end(self, layer: &LayerImage) {
        self.root_stage.end(&layer.skeleton);
    }
}

/// Who can log in to the image at `path`, from its own bytes.
///
/// # Errors
/// When nobody can, or the image cannot be read.
pub(super) fn access_to(plan: &Plan, node: &NodePlan, path: &Utf8Path) -> Result<Proof, BakeError> {
    let disk = PiImage::open(path)?;
    let (root, boot) = (
        Ext4Volume::open(&disk.root())?,
        FatVolume::open(&disk.boot())?,
    );
    access(plan, node, &root, &boot)
}

fn access(
    plan: &Plan,
    node: &NodePlan,
    root: &dyn ReadTree,
    boot: &dyn ReadTree,
) -> Result<Proof, BakeError> {
    let planned = plan
        .cluster
        .nodes
        .iter()
        .find(|candidate| candidate.name.as_str() == node.name)
        .unwrap_or_else(|| plan.cluster.master());
    prove(root, boot, &plan.cluster, planned).map_err(|reasons| BakeError::LockedOut {
        node: node.name.clone(),
        reasons,
    })
}

fn changes(
    edits: &[Edit],
    tree: &dyn ReadTree,
    node: &NodePlan,
    volume: &'static str,
) -> Result<Changes, BakeError> {
    resolve(edits, tree, &()).map_err(|source| edit_error(&node.name, volume, source))
}

fn mismatches(
    changes: &Changes,
    tree: &dyn ReadTree,
    attributes: Attributes,
    node: &NodePlan,
    volume: &'static str,
) -> Result<Vec<String>, BakeError> {
    let found = changes
        .mismatches(tree, attributes)
        .map_err(|source| edit_error(&node.name, volume, source))?;
    Ok(found
        .iter()
        .map(|mismatch| format!("{volume} partition: {mismatch}"))
        .collect())
}
