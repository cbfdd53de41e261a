//! What differs between an image and another, or the one a build would make.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use rayon::prelude::*;

use super::BakeError;
use super::spelling::{respelled, respelled_changes};
use super::survey::edit_error;
use crate::disk::ext4::{Ext4Volume, ListedExt4, Superblock};
use crate::disk::fat::FatVolume;
use crate::disk::{PiImage, TableKind};
use crate::edit::compare::{Listing, Look, PathDifference, Side, candidates, compare, lay, list};
use crate::edit::{Archives, Changes, FileContent, ImagePath, ReadTree, Target, Tree, resolve};
use crate::plan::{NodePlan, Plan};

/// Longest file that is read whole; what is shown of files is shorter.
const LONGEST: u64 = 1 << 20;

/// What differs between two images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageDifference {
    /// Ids, partitions and properties of the filesystems.
    pub layout: Vec<LayoutDifference>,
    /// Paths of the firmware partition, from its own root.
    pub boot: Vec<PathDifference>,
    /// Paths of the root partition.
    pub root: Vec<PathDifference>,
}

impl ImageDifference {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.layout.is_empty() && self.boot.is_empty() && self.root.is_empty()
    }
}

/// A property of the image as a whole that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutDifference {
    /// Which, such as `disk id`.
    pub what: String,
    /// Its value in the first image; `None` if it has none.
    pub before: Option<String>,
    /// Its value in the second.
    pub after: Option<String>,
}

/// An image with all that is compared but the content of its root filesystem.
#[derive(Debug)]
pub struct SeenImage {
    path: Utf8PathBuf,
    layout: BTreeMap<String, String>,
    boot: Tree,
    root: ListedExt4,
}

impl SeenImage {
    /// Opens the raw image at `path` and lists what is in it.
    ///
    /// # Errors
    /// When it is no Pi-shaped image or damaged; what the system said.
    pub fn open(path: &Utf8Path) -> Result<Self, BakeError> {
        let disk = PiImage::open(path)?;
        let superblock = Superblock::read(&disk.root())?;
        let boot = FatVolume::open(&disk.boot())?;
        let layout = layout(&disk, &superblock, &boot);
        let boot =
            Tree::read_from(&boot).map_err(|source| edit_error(path.as_str(), "boot", source))?;
        Ok(Self {
            path: path.to_owned(),
            layout,
            boot,
            root: ListedExt4::open(&disk.root())?,
        })
    }

    /// The host name in it.
    pub fn hostname(&self) -> Option<String> {
        let path = ImagePath::new("/etc/hostname").ok()?;
        let bytes = self.root.read(&path, LONGEST).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// Whether a node was baked into it.
    pub fn is_node(&self) -> bool {
        let facts = crate::node::Paths::DEFAULT.node_facts;
        self.root.listing().contains_key(facts)
    }
}

/// What an image is apart from its files, by name.
fn layout(disk: &PiImage, superblock: &Superblock, boot: &FatVolume) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut add = |what: &str, value: String| found.insert(what.to_owned(), value);
    let is_gpt = match disk.table().kind {
        TableKind::Mbr { disk_id } => {
            add("partition table", "MBR".to_owned());
            add(DISK_ID, format!("{disk_id:08x}"));
            false
        }
        TableKind::Gpt { disk_guid } => {
            add("partition table", "GPT".to_owned());
            add(DISK_ID, disk_guid.to_string());
            true
        }
    };
    for partition in &disk.table().partitions {
        let (start, len, kind) = (partition.start, partition.len, &partition.kind);
        // In an MBR it follows from the id of the disk.
        let id = match is_gpt {
            true => format!(", id {}", partition.partuuid),
            false => String::new(),
        };
        let value = format!("{len} bytes from {start} on, type {kind}{id}");
        add(&partition_name(partition.number), value);
    }
    add("boot filesystem id", boot.id());
    add("boot filesystem label", boot.label());
    add("root filesystem uuid", superblock.uuid.to_string());
    add("root filesystem label", superblock.label.clone());
    add(
        "root filesystem block size",
        superblock.block_size.to_string(),
    );
    add("root filesystem features", superblock.features.to_string());
    found
}

