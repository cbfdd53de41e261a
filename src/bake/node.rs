//! Making one node's image from the layer.

use camino::{Utf8Path, Utf8PathBuf};

use super::survey::edit_error;
use super::{BakeError, Scratch};
use crate::disk::ext4::{self, Ext4Volume};
use crate::disk::fat::{self, FatVolume};
use crate::disk::{PiImage, TableKind, copy_file};
use crate::edit::{Attributes, Changes, Edit, ReadTree, resolve};
use crate::node::{Proof, prove};
use crate::plan::{NodePlan, Plan};
use crate::progress::Reporter;

/// An image that was made and stands under its final name.
#[derive(Clone, Debug)]
pub struct NodeImage {
    /// Whose it is.
    pub node: String,
    /// Where it is.
    pub path: Utf8PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Who can log in, how and from where, proven from the finished bytes.
    pub access: Proof,
}

/// Copies the layer, makes it this node's, verifies it, and only then gives it
/// its name in `out`.
///
/// # Errors
/// When any step fails, or what was read back is not what was planned, or
/// nobody could log in. Then no file is left.
pub fn bake_node(
    plan: &Plan,
    node: &NodePlan,
    layer: &Utf8Path,
    out: &Utf8Path,
    reporter: &Reporter,
) -> Result<NodeImage, BakeError> {
    let task = reporter.items(format!("baking {}", node.name), Some(4));
    let path = out.join(&node.image);
    let scratch = Scratch::for_target(&path)?;
    copy_file(layer, scratch.path())?;
    task.advance(1);

    let mut disk = PiImage::open(scratch.path())?;
    if let TableKind::Mbr { .. } = disk.table().kind {
        disk.set_disk_id(node.disk_id.get())?;
    }
    let epoch = super::epoch_for_tools(plan.epoch);
    let (root, boot) = (disk.root(), disk.boot());
    let root_changes = changes(&node.edits.root, &Ext4Volume::open(&root)?, node, "root")?;
    let boot_changes = changes(&node.edits.boot, &FatVolume::open(&boot)?, node, "boot")?;
    ext4::apply(&root, &root_changes, &ext4::Apply { epoch, undo: None })?;
    fat::apply(&boot, &boot_changes, epoch)?;
    task.advance(1);

    // From here on only readers look at it, none of which wrote it.
    let (root_tree, boot_tree) = (Ext4Volume::open(&root)?, FatVolume::open(&boot)?);
    let mut wrong = mismatches(&root_changes, &root_tree, Attributes::Checked, node, "root")?;
    wrong.extend(mismatches(
        &boot_changes,
        &boot_tree,
        Attributes::Ignored,
        node,
        "boot",
    )?);
    if !wrong.is_empty() {
        return Err(BakeError::Mismatch {
            what: node.image.clone(),
            mismatches: wrong,
        });
    }
    ext4::check(&root)?.into_result(&root)?;
    task.advance(1);

    let planned = plan
        .cluster
        .nodes
        .iter()
        .find(|candidate| candidate.name.as_str() == node.name)
        .unwrap_or_else(|| plan.cluster.master());
    let proof = prove(&root_tree, &boot_tree, &plan.cluster, planned).map_err(|reasons| {
        BakeError::LockedOut {
            node: node.name.clone(),
            reasons,
        }
    })?;
    let bytes = fs_err::metadata(scratch.path())?.len();
    // Not waiting for the disk, which would double the time of a rebuild:
    // after a power cut one builds again, and no build reads this file.
    scratch.keep()?;
    task.advance(1);
    task.finish();
    Ok(NodeImage {
        node: node.name.clone(),
        path,
        bytes,
        access: proof,
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
