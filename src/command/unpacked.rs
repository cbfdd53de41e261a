//! Compressed images, unpacked for as long as they are looked at.

use std::io::{ErrorKind, Read};

use camino::{Utf8Path, Utf8PathBuf};

use super::Failure;
use super::session::Session;
use crate::bake::DirLock;
use crate::cli::GlobalArgs;
use crate::source::{Format, unpack_image};

/// A raw image: a file as it is, or one unpacked that goes away again.
#[derive(Debug)]
pub(super) enum RawImage {
    /// As it was given.
    Plain(Utf8PathBuf),
    /// Unpacked.
    Unpacked(Unpacked),
}

impl RawImage {
    /// The image that the user named, unpacked if need be.
    pub(super) fn of(image: &Utf8Path, global: &GlobalArgs) -> Result<Self, Failure> {
        match fs_err::metadata(image) {
            Ok(meta) if meta.is_dir() => {
                return Err(Failure::usage(format!(
                    "{image} is a directory, and an image is needed"
                )));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Failure::usage(format!("there is no image {image}")));
            }
            // Devices and pipes are found wanting when they are read.
            _ => {}
        }
        if format_of(image)? == Format::Plain {
            return Ok(Self::Plain(image.to_owned()));
        }
        let session = Session::open(global, false)?;
        Unpacked::of(image, &session).map(Self::Unpacked)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Utf8Path {
        match self {
            Self::Plain(path) => path,
            Self::Unpacked(unpacked) => &unpacked.path,
        }
    }
}

/// An image unpacked for as long as it is looked at.
#[derive(Debug)]
pub(super) struct Unpacked {
    path: Utf8PathBuf,
    _dir: tempfile::TempDir,
    /// Says that somebody is looking.
    _lock: DirLock,
}

impl Unpacked {
    fn of(image: &Utf8Path, session: &Session) -> Result<Self, Failure> {
        let all = session.fetcher.cache().root().join("inspect");
        let entry = DirLock::take(&all, &session.reporter)?;
        remove_forsaken(&all)?;
        let dir = tempfile::tempdir_in(&all)?;
        let path = Utf8PathBuf::from_path_buf(dir.path().join("image.img"))
            .map_err(|path| Failure::usage(format!("{} is not UTF-8", path.display())))?;
        let lock = DirLock::take(path.parent().unwrap_or(&all), &session.reporter)?;
        drop(entry);
        let name = image.file_name().unwrap_or(image.as_str());
        unpack_image(image, name, &path, &session.reporter)
            .map_err(super::supply::source_failure)?;
        Ok(Self {
            path,
            _dir: dir,
            _lock: lock,
        })
    }
}

/// Removes what those left who were killed while they looked: gigabytes that
/// nobody would ask for. The caller holds the lock of the directory, so that
/// nobody begins to look meanwhile.
pub(super) fn remove_forsaken(all: &Utf8Path) -> Result<(), Failure> {
    for entry in all.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && DirLock::try_take(entry.path())?.is_some() {
            match fs_err::remove_dir_all(entry.path()) {
                // Whoever looked has just cleaned up.
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    Ok(())
}

/// How the image is packed, by its first bytes: names lie.
fn format_of(image: &Utf8Path) -> std::io::Result<Format> {
    let mut head = Vec::new();
    fs_err::File::open(image)?
        .take(1 << 16)
        .read_to_end(&mut head)?;
    Ok(Format::of(&head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_inspections_left_goes_and_live_ones_stay() {
        let temp = tempfile::tempdir().unwrap();
        let all = Utf8Path::from_path(temp.path()).unwrap();
        let (live, dead) = (all.join("live"), all.join("dead"));
        let lock = DirLock::try_take(&live).unwrap();
        drop(DirLock::try_take(&dead).unwrap());
        for dir in [&live, &dead] {
            fs_err::write(dir.join("image.img"), "x").unwrap();
        }
        remove_forsaken(all).unwrap();
        assert!(live.join("image.img").exists() && !dead.exists());
        drop(lock);
    }
}