const DISK_ID: &str = "disk id";

fn partition_name(number: u32) -> String {
    format!("partition {number}")
}

fn layout_differences(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<LayoutDifference> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| LayoutDifference {
            what: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        })
        .collect()
}

/// What differs between two images.
pub fn compare_images(before: &SeenImage, after: &SeenImage, look: Look) -> ImageDifference {
    let nothing = BTreeSet::new();
    let after_boot = respelled(&after.boot, &before.boot);
    let same = same_files(before.root.listing(), after.root.listing(), &|path| {
        before.root.is_same(&after.root, path)
    });
    ImageDifference {
        layout: layout_differences(&before.layout, &after.layout),
        boot: compare_trees(&before.boot, &after_boot, &nothing),
        root: compare(
            Side {
                listing: before.root.listing(),
                read: &|path| before.root.read(path, LONGEST),
                secrets: &nothing,
            },
            Side {
                listing: after.root.listing(),
                read: &|path| after.root.read(path, LONGEST),
                secrets: &nothing,
            },
            look,
            &|path| same.get(path).cloned().unwrap_or(Ok(true)),
        ),
    }
}

/// What the images of a plan are made from.
pub struct Stock<'a> {
    image: SeenImage,
    /// Archives for the edits of the layer, which are still to be made where
    /// the image is the base.
    archives: Option<&'a (dyn Archives + Sync)>,
}

impl fmt::Debug for Stock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stock")
            .field("image", &self.image.path)
            .field("is_layer", &self.archives.is_none())
            .finish()
    }
}

impl<'a> Stock<'a> {
    /// The finished layer at `path`.
    ///
    /// # Errors
    /// Those of [`SeenImage::open`].
    pub fn layer(path: &Utf8Path) -> Result<Self, BakeError> {
        let image = SeenImage::open(path)?;
        let archives = None;
        Ok(Self { image, archives })
    }

    /// The base image at `path`, where there is no layer yet.
    ///
    /// # Errors
    /// Those of [`SeenImage::open`].
    pub fn base(path: &Utf8Path, archives: &'a (dyn Archives + Sync)) -> Result<Self, BakeError> {
        let image = SeenImage::open(path)?;
        let archives = Some(archives);
        Ok(Self { image, archives })
    }
}

/// What a build of `node` would change in `image`: the image is the first
/// side, what would be built the second. Nothing is built for it.
///
/// # Errors
/// When the node's edits do not fit, or what they are applied to cannot be
/// read.
pub fn compare_node(
    plan: &Plan,
    node: &NodePlan,
    stock: &Stock<'_>,
    image: &SeenImage,
    look: Look,
) -> Result<ImageDifference, BakeError> {
    let disk = PiImage::open(&stock.image.path)?;
    let mut edits = Vec::new();
    let archives: &dyn Archives = match stock.archives {
        Some(archives) => {
            edits.extend_from_slice(&plan.layer.edits);
            archives
        }
        None => &(),
    };
    edits.extend_from_slice(&node.edits.root);
    let root = Ext4Volume::open(&disk.root())?;
    let root_changes = resolve(&edits, &root, archives)
        .map_err(|source| edit_error(&node.name, "root", source))?;
    drop(root);
    let boot = FatVolume::open(&disk.boot())?;
    let boot_changes = resolve(&node.edits.boot, &boot, &())
        .map_err(|source| edit_error(&node.name, "boot", source))?;
    drop(boot);

    let mut wanted = stock.image.layout.clone();
    if let TableKind::Mbr { .. } = disk.table().kind {
        wanted.insert(DISK_ID.to_owned(), node.disk_id.to_string());
    }
    if stock.archives.is_some() {
        // The layer grows it.
        let mut root = disk.root_partition().clone();
        root.len = plan.layer.root_bytes;
        let name = partition_name(root.number);
        if let Some(value) = wanted.get_mut(&name) {
            let before = format!("{} bytes", disk.root_partition().len);
            *value = value.replacen(&before, &format!("{} bytes", root.len), 1);
        }
    }

    let boot_changes = respelled_changes(&boot_changes, &stock.image.boot);
    let mut wanted_boot = stock.image.boot.clone();
    wanted_boot
        .apply(&boot_changes)
        .map_err(|source| edit_error(&node.name, "boot", source))?;
    let image_boot = respelled(&image.boot, &wanted_boot);

    let epoch = super::epoch_for_tools(plan.epoch).cast_signed();
    Ok(ImageDifference {
        layout: layout_differences(&image.layout, &wanted),
        boot: compare_trees(
            &image_boot,
            &wanted_boot.without_attributes(),
            &secrets_of(&boot_changes),
        ),
        root: compare_root(&image.root, &stock.image.root, &root_changes, epoch, look),
    })
}

