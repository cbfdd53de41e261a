//! What is known of images that were made, so that the next build need not
//! make them again.
//!
//! A record lies in the cache under the name of its image's path, not beside
//! the image: a directory of images that is moved or copied takes none along.
//! It holds digests and block numbers, and no content.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::os::unix::fs::OpenOptionsExt;
use fs_err::{File, OpenOptions};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::BakeError;
use super::doubt::Doubt;
use super::origin::Origin;
use crate::disk::{Delta, Extent, expect_scattered};
use crate::source::{FileIdentity, Sha256};

/// Version of a record and of what is relied on for it; older ones count as
/// none.
const VERSION: u32 = 3;

/// An image that was made, and how to tell that it still is that image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    /// Where the image is, for sweeping.
    image: Utf8PathBuf,
    /// What the image was made from.
    #[serde(flatten)]
    pub(super) origin: Origin,
    /// Which run of the operating system made it: after another one, what was
    /// still in memory may not have reached the disk.
    boot: String,
    identity: FileIdentity,
    /// Blocks that differ from the layer's.
    pub(super) touched: Vec<Extent>,
    /// Digest of those blocks.
    digest: Sha256,
}

/// An image that is as its record says.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) record: Record,
    /// Open for writing, and locked.
    pub(super) file: File,
    /// The blocks that differ from the layer's.
    pub(super) personality: Delta,
}

/// The records of a cache.
#[derive(Clone, Debug)]
pub(super) struct Records {
    dir: Utf8PathBuf,
    boot: Option<String>,
}

impl Records {
    /// Those in the cache at `cache`.
    pub(super) fn new(cache: &Utf8Path) -> Self {
        let boot = fs_err::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        Self {
            dir: cache.join("images"),
            boot: boot.map(|id| id.trim().to_owned()),
        }
    }

    /// The image at `path`, if it is just as it was made.
    ///
    /// # Errors
    /// Every doubt. Whatever the system refuses is one.
    pub(super) fn standing(&self, path: &Utf8Path) -> Result<Standing, Doubt> {
        let record = self.read(path).ok_or(Doubt::Unknown)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(path);
        let file = match file {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Doubt::Unknown);
            }
            Err(_) => return Err(Doubt::Changed),
        };
        expect_scattered(&file);
        let meta = file.metadata().map_err(|_| Doubt::Changed)?;
        // With a second name it is somebody's copy, too.
        if !meta.is_file() || meta.nlink() != 1 || FileIdentity::from(&meta) != record.identity {
            return Err(Doubt::Changed);
        }
        if self.boot.as_ref() != Some(&record.boot) {
            return Err(Doubt::Restarted);
        }
        file.file().try_lock().map_err(|_| Doubt::InUse)?;
        let personality = Delta::read(&file, &record.touched).map_err(|_| Doubt::Changed)?;
        if personality.digest() != record.digest.0 {
            return Err(Doubt::Changed);
        }
        Ok(Standing {
            record,
            file,
            personality,
        })
    }

    /// Gives the finished image `file`, still under its scratch name, a time
    /// that no later write can give it: the clock of the filesystem goes in
    /// steps of milliseconds, this one does not. To be called before the image
    /// gets its final name.
    pub(super) fn stamp(file: &File) -> std::io::Result<SystemTime> {
        let mut now = SystemTime::now();
        if now
            .duration_since(SystemTime::UNIX_EPOCH)
            .is_ok_and(|since| since.subsec_nanos() % 1000 == 0)
        {
            // A whole number of microseconds might be a step.
            now += Duration::from_nanos(1);
        }
        file.file().set_modified(now)?;
        Ok(now)
    }

    /// Takes down what the image at `path` was made from, and that its time is
    /// `stamp`. What could not be relied on later is not taken down.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub(super) fn keep(
        &self,
        path: &Utf8Path,
        stamp: SystemTime,
        origin: &Origin,
        personality: &Delta,
    ) -> Result<(), BakeError> {
        let meta = fs_err::symlink_metadata(path)?;
        let Some(boot) = self.boot.clone() else {
            return Ok(());
        };
        if meta.modified().ok() != Some(stamp) {
            // A filesystem with coarse times, or somebody was quick.
            return Ok(());
        }
        let image = whole(path)?;
        let record = Record {
            version: VERSION,
            origin: origin.clone(),
            boot,
            identity: FileIdentity::from(&meta),
            touched: personality.extents(),
            digest: Sha256(personality.digest()),
            image,
        };
        fs_err::create_dir_all(&self.dir)?;
        let text = serde_json::to_vec(&record).map_err(std::io::Error::from)?;
        let mut temp = tempfile::Builder::new()
            .prefix(".record-")
            .tempfile_in(&self.dir)?;
        temp.write_all(&text)?;
        temp.persist(self.place(&record.image))
            .map_err(|error| error.error)?;
        Ok(())
    }

    /// Removes the records of images that are no longer there. What cannot be
    /// read or removed is left for another time.
    pub(super) fn sweep(&self) {
        let Ok(entries) = self.dir.read_dir_utf8() else {
            return;
        };
        for entry in entries.flatten() {
            let gone = match read(entry.path()) {
                Some(record) => !record.image.exists(),
                // From a build that was killed, or of another version.
                None => true,
            };
            if gone {
                let _ = fs_err::remove_file(entry.path());
            }
        }
    }

    fn read(&self, path: &Utf8Path) -> Option<Record> {
        let image = whole(path).ok()?;
        read(&self.place(&image)).filter(|record| record.image == image)
    }

    fn place(&self, image: &Utf8Path) -> Utf8PathBuf {
        let name = Sha256::of(image.as_str().as_bytes());
        self.dir.join(format!("{name}.json"))
    }
}

