//! Unpacking an archive.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;

use super::index::{Index, Row, RowKind, file_name};
use super::layout::{Kind, Layout};
use super::read::{Body, Member, Stop, read_members};
use super::staged::StagedArchive;
use crate::edit::Mode;
use crate::progress::Reporter;
use crate::source::cache::make_dir;
use crate::source::digest::{CHUNK, Digester};
use crate::source::{Cache, Obtained, SourceError};

/// Unpacks an archive, for as long as the result lives, and keeps in the cache
/// what is in it.
///
/// There is a result only when every member is there and the whole archive was
/// read and found sound; an interrupted, cut or malicious one leaves nothing
/// behind.
///
/// # Errors
/// What is wrong with the archive, or what the system said.
pub fn stage(
    archive: &Obtained,
    cache: &Cache,
    reporter: &Reporter,
) -> Result<StagedArchive, SourceError> {
    let room = cache.workroom()?;
    let index = unpack(archive, room.path(), reporter)?;
    index.keep(&archive.sha256, cache)?;
    let entries = index.entries(room.path());
    Ok(StagedArchive::new(archive, entries, Some(room)))
}

/// What is in an archive that was [staged](stage()) before, without content;
/// none if that is not known.
///
/// # Errors
/// What the system said.
pub fn recall(archive: &Obtained, cache: &Cache) -> Result<Option<StagedArchive>, SourceError> {
    let index = Index::recall(&archive.sha256, cache)?;
    Ok(index.map(|index| StagedArchive::new(archive, index.entries(Utf8Path::new("")), None)))
}

fn unpack(archive: &Obtained, dir: &Utf8Path, reporter: &Reporter) -> Result<Index, SourceError> {
    make_dir(&dir.join("files"))?;
    let mut unpacking = Unpacking::new(dir);
    let path = archive.path.as_path();
    let title = format!("unpacking {}", archive.file_name());
    read_members(path, &title, reporter, |member| unpacking.take(member))?;
    unpacking
        .layout
        .check_links()
        .map_err(|(member, reason)| SourceError::UnsafeMember {
            path: path.to_owned(),
            member,
            reason,
        })?;
    archive.check_unchanged()?;
    let rows = unpacking.rows;
    Ok(Index { rows })
}

struct Unpacking<'a> {
    dir: &'a Utf8Path,
    layout: Layout,
    rows: Vec<Row>,
    by_name: BTreeMap<String, usize>,
    files: usize,
    written: u64,
    buffer: Vec<u8>,
}

impl<'a> Unpacking<'a> {
    fn new(dir: &'a Utf8Path) -> Self {
        Self {
            dir,
            layout: Layout::default(),
            rows: Vec::new(),
            by_name: BTreeMap::new(),
            files: 0,
            written: 0,
            buffer: vec![0; CHUNK],
        }
    }

    fn take(&mut self, member: Member<'_>) -> Result<(), Stop> {
        let Member { name, mode, body } = member;
        if name.is_empty() {
            // The root itself, as `tar -C dir .` writes it.
            return match body {
                Body::Dir => Ok(()),
                _ => Err(Stop::Unsafe(
                    "is not a directory, but the archive's root".to_owned(),
                )),
            };
        }
        let mut row = Row {
            name,
            mode: mode.bits(),
            kind: RowKind::Dir,
        };
        match body {
            Body::Dir => self
                .layout
                .add(&row.name, Kind::Dir)
                .map_err(Stop::Unsafe)?,
            Body::File(len, content) => {
                self.layout
                    .add(&row.name, Kind::File)
                    .map_err(Stop::Unsafe)?;
                row.kind = self.write(mode, len, content)?;
            }
            Body::Symlink(target) => {
                self.layout
                    .add_link(&row.name, &target)
                    .map_err(Stop::Unsafe)?;
                row.kind = RowKind::Symlink { target };
            }
            Body::HardLink(to) => {
                let first = self.by_name.get(&to).and_then(|at| self.rows.get(*at));
                let Some(Row {
                    kind: kind @ RowKind::File { .. },
                    mode,
                    ..
                }) = first
                else {
                    return Err(Stop::Unsafe(format!(
                        "is a hard link to {to:?}, which is no file before it in the archive"
                    )));
                };
                row.mode = *mode;
                row.kind = kind.clone();
                self.layout
                    .add(&row.name, Kind::File)
                    .map_err(Stop::Unsafe)?;
            }
        }
        // As when unpacking with tar, the last of several members of a name counts.
        match self.by_name.get(&row.name) {
            Some(at) => self.rows[*at] = row,
            None => {
                self.by_name.insert(row.name.clone(), self.rows.len());
                self.rows.push(row);
            }
        }
        Ok(())
    }

    fn write(&mut self, mode: Mode, len: u64, content: &mut dyn Read) -> Result<RowKind, Stop> {
        let number = self.files;
        self.files += 1;
        let path = self.dir.join(file_name(number));
        let needed = self.written + len;
        let failed = |error: io::Error| {
            Stop::Other(SourceError::io_needing("unpacking to", &path, Some(needed))(error))
        };
        let mut file = File::create(&path).map_err(failed)?;
        // The mode it will have saves setting it there; but nothing here runs with
        // anybody's rights, and its owner can read it.
        let bits = u32::from(mode.bits()) & 0o777 | 0o400;
        file.set_permissions(Permissions::from_mode(bits))
            .map_err(failed)?;
        let mut digester = Digester::new(None);
        let mut left = len;
        while left > 0 {
            let read = match content.read(&mut self.buffer) {
                Ok(0) => return Err(Stop::Read(io::ErrorKind::UnexpectedEof.into())),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Stop::Read(error)),
            };
            let bytes = &self.buffer[..read];
            digester.update(bytes);
            file.write_all(bytes).map_err(failed)?;
            left = left.saturating_sub(read as u64);
        }
        self.written = needed;
        let digests = digester.finish();
        Ok(RowKind::File {
            file: number,
            len: digests.size,
            sha256: digests.sha256,
        })
    }
}
