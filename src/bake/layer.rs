//! Making the layer that all nodes share, once.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;

use super::survey::edit_error;
use super::{BakeError, DirLock, Scratch};
use crate::disk::ext4::{self, Ext4Volume, Skeleton};
use crate::disk::{PiImage, Region};
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

/// A layer just made: usable, but not known to be on the disk. Others wait.
#[derive(Debug)]
#[must_use = "no later build relies on a layer that did not settle"]
pub struct Unsettled {
    image: Utf8PathBuf,
    skeleton: Option<Scratch>,
    _lock: DirLock,
}

impl Unsettled {
    /// Waits until the layer is on the disk, then lets later builds rely on it:
    /// the skeleton, written last, says that the image is whole. Images can be
    /// made from the layer meanwhile.
    ///
    /// # Errors
    /// What the system said.
    pub fn settle(self) -> Result<(), BakeError> {
        let Some(skeleton) = self.skeleton else {
            return Ok(());
        };
        File::open(&self.image)?.sync_all()?;
        skeleton.sync()?;
        skeleton.keep()?;
        Ok(())
    }
}

/// The layer's image: the cached one, or one made now, which the caller is to
/// [settle](Unsettled::settle).
///
/// # Errors
/// When the image cannot be made, or what was read back is not what was
/// planned; nothing is left in the cache then.
pub fn ensure_layer(
    layer: &Layer,
    base: &Utf8Path,
    epoch: i64,
    archives: &(dyn Archives + Sync),
    cache: &Utf8Path,
    reporter: &Reporter,
) -> Result<(LayerImage, Unsettled), BakeError> {
    let dir = directory(cache);
    let path = dir.join(file_name(layer));
    let skeleton_path = skeleton_path(&path);
    // Two builds that need the same layer: the second waits and finds it.
    let lock = DirLock::take(&dir, reporter)?;
    let known = is_settled(&path).then(|| Skeleton::read(&skeleton_path));
    let (skeleton, scratch) = match known {
        Some(Ok(skeleton)) => (skeleton, None),
        unusable => {
            if let Some(Err(error)) = unusable {
                reporter.note(format!("the layer is made again, since {error}"));
            }
            Scratch::sweep(&dir)?;
            remove(&skeleton_path)?;
            let skeleton = make_image(layer, base, epoch, archives, &path, reporter)?;
            let scratch = Scratch::for_target(&skeleton_path)?;
            skeleton.write(scratch.path())?;
            (skeleton, Some(scratch))
        }
    };
    let made = LayerImage {
        skeleton,
        root_start: PiImage::open(&path)?.root().start,
        skeleton_path,
        path,
    };
    let unsettled = Unsettled {
        image: made.path.clone(),
        skeleton: scratch,
        _lock: lock,
    };
    Ok((made, unsettled))
}

fn remove(path: &Utf8Path) -> std::io::Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The layer's image in the cache, if it was made.
pub fn cached_layer(layer: &Layer, cache: &Utf8Path) -> Option<Utf8PathBuf> {
    let image = directory(cache).join(file_name(layer));
    is_settled(&image).then_some(image)
}

/// Whether the layer in this file is there and on the disk.
fn is_settled(image: &Utf8Path) -> bool {
    image.is_file() && skeleton_path(image).is_file()
}

/// Where the metadata of the layer in this file are kept.
fn skeleton_path(image: &Utf8Path) -> Utf8PathBuf {
    image.with_extension("skeleton")
}

/// Where the cache keeps layers.
fn directory(cache: &Utf8Path) -> Utf8PathBuf {
    cache.join("layers")
}

/// A layer is found by what it was made from.
fn file_name(layer: &Layer) -> String {
    format!("{}.img", layer.id)
}

fn make_image(
    layer: &Layer,
    base: &Utf8Path,
    epoch: i64,
    archives: &(dyn Archives + Sync),
    image: &Utf8Path,
    reporter: &Reporter,
) -> Result<Skeleton, BakeError> {
    reporter.note(
        "writing Java and Hadoop into the layer that all nodes share; later builds find it done",
    );
    let base = PiImage::open(base)?;
    let scratch = Scratch::for_target(image)?;
    let epoch = super::epoch_for_tools(epoch);
    let root = grown(&base, layer, epoch, image, scratch.path(), reporter)?;

    let changes = {
        let volume = Ext4Volume::open(&root)?;
        resolve(&layer.edits, &volume, archives)
            .map_err(|source| edit_error("the layer", "root", source))?
    };
    let task = reporter.items("writing Java and Hadoop", None);
    ext4::apply(&root, &changes, epoch)?;
    task.finish();

    let task = reporter.items("verifying the layer", None);
    let ((content, damage), skeleton) = rayon::join(
        || {
            let sound = || ext4::check(&root)?.into_result(&root);
            rayon::join(|| verify(&root, &changes), sound)
        },
        || Skeleton::of(&root),
    );
    content?;
    damage?;
    let skeleton = skeleton?;
    task.finish();
    scratch.keep()?;
    Ok(skeleton)
}

/// Makes `to` the base with a root filesystem of the layer's length, in which
/// the region is. It grows as a file of its own, because resize2fs on a partition
/// inside an image would cut the image off, and before anything is written to
/// it, because then there is least to copy.
fn grown(
    base: &PiImage,
    layer: &Layer,
    epoch: u64,
    image: &Utf8Path,
    to: &Utf8Path,
    reporter: &Reporter,
) -> Result<Region, BakeError> {
    let task = reporter.items("growing the root filesystem", None);
    let root_file = Scratch::for_target(&image.with_extension("root"))?;
    base.extract_root(root_file.path())?;
    ext4::grow(root_file.path(), layer.root_bytes, epoch)?;
    let grown = base.with_root(root_file.path(), to)?;
    task.finish();
    Ok(grown.root())
}

/// Holds what an independent reader finds against what was meant.
fn verify(root: &Region, changes: &Changes) -> Result<(), BakeError> {
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
