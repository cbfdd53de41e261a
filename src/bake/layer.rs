//! Making the layer that all nodes share, once.

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;

use super::survey::edit_error;
use super::{BakeError, DirLock, Materials, Scratch};
use crate::disk::ext4::{self, Ext4Volume, Growth, Rehearsal, Skeleton};
use crate::disk::{PiImage, Region};
use crate::edit::{Attributes, Changes, resolve};
use crate::plan::Layer;
use crate::progress::Reporter;
use crate::source::StagedArchives;

/// A finished layer in the cache.
#[derive(Debug)]
pub struct LayerImage {
    /// The whole image.
    pub path: Utf8PathBuf,
    /// The metadata of its root filesystem.
    pub skeleton: Skeleton,
    /// The file these were read from.
    pub skeleton_path: Utf8PathBuf,
}

impl LayerImage {
    /// Where it is, and what tells it from others.
    pub(super) fn file(&self) -> LayerFile<'_> {
        LayerFile {
            path: &self.path,
            skeleton: self.skeleton.digest(),
        }
    }
}

/// A layer that is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct LayerFile<'l> {
    /// The whole image.
    pub(super) path: &'l Utf8Path,
    /// What its metadata are known by.
    pub(super) skeleton: [u8; 32],
}

impl<'l> LayerFile<'l> {
    /// The layer in the file `path`, if it is one that is on the disk.
    pub(super) fn at(path: &'l Utf8Path) -> Option<Self> {
        let skeleton = Skeleton::digest_in(&skeleton_path(path)).ok()??;
        Some(Self { path, skeleton })
    }
}

/// A layer just made: usable, but not known to be on the disk. Others wait.
#[derive(Debug)]
#[must_use = "no later build relies on a layer that did not settle"]
pub struct Unsettled {
    image: Utf8PathBuf,
    skeleton: Option<Scratch>,
    /// What it was made from, not to be written to the disk for nothing.
    archives: Option<StagedArchives>,
    _lock: DirLock,
}

impl Unsettled {
    /// Whether it was there before, and thus is on the disk.
    pub(super) fn is_settled(&self) -> bool {
        self.skeleton.is_none()
    }

    /// Waits until the layer is on the disk, then lets later builds rely on it:
    /// the skeleton, written last, says that the image is whole. Images can be
    /// made from the layer meanwhile.
    ///
    /// # Errors
    /// What the system said.
    pub fn settle(self) -> Result<(), BakeError> {
        drop(self.archives);
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
    epoch: i64,
    materials: &dyn Materials,
    cache: &Utf8Path,
    reporter: &Reporter,
) -> Result<(LayerImage, Unsettled), BakeError> {
    let dir = directory(cache);
    let path = dir.join(file_name(layer));
    let skeleton_path = skeleton_path(&path);
    // Two builds that need the same layer: the second waits and finds it.
    let lock = DirLock::take(&dir, reporter)?;
    let known = is_settled(&path).then(|| Skeleton::read(&skeleton_path));
    let (skeleton, scratch, archives) = match known {
        Some(Ok(skeleton)) => (skeleton, None, None),
        unusable => {
            if let Some(Err(error)) = unusable {
                reporter.note(format!("the layer is made again, since {error}"));
            }
            Scratch::sweep(&dir)?;
            remove(&skeleton_path)?;
            let (skeleton, archives) = make_image(layer, epoch, materials, &path, reporter)?;
            let scratch = Scratch::for_target(&skeleton_path)?;
            skeleton.write(scratch.path())?;
            (skeleton, Some(scratch), Some(archives))
        }
    };
    let made = LayerImage {
        skeleton,
        skeleton_path,
        path,
    };
    let unsettled = Unsettled {
        image: made.path.clone(),
        skeleton: scratch,
        archives,
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
    epoch: i64,
    materials: &dyn Materials,
    image: &Utf8Path,
    reporter: &Reporter,
) -> Result<(Skeleton, StagedArchives), BakeError> {
    reporter.note(
        "writing Java and Hadoop into the layer that all nodes share; later builds find it done",
    );
    let scratch = Scratch::for_target(image)?;
    let (base, archives) = rayon::join(|| materials.base(scratch.path()), || materials.archives());
    base?;
    let archives = archives?;
    let epoch = super::epoch_for_tools(epoch);
    let mut disk = PiImage::open(scratch.path())?;
    let skeleton = grow(&mut disk, layer, epoch, reporter)?;
    let root = disk.root();

    let changes = {
        let volume = Ext4Volume::open(&root)?;
        resolve(&layer.edits, &volume, &archives)
            .map_err(|source| edit_error("the layer", "root", source))?
    };
    let task = reporter.items("writing Java and Hadoop", None);
    let rehearsal = skeleton.rehearse_large(&changes, epoch, &root)?;
    drop(skeleton);
    let (written, sound) = rayon::join(|| rehearsal.write(&root), || rehearsal.check());
    written?;
    sound?;
    task.finish();

    let task = reporter.items("verifying the layer", None);
    let (content, skeleton) = rayon::join(
        || verify(&root, &changes, &rehearsal),
        || rehearsal.skeleton(),
    );
    content?;
    let skeleton = skeleton?;
    task.finish();
    scratch.keep()?;
    Ok((skeleton, archives))
}

/// Gives the root filesystem the layer's length, before anything is written to
/// it, because then there is least to look at: where it is if that can be, else
/// in a file of its own, because resize2fs would cut an image off behind the
/// partition. The metadata afterwards.
fn grow(
    disk: &mut PiImage,
    layer: &Layer,
    epoch: u64,
    reporter: &Reporter,
) -> Result<Skeleton, BakeError> {
    let task = reporter.items("growing the root filesystem", None);
    let skeleton = match Growth::rehearse(&disk.root(), layer.root_bytes, epoch)? {
        Some(growth) => {
            disk.grow_root(&growth)?;
            growth.skeleton
        }
        None => {
            let file = Scratch::for_target(&disk.path().with_extension("root"))?;
            disk.extract_root(file.path())?;
            ext4::grow(file.path(), layer.root_bytes, epoch)?;
            disk.splice_root(file.path())?;
            Skeleton::of(&disk.root())?
        }
    };
    task.finish();
    Ok(skeleton)
}

/// Holds what an independent reader finds against what was meant.
fn verify(root: &Region, changes: &Changes, meant: &Rehearsal) -> Result<(), BakeError> {
    let volume = Ext4Volume::open(root)?;
    let mut mismatches: Vec<String> = changes
        .mismatches(&volume, Attributes::Checked)
        .map_err(|source| edit_error("the layer", "root", source))?
        .iter()
        .map(ToString::to_string)
        .collect();
    if !meant.agrees_with(root)? {
        mismatches.push("its metadata are not those that were judged".to_owned());
    }
    if mismatches.is_empty() {
        return Ok(());
    }
    Err(BakeError::Mismatch {
        what: "the layer".to_owned(),
        mismatches,
    })
}
