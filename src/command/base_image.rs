//! The raw base image, unpacked in the cache.

use std::io;
use std::thread::{self, JoinHandle};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use serde::{Deserialize, Serialize};

use super::Failure;
use super::session::Session;
use super::supply::{Supplied, source_failure};
use crate::bake::{self, DirLock};
use crate::hadoop::{self, BaseJvmFacts};
use crate::plan::BaseFacts;
use crate::recipe::Arch;
use crate::source::{Obtained, Sha256, UNPACKING, check_image, unpack_image};

/// A raw base image, and what is in it.
#[derive(Debug)]
pub(super) struct BaseImage {
    /// The file.
    pub(super) path: Utf8PathBuf,
    /// What a plan needs to know of it.
    pub(super) facts: BaseFacts,
    /// What a Java runtime needs of it.
    pub(super) jvm: BaseJvmFacts,
    /// Unpacked just now: on its way to the disk.
    pub(super) settling: Option<Settling>,
}

/// A file on its way to the disk, in the background; dropping waits for it.
#[derive(Debug)]
pub(super) struct Settling(Option<JoinHandle<()>>);

impl Settling {
    /// Waits on a thread of its own until the file at `path` is on the disk, and
    /// does `then`. If either fails, nobody relies on the file later.
    fn begin(path: Utf8PathBuf, then: impl FnOnce() -> io::Result<()> + Send + 'static) -> Self {
        Self(Some(thread::spawn(move || {
            let _ = File::open(path)
                .and_then(|file| file.sync_all())
                .and_then(|()| then());
        })))
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            let _ = thread.join();
        }
    }
}

/// What is kept beside an unpacked base image.
#[derive(Debug, Serialize, Deserialize)]
struct UnpackedBase {
    sha256: String,
}

impl BaseImage {
    /// Unpacks a base image, unless that was done before, sees that it is the
    /// one it should be, and looks into it.
    pub(super) fn open(supplied: &Supplied, session: &Session) -> Result<Self, Failure> {
        let (path, sha256, settling) = unpacked(&supplied.file, session)?;
        let wanted = &supplied.wanted;
        if let Some(expected) = &wanted.unpacked {
            let found: Sha256 = sha256.parse().map_err(source_failure)?;
            let packed = &supplied.file.sha256;
            check_image(
                &wanted.origin,
                &found,
                expected,
                packed,
                &wanted.request.authority,
            )
            .map_err(source_failure)?;
        }
        let (facts, jvm) = bake::survey(&path, &sha256, &wanted.origin).map_err(|error| {
            // The error speaks of the unpacked copy, whose name says nothing.
            let doing = format!("the base image {} cannot be used", wanted.origin);
            super::bake_failure(error).context(doing)
        })?;
        Ok(Self {
            path,
            facts,
            jvm,
            settling,
        })
    }

    /// What its programs are compiled for.
    pub(super) fn arch(&self) -> Result<Arch, Failure> {
        match self.jvm.arch {
            hadoop::Arch::Aarch64 => Ok(Arch::Arm64),
            hadoop::Arch::X86_64 => Ok(Arch::Amd64),
            other => Err(Failure::usage(format!(
                "the base image is for {other}; take a 64-bit one"
            ))),
        }
    }
}

/// The raw image of a base, unpacked once into the cache, with its digest.
fn unpacked(
    obtained: &Obtained,
    session: &Session,
) -> Result<(Utf8PathBuf, String, Option<Settling>), Failure> {
    let dir = session.fetcher.cache().root().join("bases");
    let image = dir.join(format!("{}.img", obtained.sha256));
    let note = dir.join(format!("{}.json", obtained.sha256));
    let lock = DirLock::take(&dir, &session.reporter)?;
    if let (true, Ok(text)) = (image.is_file(), fs_err::read_to_string(&note))
        && let Ok(known) = serde_json::from_str::<UnpackedBase>(&text)
    {
        return Ok((image, known.sha256, None));
    }
    remove_half_unpacked(&dir)?;
    let name = obtained.file_name();
    let unpacked =
        unpack_image(&obtained.path, &name, &image, &session.reporter).map_err(source_failure)?;
    let known = UnpackedBase {
        sha256: unpacked.sha256.to_string(),
    };
    let text = serde_json::to_string(&known).map_err(Failure::bug)?;
    // The note says that the image is whole, after a power cut too. The build
    // goes on meanwhile; others wait.
    let settling = Settling::begin(image.clone(), move || {
        fs_err::write(note, text)?;
        drop(lock);
        Ok(())
    });
    Ok((image, known.sha256, Some(settling)))
}

/// Removes what a killed process left: gigabytes that nobody would ever ask
/// for. The caller holds the lock of the directory, so nobody is at work there.
fn remove_half_unpacked(dir: &Utf8Path) -> Result<(), Failure> {
    for entry in dir.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_name().starts_with(UNPACKING) {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}
