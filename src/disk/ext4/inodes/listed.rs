//! A whole filesystem, listed at once.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;

use super::Damage;
use super::attributes::{INLINE_DATA, attributes};
use super::body::Body;
use super::directory::entries;
use super::record::{Kind, PLACE, PLACE_LEN, Record};
use super::table::{Table, damaged};
use crate::disk::{DiskError, Region};
use crate::edit::compare::{Found, Listing};
use crate::edit::{EntryKind, ImagePath, Mode, Owner, TreeEntry};

/// Inode of the root directory.
const ROOT: u32 = 2;

/// Longest target of a link, in bytes (linux `PATH_MAX`).
const LONGEST_TARGET: u64 = 4096;

/// Longest directory that is read, in bytes: several million names.
const LONGEST_DIRECTORY: u64 = 256 << 20;

/// A filesystem of which everything is known but content, and of content where
/// it is.
#[derive(Debug)]
pub struct ListedExt4 {
    listing: Listing,
    bodies: BTreeMap<ImagePath, Body>,
    table: Table,
}

impl ListedExt4 {
    /// Lists the filesystem in `region`. Its journal is taken to be empty.
    ///
    /// # Errors
    /// If it is damaged, or has names that no [`ImagePath`] can have; what the
    /// system said.
    pub fn open(region: &Region) -> Result<Self, DiskError> {
        let mut listed = Self {
            listing: Listing::new(),
            bodies: BTreeMap::new(),
            table: Table::open(region)?,
        };
        listed.walk().map_err(|(path, damage)| {
            DiskError::filesystem(region, format!("{path}: {}", damaged(&damage)))
        })?;
        Ok(listed)
    }

    /// What is at every path.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// Whether the file at `path` has the same bytes as the one at the same
    /// path in `other`. Reads both, from wherever their blocks are.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub fn is_same(&self, other: &Self, path: &ImagePath) -> Result<bool, String> {
        match (self.bodies.get(path), other.bodies.get(path)) {
            (Some(one), Some(two)) => one.is_same(&self.table, two, &other.table),
            _ => Err("it is no file".to_owned()),
        }
        .map_err(|reason| format!("{}: {reason}", self.table.region()))
    }

    /// Whether the file at `path` has the bytes that `other` gives.
    ///
    /// # Errors
    /// Why either cannot be read.
    pub fn has_bytes(&self, path: &ImagePath, other: &mut dyn Read) -> Result<bool, String> {
        match self.bodies.get(path) {
            Some(body) => body.has_bytes(&self.table, other),
            None => Err("it is no file".to_owned()),
        }
        .map_err(|reason| format!("{}: {reason}", self.table.region()))
    }

    /// The bytes of the file at `path`, which has `longest` at most.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub fn read(&self, path: &ImagePath, longest: u64) -> Result<Vec<u8>, String> {
        match self.bodies.get(path) {
            Some(body) => body.read(longest, &self.table),
            None => Err("it is no file".to_owned()),
        }
    }

    fn walk(&mut self) -> Result<(), (ImagePath, Damage)> {
        // A directory that is met again would never end.
        let mut met = HashSet::from([ROOT]);
        let mut pending = vec![(ImagePath::root(), ROOT)];
        while let Some((path, number)) = pending.pop() {
            let children = self.add(&path, number).map_err(|d| (path.clone(), d))?;
            for (name, child, is_dir) in children {
                if is_dir && !met.insert(child) {
                    return Err((path, format!("{name} is a directory in two places")));
                }
                let below = path
                    .join(&name)
                    .map_err(|e| (path.clone(), e.to_string()))?;
                pending.push((below, child));
            }
        }
        Ok(())
    }

    /// Adds what inode `number` is, at `path`; gives what is in it, and which
    /// of that are directories.
    fn add(&mut self, path: &ImagePath, number: u32) -> Result<Vec<(String, u32, bool)>, Damage> {
        let record = self.record(number)?;
        let mut children = Vec::new();
        let kind = match record.kind {
            Kind::Directory => {
                let content = Body::of(&record, &self.table)?;
                let content = content.read(LONGEST_DIRECTORY, &self.table)?;
                for (name, child) in entries(&content, self.table.block_size, record.inline)? {
                    let is_dir = self.record(child)?.kind == Kind::Directory;
                    children.push((name, child, is_dir));
                }
                EntryKind::Dir
            }
            Kind::File => {
                let body = Body::of(&record, &self.table)?;
                self.bodies.insert(path.clone(), body);
                EntryKind::File { len: record.size }
            }
            Kind::Link => EntryKind::Symlink {
                target: self.target(&record)?,
            },
            _ => EntryKind::Special,
        };
        let mode = match record.kind {
            Kind::Link => Mode::SYMLINK,
            _ => Mode::new(record.mode),
        };
        let mut xattrs = attributes(&record, &self.table)?;
        // Content, in the clothes of an attribute.
        xattrs.remove(INLINE_DATA);
        let found = Found {
            entry: TreeEntry {
                kind,
                owner: Owner::new(record.uid, record.gid),
                mode,
            },
            special: record.special(),
            xattrs,
            modified: Some(record.modified),
        };
        self.listing.insert(path.clone(), found);
        Ok(children)
    }

    fn record(&mut self, number: u32) -> Result<Record, Damage> {
        Record::parse(number, self.table.inode(number)?)
    }

    /// Where a link points: short targets are where other inodes have the
    /// place of their blocks.
    fn target(&self, record: &Record) -> Result<String, Damage> {
        let bytes = if record.size < PLACE_LEN as u64 && !record.extents && !record.inline {
            record.bytes[PLACE..PLACE + record.size as usize].to_vec()
        } else {
            Body::of(record, &self.table)?.read(LONGEST_TARGET, &self.table)?
        };
        String::from_utf8(bytes).map_err(|_| "a link's target is not UTF-8".to_owned())
    }
}
