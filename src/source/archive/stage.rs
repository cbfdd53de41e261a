//! Unpacking an archive.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;

use super::layout::{Kind, Layout};
use super::needed::{HEAD, Needed};
use super::read::{Body, Member, Stop, read_members};
use super::staged::StagedArchive;
use crate::edit::{Mode, StagedEntry, StagedKind};
use crate::progress::Reporter;
use crate::source::cache::make_dir;
use crate::source::digest::{CHUNK, Digester};
use crate::source::{Cache, Obtained, SourceError};

/// Unpacks an archive, for as long as the result lives, and keeps in the cache
/// what is [known](StagedArchive::known) of it.
///
/// There is a result only when every member is there and the whole archive was
/// read and found sound; an interrupted, cut or malicious one leaves nothing
/// behind. Files whose content is not `needed` are read past: they are checked
/// like the others, and no byte of them reaches a file.
///
/// # Errors
/// What is wrong with the archive, or what the system said.
pub fn stage(
    archive: &Obtained,
    needed: &Needed,
    cache: &Cache,
    reporter: &Reporter,
) -> Result<StagedArchive, SourceError> {
    let mut staged = unpack(archive, needed, cache, reporter)?;
    if !staged.has(needed) {
        // A link showed, too late, that a file read past was needed after all. No
        // publisher's archive is known to have one, so it need not be clever.
        drop(staged);
        staged = unpack(archive, &Needed::all(), cache, reporter)?;
    }
    staged.known().keep(&archive.sha256, cache)?;
    Ok(staged)
}

/// What one reading of the archive gives.
fn unpack(
    archive: &Obtained,
    needed: &Needed,
    cache: &Cache,
    reporter: &Reporter,
) -> Result<StagedArchive, SourceError> {
    let room = cache.workroom()?;
    make_dir(&room.path().join("files"))?;
    let mut unpacking = Unpacking::new(room.path(), needed);
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
    let entries = unpacking.entries;
    Ok(StagedArchive::new(archive, entries, room))
}

struct Unpacking<'a> {
    dir: &'a Utf8Path,
    needed: &'a Needed,
    layout: Layout,
    entries: Vec<StagedEntry>,
    by_name: BTreeMap<String, usize>,
    files: usize,
    written: u64,
    buffer: Vec<u8>,
}

impl<'a> Unpacking<'a> {
    fn new(dir: &'a Utf8Path, needed: &'a Needed) -> Self {
        Self {
            dir,
            needed,
            layout: Layout::default(),
            entries: Vec::new(),
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
        let mut entry = StagedEntry {
            name,
            mode,
            kind: StagedKind::Dir,
        };
        match body {
            Body::Dir => self
                .layout
                .add(&entry.name, Kind::Dir)
                .map_err(Stop::Unsafe)?,
            Body::File(len, content) => {
                self.layout
                    .add(&entry.name, Kind::File)
                    .map_err(Stop::Unsafe)?;
                entry.kind = self.file(&entry.name, mode, len, content)?;
            }
            Body::Symlink(target) => {
                self.layout
                    .add_link(&entry.name, &target)
                    .map_err(Stop::Unsafe)?;
                entry.kind = StagedKind::Symlink { target };
            }
            Body::HardLink(to) => {
                let first = self.by_name.get(&to).and_then(|at| self.entries.get(*at));
                let Some(StagedEntry {
                    kind: kind @ (StagedKind::File { .. } | StagedKind::LeftOut { .. }),
                    mode,
                    ..
                }) = first
                else {
                    return Err(Stop::Unsafe(format!(
                        "is a hard link to {to:?}, which is no file before it in the archive"
                    )));
                };
                entry.mode = *mode;
                entry.kind = kind.clone();
                self.layout
                    .add(&entry.name, Kind::File)
                    .map_err(Stop::Unsafe)?;
            }
        }
        // As when unpacking with tar, the last of several members of a name counts.
        match self.by_name.get(&entry.name) {
            Some(at) => self.entries[*at] = entry,
            None => {
                self.by_name.insert(entry.name.clone(), self.entries.len());
                self.entries.push(entry);
            }
        }
        Ok(())
    }

    /// Takes the content of a file, or reads past it.
    fn file(
        &mut self,
        name: &str,
        mode: Mode,
        len: u64,
        content: &mut dyn Read,
    ) -> Result<StagedKind, Stop> {
        let head = len.min(HEAD as u64) as usize;
        let mut begun = 0;
        while begun < head {
            begun += read_some(content, &mut self.buffer[begun..])?;
        }
        if self.needed.has(name, &self.buffer[..head]) {
            return self.write(mode, len, begun, content);
        }
        let mut left = len - begun as u64;
        while left > 0 {
            left -= read_some(content, &mut self.buffer)? as u64;
        }
        Ok(StagedKind::LeftOut { len })
    }

    /// Writes a file whose first `begun` bytes are in the buffer.
    fn write(
        &mut self,
        mode: Mode,
        len: u64,
        begun: usize,
        content: &mut dyn Read,
    ) -> Result<StagedKind, Stop> {
        let path = self.dir.join(format!("files/{:06}", self.files));
        self.files += 1;
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
        let (mut left, mut read) = (len, begun);
        loop {
            let bytes = &self.buffer[..read];
            digester.update(bytes);
            file.write_all(bytes).map_err(failed)?;
            left -= read as u64;
            if left == 0 {
                break;
            }
            read = read_some(content, &mut self.buffer)?;
        }
        self.written = needed;
        let digests = digester.finish();
        Ok(StagedKind::File {
            host: path,
            len: digests.size,
            sha256: digests.sha256.0,
        })
    }
}

/// Reads at least a byte of a file's content, of which there is more.
fn read_some(content: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, Stop> {
    loop {
        match content.read(buffer) {
            Ok(0) => return Err(Stop::Read(io::ErrorKind::UnexpectedEof.into())),
            Ok(read) => return Ok(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Stop::Read(error)),
        }
    }
}