/// The root filesystem of an image against what changes make of another.
fn compare_root(
    image: &ListedExt4,
    stock: &ListedExt4,
    changes: &Changes,
    epoch: i64,
    look: Look,
) -> Vec<PathDifference> {
    let mut listing = stock.listing().clone();
    lay(&mut listing, changes, Some(epoch));
    let content = |path: &ImagePath| match changes.targets.get(path) {
        Some(Target::File { content, .. }) => Some(content),
        _ => None,
    };
    let same = same_files(image.listing(), &listing, &|path| match content(path) {
        Some(FileContent::Inline { bytes, .. }) => image.has_bytes(path, &mut &bytes[..]),
        Some(FileContent::Staged { host, .. }) => {
            let mut host = File::open(host).map_err(|error| error.to_string())?;
            image.has_bytes(path, &mut host)
        }
        None => stock.is_same(image, path),
    });
    let (nothing, secrets) = (BTreeSet::new(), secrets_of(changes));
    compare(
        Side {
            listing: image.listing(),
            read: &|path| image.read(path, LONGEST),
            secrets: &nothing,
        },
        Side {
            listing: &listing,
            read: &|path| match content(path) {
                Some(FileContent::Inline { bytes, .. }) => Ok(bytes.clone()),
                Some(FileContent::Staged { host, .. }) => {
                    fs_err::read(host).map_err(|error| error.to_string())
                }
                None => stock.read(path, LONGEST),
            },
            secrets: &secrets,
        },
        look,
        &|path| same.get(path).cloned().unwrap_or(Ok(true)),
    )
}

/// Files that changes call secret.
fn secrets_of(changes: &Changes) -> BTreeSet<ImagePath> {
    changes
        .files()
        .filter(|(_, content)| content.is_secret())
        .map(|(path, _)| path.clone())
        .collect()
}

/// Asks of all files of one length, on all processors, whether they are the
/// same.
fn same_files(
    before: &Listing,
    after: &Listing,
    same: &(dyn Fn(&ImagePath) -> Result<bool, String> + Sync),
) -> BTreeMap<ImagePath, Result<bool, String>> {
    candidates(before, after)
        .par_iter()
        .map(|path| ((*path).clone(), same(path)))
        .collect()
}

/// What differs between two firmware partitions, which know neither owners nor
/// modes nor attributes.
fn compare_trees(
    before: &Tree,
    after: &Tree,
    secrets: &BTreeSet<ImagePath>,
) -> Vec<PathDifference> {
    let listing = |tree: &Tree| list(tree).unwrap_or_default();
    let read = |tree: &Tree, path: &ImagePath| tree.read(path).map_err(|error| error.to_string());
    let nothing = BTreeSet::new();
    compare(
        Side {
            listing: &listing(before),
            read: &|path| read(before, path),
            secrets: &nothing,
        },
        Side {
            listing: &listing(after),
            read: &|path| read(after, path),
            secrets,
        },
        Look::default(),
        &|path| Ok(before.node(path) == after.node(path)),
    )
}
