//! Images in the output directory.

use camino::{Utf8Path, Utf8PathBuf};

use super::unpacked::RawImage;
use super::{Failure, bake_failure};
use crate::bake::{BakeError, DirLock, SeenImage};
use crate::cli::GlobalArgs;

/// Ends of the names of images that were compressed for release.
const COMPRESSED: [&str; 3] = [".xz", ".zst", ".gz"];

/// An image that was built, as it lies in the output directory.
#[derive(Debug)]
pub(super) struct Built {
    /// What it is called.
    pub(super) named: Utf8PathBuf,
    /// It, unpacked if need be.
    pub(super) raw: RawImage,
}

impl Built {
    /// The image called `name` in `out`, or its compressed form if that is all
    /// there is.
    pub(super) fn find(
        out: &Utf8Path,
        name: &str,
        global: &GlobalArgs,
    ) -> Result<Option<Self>, Failure> {
        let plain = out.join(name);
        let packed = COMPRESSED.map(|end| Utf8PathBuf::from(format!("{plain}{end}")));
        let mut found = std::iter::once(plain).chain(packed);
        match found.find(|path| path.is_file()) {
            None => Ok(None),
            Some(named) => {
                let raw = RawImage::of(&named, global)?;
                Ok(Some(Self { named, raw }))
            }
        }
    }
}

/// Keeps builds out of the directory while its images are read. Where there is
/// none, or it cannot be written to, nobody builds.
pub(super) fn lock(out: &Utf8Path) -> Result<Option<DirLock>, Failure> {
    if !out.is_dir() {
        return Ok(None);
    }
    match DirLock::take_unless_busy(out) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => Err(bake_failure(BakeError::Busy(out.to_owned()))),
        Err(_) => Ok(None),
    }
}

/// Images of nodes in `out` beside those with these names.
pub(super) fn strays(out: &Utf8Path, planned: &[&str]) -> Result<Vec<Utf8PathBuf>, Failure> {
    let mut found = Vec::new();
    if !out.is_dir() {
        return Ok(found);
    }
    for entry in out.read_dir_utf8()? {
        let path = entry?.into_path();
        let name = path.file_name().unwrap_or_default();
        if name.starts_with('.') || !name.ends_with(".img") || planned.contains(&name) {
            continue;
        }
        // Other images may lie there too: only a node's is one too many.
        if SeenImage::open(&path).is_ok_and(|image| image.is_node()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
