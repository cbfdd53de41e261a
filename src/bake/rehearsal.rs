//! What one node's image will be, known before it is made.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use super::survey::edit_error;
use super::{BakeError, LayerImage};
use crate::disk::ext4::{self, Ext4Volume};
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
    /// Carries the node's edits out in memory, and has the result judged.
    ///
    /// # Errors
    /// When the edits do not fit the layer, or a tool fails.
    pub(super) fn of(plan: &Plan, node: &NodePlan, layer: &LayerImage) -> Result<Self, BakeError> {
        let disk = PiImage::open(&layer.path)?;
        let epoch = super::epoch_for_tools(plan.epoch);
        let (root_region, boot_region) = (disk.root(), disk.boot());
        let root_volume = Ext4Volume::open(&root_region)?;
        let root = changes(&node.edits.root, &root_volume, node, "root")?;
        drop(root_volume);
        let boot_volume = FatVolume::open(&boot_region)?;
        let boot = changes(&node.edits.boot, &boot_volume, node, "boot")?;
        drop(boot_volume);

        let place = Region {
            file: node.image.clone().into(),
            ..root_region.clone()
        };
        let root_stage = layer.skeleton.rehearse(&root, epoch, &place)?;
        let whole = || {
            let mut pieces = Vec::new();
            if let TableKind::Mbr { .. } = disk.table().kind {
                pieces.push(disk.rehearse_disk_id(node.disk_id.get())?);
            }
            let boot_pieces = fat::rehearse(&boot_region, &boot, epoch)?;
            for (region, found) in [
                (&boot_region, &boot_pieces[..]),
                (&root_region, root_stage.pieces()),
            ] {
                pieces.extend(found.iter().map(|piece| Piece {
                    at: region.start + piece.at,
                    bytes: piece.bytes.clone(),
                }));
            }
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
    /// proves that somebody can log in.
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
        if !self.root_stage.agrees_with(&root)? {
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