fn read(path: &Utf8Path) -> Option<Record> {
    let bytes = fs_err::read(path).ok()?;
    let record: Record = serde_json::from_slice(&bytes).ok()?;
    (record.version == VERSION).then_some(record)
}

/// A path that means the same from everywhere. The image itself need not be
/// there.
fn whole(path: &Utf8Path) -> std::io::Result<Utf8PathBuf> {
    let dir = match path.parent() {
        Some(dir) if dir != "" => dir,
        _ => Utf8Path::new("."),
    };
    let dir = dir.canonicalize_utf8()?;
    Ok(dir.join(path.file_name().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rstest::rstest;

    use super::*;
    use crate::disk::Piece;

    struct Bench {
        _dir: tempfile::TempDir,
        image: Utf8PathBuf,
        records: Records,
    }

    fn origin() -> Origin {
        Origin {
            plan: "plan".to_owned(),
            layer: "layer".to_owned(),
            skeleton: Sha256([7; 32]),
            imprint: None,
        }
    }

    /// An image of which there is a record.
    fn bench() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let image = root.join("a.img");
        fs_err::write(&image, [1; 50_000]).unwrap();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&image)
            .unwrap();
        let piece = Piece {
            at: 9000,
            bytes: vec![2; 100],
        };
        let personality = Delta::of(&file, [piece]).unwrap();
        personality.write(&file, &image).unwrap();
        let records = Records::new(&root.join("cache"));
        let stamp = Records::stamp(&file).unwrap();
        records
            .keep(&image, stamp, &origin(), &personality)
            .unwrap();
        Bench {
            _dir: dir,
            image,
            records,
        }
    }

    #[test]
    fn an_image_that_was_left_alone_stands() {
        let bench = bench();
        let standing = bench.records.standing(&bench.image).unwrap();
        assert_eq!(standing.record.origin, origin());
        assert_eq!(standing.record.touched, [(2, 1)]);
        // By any way to it.
        let around = bench.image.parent().unwrap().join("cache/../a.img");
        drop(standing);
        bench.records.standing(&around).unwrap();
        let record = bench.records.place(&bench.image);
        let mode = fs_err::metadata(record).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    fn cut(image: &Utf8Path) {
        let file = OpenOptions::new().write(true).open(image).unwrap();
        file.set_len(49_999).unwrap();
    }

    fn replace(image: &Utf8Path) {
        let copy = image.with_extension("copy");
        fs_err::copy(image, &copy).unwrap();
        let time = fs_err::metadata(image).unwrap().modified().unwrap();
        let file = File::open(&copy).unwrap();
        file.file().set_modified(time).unwrap();
        fs_err::rename(copy, image).unwrap();
    }

    fn link(image: &Utf8Path) {
        fs_err::hard_link(image, image.with_extension("2")).unwrap();
    }

    fn put_behind_a_link(image: &Utf8Path) {
        let moved = image.with_extension("2");
        fs_err::rename(image, &moved).unwrap();
        std::os::unix::fs::symlink(moved, image).unwrap();
    }

    #[rstest]
    #[case(|image: &Utf8Path| write(image, 9000, 3))]
    #[case(|image: &Utf8Path| write(image, 100, 1))]
    #[case(cut)]
    #[case(replace)]
    #[case(link)]
    #[case(put_behind_a_link)]
    fn an_image_that_was_touched_does_not(#[case] change: impl FnOnce(&Utf8Path)) {
        let bench = bench();
        change(&bench.image);
        let doubt = bench.records.standing(&bench.image).unwrap_err();
        assert_eq!(doubt, Doubt::Changed);
    }

    fn write(image: &Utf8Path, at: u64, byte: u8) {
        use fs_err::os::unix::fs::FileExt;
        let file = OpenOptions::new().write(true).open(image).unwrap();
        file.write_all_at(&[byte], at).unwrap();
    }

    /// A write at once after the record falls into the same step of the
    /// filesystem's clock as often as not.
    #[test]
    fn a_write_is_seen_however_soon_it_comes() {
        for _ in 0..50 {
            let bench = bench();
            write(&bench.image, 40_000, 9);
            assert!(bench.records.standing(&bench.image).is_err());
        }
    }

    #[test]
    fn blocks_are_read_whatever_the_times_say() {
        let bench = bench();
        let place = bench.records.place(&bench.image);
        let mut record = read(&place).unwrap();
        record.digest = Sha256([0; 32]);
        fs_err::write(&place, serde_json::to_vec(&record).unwrap()).unwrap();
        let doubt = bench.records.standing(&bench.image).unwrap_err();
        assert_eq!(doubt, Doubt::Changed);
    }

    #[test]
    fn another_boot_and_another_user_are_doubts() {
        let bench = bench();
        let mut later = bench.records.clone();
        later.boot = Some("another".to_owned());
        assert_eq!(later.standing(&bench.image).unwrap_err(), Doubt::Restarted);
        let reader = File::open(&bench.image).unwrap();
        reader.file().lock_shared().unwrap();
        let doubt = bench.records.standing(&bench.image).unwrap_err();
        assert_eq!(doubt, Doubt::InUse);
    }

    #[test]
    fn a_directory_that_was_moved_has_no_records() {
        let bench = bench();
        let moved = bench.image.parent().unwrap().join("moved");
        fs_err::create_dir(&moved).unwrap();
        fs_err::rename(&bench.image, moved.join("a.img")).unwrap();
        let doubt = bench.records.standing(&moved.join("a.img")).unwrap_err();
        assert_eq!(doubt, Doubt::Unknown);
        assert_eq!(
            bench.records.standing(&bench.image).unwrap_err(),
            Doubt::Unknown
        );
        bench.records.sweep();
        assert_eq!(bench.records.dir.read_dir_utf8().unwrap().count(), 0);
    }

    #[test]
    fn sweeping_keeps_what_is_there() {
        let bench = bench();
        fs_err::write(bench.records.dir.join(".record-x"), "half").unwrap();
        bench.records.sweep();
        assert_eq!(bench.records.dir.read_dir_utf8().unwrap().count(), 1);
        bench.records.standing(&bench.image).unwrap();
    }
}
