//! A raw base image, on its way from the packed one into a layer.

use std::fs::{self, File};
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::files::{make_dir, read_json, write_json};
use super::image::unpack_image;
use super::workroom::Workroom;
use super::{Cache, Obtained, Sha256, SourceError};
use crate::progress::Reporter;

/// Where in the cache raw images wait.
const BASES: &str = "bases";

/// A raw base image that belongs to this process, which may make something else
/// of it. It goes when this is dropped, unless it is [given](Self::give) away or
/// [kept](Self::keep).
///
/// A copy of it would cost as much as all the rest of a layer, and once there is
/// a layer, nobody asks for the raw image: a second layer of the same base is
/// worth unpacking it again.
#[derive(Debug)]
pub struct RawBase {
    path: Utf8PathBuf,
    sha256: Sha256,
    /// What it has as a name in the cache.
    place: Utf8PathBuf,
    _room: Workroom,
}

/// What is kept beside a raw image.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    sha256: Sha256,
}

impl RawBase {
    /// The image in `packed`: the one that was kept, or unpacked now.
    ///
    /// # Errors
    /// Those of [`unpack_image`].
    pub fn of(packed: &Obtained, cache: &Cache, reporter: &Reporter) -> Result<Self, SourceError> {
        let place = cache
            .root()
            .join(BASES)
            .join(format!("{}.img", packed.sha256));
        let room = cache.workroom()?;
        let path = room.path().join("base.img");
        let kept = match read_json::<Kept>(&note_of(&place))? {
            Some(kept) => match fs::rename(&place, &path) {
                Ok(()) => Some(kept.sha256),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(SourceError::io("taking", &place)(error)),
            },
            None => None,
        };
        let sha256 = match kept {
            Some(sha256) => sha256,
            None => {
                let name = packed.file_name();
                unpack_image(&packed.path, &name, &path, reporter)?.sha256
            }
        };
        Ok(Self {
            path,
            sha256,
            place,
            _room: room,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Digest of its bytes.
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// Makes it the file `to`, on the filesystem of the cache.
    ///
    /// # Errors
    /// It cannot be renamed.
    pub fn give(self, to: &Utf8Path) -> Result<(), SourceError> {
        fs::rename(&self.path, to).map_err(SourceError::io("naming", to))
    }

    /// Leaves it in the cache for whoever asks next.
    ///
    /// # Errors
    /// It cannot be written out or named.
    pub fn keep(self) -> Result<(), SourceError> {
        let Self { path, place, .. } = &self;
        if let Some(dir) = place.parent() {
            make_dir(dir)?;
        }
        // Its name says that it is whole, after a power cut too.
        File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(SourceError::io("writing", path))?;
        let sha256 = self.sha256;
        write_json(&note_of(place), &Kept { sha256 })?;
        fs::rename(path, place).map_err(SourceError::io("naming", place))
    }
}

/// Where the digest of the image at `place` is kept.
fn note_of(place: &Utf8Path) -> Utf8PathBuf {
    place.with_extension("json")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cache, obtained, scratch};
    use super::*;
    use crate::progress::Recorded;

    #[test]
    fn a_base_is_kept_until_somebody_takes_it() {
        let (_dir, root) = scratch();
        let mut disk = vec![0; 1 << 20];
        disk[510..512].copy_from_slice(&[0x55, 0xaa]);
        fs::write(root.join("disk.img"), &disk).unwrap();
        let packed = obtained(&root, &root.join("disk.img"));
        let cache = cache(&root);
        let (reporter, heard) = Recorded::reporter();
        let unpacked = || heard.titles().len();

        let base = RawBase::of(&packed, &cache, &reporter).unwrap();
        assert_eq!(base.sha256(), Sha256::of(&disk));
        let path = base.path().to_owned();
        drop(base);
        assert!(!path.exists());
        RawBase::of(&packed, &cache, &reporter)
            .unwrap()
            .keep()
            .unwrap();
        assert_eq!(unpacked(), 2);

        let base = RawBase::of(&packed, &cache, &reporter).unwrap();
        assert_eq!(unpacked(), 2);
        assert_eq!(base.sha256(), Sha256::of(&disk));
        // Meanwhile it is nobody else's.
        let other = RawBase::of(&packed, &cache, &reporter).unwrap();
        assert_eq!(unpacked(), 3);
        assert_ne!(base.path(), other.path());
        base.give(&root.join("layer.img")).unwrap();
        assert!(fs::read(root.join("layer.img")).unwrap() == disk);
    }

    #[test]
    fn what_cannot_be_unpacked_leaves_nothing() {
        let (_dir, root) = scratch();
        fs::write(root.join("x.img"), "no disk").unwrap();
        let packed = obtained(&root, &root.join("x.img"));
        let cache = cache(&root);
        assert!(RawBase::of(&packed, &cache, &Reporter::silent()).is_err());
        assert_eq!(
            cache
                .root()
                .join("partial")
                .read_dir_utf8()
                .unwrap()
                .count(),
            0
        );
    }
}
