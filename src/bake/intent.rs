//! What a node's edits change in the layer, and whether an image has it.

use camino::Utf8Path;

use super::BakeError;
use super::imprint::Imprint;
use super::survey::edit_error;
use crate::disk::ext4::Ext4Volume;
use crate::disk::fat::FatVolume;
use crate::disk::{Delta, PiImage, open_scattered};
use crate::edit::{Attributes, Changes, Edit, ReadTree, resolve};
use crate::node::{Proof, prove};
use crate::plan::{NodePlan, Plan};

/// What a node's edits change in the layer.
#[derive(Debug)]
pub(super) struct Intent {
    /// In the root filesystem.
    pub(super) root: Changes,
    /// In the boot filesystem.
    pub(super) boot: Changes,
    /// What an image that has it is known by, if it can be.
    pub(super) imprint: Option<Imprint>,
}

impl Intent {
    /// What the edits of `node` change in a layer with these filesystems, of which
    /// the root's has blocks of `block` bytes.
    ///
    /// # Errors
    /// When they do not fit the layer.
    pub(super) fn of(
        plan: &Plan,
        node: &NodePlan,
        (root, boot): (&dyn ReadTree, &dyn ReadTree),
        block: u64,
    ) -> Result<Self, BakeError> {
        let root = changes(&node.edits.root, root, node, "root")?;
        let boot = changes(&node.edits.boot, boot, node, "boot")?;
        Ok(Self {
            imprint: Imprint::of(plan, node, (&root, &boot), block),
            root,
            boot,
        })
    }

    /// Reads the finished image back, with readers none of which wrote it: it is
    /// what is meant, and its own blocks are those of `written`. Then proves that
    /// somebody can log in. `wrong` is what was found before.
    ///
    /// # Errors
    /// When it is not what was planned, damaged, or shut to everybody.
    pub(super) fn verify(
        &self,
        plan: &Plan,
        node: &NodePlan,
        disk: &PiImage,
        written: &Delta,
        mut wrong: Vec<String>,
    ) -> Result<Proof, BakeError> {
        let root = Ext4Volume::open(&disk.root())?;
        let boot = FatVolume::open(&disk.boot())?;
        let (checked, ignored) = (Attributes::Checked, Attributes::Ignored);
        wrong.extend(mismatches(&self.root, &root, checked, node, "root")?);
        wrong.extend(mismatches(&self.boot, &boot, ignored, node, "boot")?);
        if Delta::read(&open_scattered(disk.path())?, &written.extents())? != *written {
            wrong.push("blocks of it are not what was written to them".to_owned());
        }
        if !wrong.is_empty() {
            return Err(BakeError::Mismatch {
                what: node.image.clone(),
                mismatches: wrong,
            });
        }
        access(plan, node, &root, &boot)
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
