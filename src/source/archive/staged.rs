//! Unpacked archives at hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use super::known::KnownArchive;
use super::needed::Needed;
use crate::edit::{ArchiveId, Archives, EditError, StagedEntry, StagedKind};
use crate::source::{Obtained, Sha256, SourceError, Workroom};

/// How many links are followed before a chain counts as a circle.
const MOST_LINKS: usize = 40;

/// Size of a filesystem block of Raspberry Pi OS, in bytes
/// (pi-gen `export-image/prerun.sh` leaves mke2fs' default).
const BLOCK: u64 = 4096;

/// An archive unpacked by [`stage`](super::stage()).
#[derive(Clone, Debug)]
pub struct StagedArchive {
    path: Utf8PathBuf,
    sha256: Sha256,
    entries: Vec<StagedEntry>,
    /// The files are there as long as this is.
    _room: Arc<Workroom>,
}

impl StagedArchive {
    pub(super) fn new(archive: &Obtained, entries: Vec<StagedEntry>, room: Workroom) -> Self {
        Self {
            path: archive.path.clone(),
            sha256: archive.sha256,
            entries,
            _room: Arc::new(room),
        }
    }

    /// What edits call it.
    pub fn id(&self) -> ArchiveId {
        ArchiveId(self.sha256.to_string())
    }

    /// Digest of the archive file.
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// The archive file it was unpacked from.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// All members, in archive order.
    pub fn entries(&self) -> &[StagedEntry] {
        &self.entries
    }

    /// The regular files that were unpacked, with their names, places on the host and
    /// lengths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Utf8Path, u64)> {
        self.entries.iter().filter_map(|entry| match &entry.kind {
            StagedKind::File { host, len, .. } => Some((entry.name.as_str(), host.as_path(), *len)),
            StagedKind::Dir | StagedKind::LeftOut { .. } | StagedKind::Symlink { .. } => None,
        })
    }

    /// Whether all content that is needed was unpacked, also of files that have
    /// other names beside one that is not needed, and of those that links lead to.
    pub fn has(&self, needed: &Needed) -> bool {
        self.entries.iter().all(|entry| match &entry.kind {
            StagedKind::LeftOut { .. } => !needed.has(&entry.name, &[]),
            StagedKind::Symlink { .. } if needed.may_look_into(&entry.name, &[]) => {
                !matches!(self.leads_to(&entry.name), Some(StagedKind::LeftOut { .. }))
            }
            StagedKind::Dir | StagedKind::File { .. } | StagedKind::Symlink { .. } => true,
        })
    }

    /// What is worth knowing of it when its files are gone. A whole block for each
    /// directory and each begun one of a file; members that a recipe drops count,
    /// too, so this errs on the large side and depends on no recipe.
    pub fn known(&self) -> KnownArchive {
        let bytes = |member: &StagedEntry| match &member.kind {
            StagedKind::File { len, .. } | StagedKind::LeftOut { len } => {
                len.div_ceil(BLOCK) * BLOCK
            }
            StagedKind::Dir => BLOCK,
            StagedKind::Symlink { .. } => 0,
        };
        KnownArchive {
            content_bytes: self.entries.iter().map(bytes).sum(),
        }
    }

    /// Where the bytes of a member are, following symbolic links of the member
    /// itself; none if it is no file, or its content was left out.
    pub fn file(&self, name: &str) -> Option<&Utf8Path> {
        match self.leads_to(name)? {
            StagedKind::File { host, .. } => Some(host),
            StagedKind::Dir | StagedKind::LeftOut { .. } | StagedKind::Symlink { .. } => None,
        }
    }

    /// Whether a member is a file, following symbolic links of the member itself,
    /// unpacked or not.
    pub fn is_file(&self, name: &str) -> bool {
        let found = self.leads_to(name);
        matches!(
            found,
            Some(StagedKind::File { .. } | StagedKind::LeftOut { .. })
        )
    }

    /// What a member is, or what symbolic links of the member itself lead to.
    fn leads_to(&self, name: &str) -> Option<&StagedKind> {
        let mut name = name.to_owned();
        for _ in 0..MOST_LINKS {
            match &self.entries.iter().find(|entry| entry.name == name)?.kind {
                StagedKind::Symlink { target } => name = beside(&name, target),
                found => return Some(found),
            }
        }
        None
    }

    /// Whether a member, or one below it, has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| {
            entry
                .name
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The content of a file that is known to be small.
    pub(in crate::source) fn text(&self, host: &Utf8Path) -> Result<String, SourceError> {
        let bytes = std::fs::read(host).map_err(SourceError::io("reading", host))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The name that `target` means in a link called `name`.
fn beside(name: &str, target: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The archives that edits of a build may unpack.
#[derive(Clone, Debug, Default)]
pub struct StagedArchives {
    archives: BTreeMap<ArchiveId, StagedArchive>,
}

impl StagedArchives {
    /// Adds an archive.
    pub fn insert(&mut self, archive: StagedArchive) {
        self.archives.insert(archive.id(), archive);
    }

    /// The archive of this name.
    pub fn get(&self, id: &ArchiveId) -> Option<&StagedArchive> {
        self.archives.get(id)
    }
}

impl FromIterator<StagedArchive> for StagedArchives {
    fn from_iter<I: IntoIterator<Item = StagedArchive>>(archives: I) -> Self {
        Self {
            archives: archives
                .into_iter()
                .map(|archive| (archive.id(), archive))
                .collect(),
        }
    }
}

impl Archives for StagedArchives {
    fn members(&self, archive: &ArchiveId) -> Result<&[StagedEntry], EditError> {
        match self.archives.get(archive) {
            Some(archive) => Ok(archive.entries()),
            None => Err(EditError::UnknownArchive(archive.clone())),
        }
    }
}
