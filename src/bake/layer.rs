//! Making the layer that all nodes share, once.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;

use super::survey::edit_error;
use super::{BakeError, DirLock, Scratch};
use crate::disk::ext4::{self, Ext4Volume, Skeleton};
use crate::disk::{PiImage, copy_file};
use crate::edit::{Archives, Attributes, Changes, resolve};
use crate::plan::Layer;
use crate::progress::Reporter;

/// A finished layer in the cache.
#[derive(Debug)]
pub struct LayerImage {
    /// The whole image.
    pub path: Utf8PathBuf,
    /// The metadata of its root filesystem.
    pub skeleton: Skeleton,
    /// The file these were read from.
    pub skeleton_path: Utf8PathBuf,
    /// Where in the image that filesystem begins.
    root_start: u64,
}

impl LayerImage {
    /// Asks for the metadata in `image`, which is made of this layer, to be in
    /// memory soon.
    pub(super) fn prefetch(&self, image: &File) {
        self.skeleton.prefetch(image, self.root_start);
    }
}

/// The layer's image: the cached one, or one made now.
///
/// # Errors
/// When the image cannot be made, or what was read back is not what was
/// planned; nothing is left in the cache then.
pub fn ensure_layer(
    layer: &Layer,
    base: &Utf8Path,
    epoch: i64,
    archives: &dyn Archives,
    cache: &Utf8Path,
    reporter: &Reporter,
) -> Result<LayerImage, BakeError> {
    let dir = directory(cache);
    let path = dir.join(file_name(layer));
    let skeleton_path = dir.join(format!("{}.skeleton", layer.id));
    // Two builds that need the same layer: the second waits and finds it.
    let _lock = DirLock::take(&dir, reporter)?;
    if !path.is_file() || !skeleton_path.is_file() {
        Scratch::sweep(&dir)?;
    }
    if !path.is_file() {
        make_image(layer, base, epoch, archives, &path, reporter)?;
    }
    let root = PiImage::open(&path)?.root();
    if !skeleton_path.is_file() {
        let scratch = Scratch::for_target(&skeleton_path)?;
        Skeleton::of(&root)?.write(scratch.path())?;
        scratch.sync()?;
        scratch.keep()?;
    }
    Ok(LayerImage {
        skeleton: Skeleton::read(&skeleton_path)?,
        path,
        skeleton_path,
        root_start: root.start,
    })
}

fn make_image(
    layer: &Layer,
    base: &Utf8Path,
    epoch: i64,
    archives: &dyn Archives,
    image: &Utf8Path,
    reporter: &Reporter,
) -> Result<(), BakeError> {
    reporter.note(
        "writing Java and Hadoop into the layer that all nodes share; later builds find it done",
    );
    let scratch = Scratch::for_target(image)?;
    make(layer, base, epoch, archives, scratch.path(), reporter)?;
    scratch.sync()?;
    scratch.keep()?;
    Ok(())
}

/// The layer's image in the cache, if it was made.
pub fn cached_layer(layer: &Layer, cache: &Utf8Path) -> Option<Utf8PathBuf> {
    let image = directory(cache).join(file_name(layer));
    image.is_file().then_some(image)
}

/// Where the cache keeps layers.
fn directory(cache: &Utf8Path) -> Utf8PathBuf {
    cache.join("layers")
}

/// A layer is found by what it was made from.
fn file_name(layer: &Layer) -> String {
    format!("{}.img", layer.id)
}

fn make(
    layer: &Layer,
    base: &Utf8Path,
    epoch: i64,
    archives: &dyn Archives,
    image: &Utf8Path,
    reporter: &Reporter,
) -> Result<(), BakeError> {
    let task = reporter.items("copying the base image", None);
    copy_file(base, image)?;
    task.finish();
    let mut disk = PiImage::open(image)?;

    // The root filesystem grows as a file of its own: resize2fs on a partition
    // inside an image would cut the image off.
    let root_file = Scratch::for_target(&image.with_extension("root"))?;
    let root = disk.extract_root(root_file.path())?;
    let epoch = super::epoch_for_tools(epoch);
    let task = reporter.items("growing the root filesystem", None);
    ext4::grow(root_file.path(), layer.root_bytes, epoch)?;
    task.finish();
    let root = crate::disk::Region {
        len: layer.root_bytes,
        ..root
    };

    let changes = {
        let volume = Ext4Volume::open(&root)?;
        resolve(&layer.edits, &volume, archives)
            .map_err(|source| edit_error("the layer", "root", source))?
    };
    let task = reporter.items("writing Java and Hadoop", None);
    ext4::apply(&root, &changes, epoch)?;
    task.finish();

    let task = reporter.items("verifying the layer", None);
    verify(&root, &changes)?;
    ext4::check(&root)?.into_result(&root)?;
    task.finish();
    disk.splice_root(root_file.path())?;
    Ok(())
}

/// Holds what an independent reader finds against what was meant.
fn verify(root: &crate::disk::Region, changes: &Changes) -> Result<(), BakeError> {
    let volume = Ext4Volume::open(root)?;
    let mismatches = changes
        .mismatches(&volume, Attributes::Checked)
        .map_err(|source| edit_error("the layer", "root", source))?;
    if mismatches.is_empty() {
        return Ok(());
    }
    Err(BakeError::Mismatch {
        what: "the layer".to_owned(),
        mismatches: mismatches.iter().map(ToString::to_string).collect(),
    })
}
