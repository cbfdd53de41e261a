//! What the tests of this module share.

use std::fmt::Debug;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::{
    Cache, Fetcher, HttpOptions, Location, LooksInto, Needed, Obtained, Request, SourceError,
    StagedArchive, stage,
};
use crate::edit::Selection;
use crate::progress::Reporter;

/// A directory of the test's own, and its path.
pub(super) fn scratch() -> (TempDir, Utf8PathBuf) {
    let dir = TempDir::new().unwrap();
    let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
    (dir, path)
}

/// Runs a shell command in `dir`.
pub(super) fn sh(dir: &Utf8Path, command: &str) {
    let status = Command::new("sh")
        .args(["-ec", command])
        .current_dir(dir)
        .status()
        .unwrap();
    assert!(status.success(), "{command}");
}

/// The cache of a test whose directory is `root`.
pub(super) fn cache(root: &Utf8Path) -> Cache {
    Cache::open(&root.join("cache")).unwrap()
}

/// A local file, obtained.
pub(super) fn obtained(root: &Utf8Path, path: &Utf8Path) -> Obtained {
    let request = Request::new("archive", vec![Location::Path(path.to_owned())]);
    let fetcher = Fetcher::new(cache(root), &HttpOptions::default()).unwrap();
    fetcher.obtain(&request, &Reporter::silent()).unwrap()
}

/// What is needed of an archive of which images get nothing.
pub(super) fn nothing() -> Needed {
    needed(&["**"])
}

/// What is needed of an archive of which images do not get these.
pub(super) fn needed(drop: &[&str]) -> Needed {
    let drop: Vec<String> = drop.iter().map(|&pattern| pattern.to_owned()).collect();
    Needed::of(Selection::new(0, &drop).unwrap())
}

/// What `inspect` finds in the directory `t` below `root`, packed, where images get
/// all of it; the same must be found where they get nothing.
pub(super) fn inspected<T: Debug>(
    root: &Utf8Path,
    looks_into: LooksInto,
    inspect: impl Fn(&StagedArchive, &Cache) -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    let inspect = |needed: &Needed| {
        let (archive, cache) = stage_some(root, "t", needed);
        inspect(&archive, &cache)
    };
    let seen = inspect(&Needed::all());
    let alike = inspect(&nothing().and_for(looks_into));
    assert_eq!(format!("{alike:?}"), format!("{seen:?}"));
    seen
}

/// The directory `tree` below `root`, packed, and staged as far as needed.
pub(super) fn stage_some(root: &Utf8Path, tree: &str, needed: &Needed) -> (StagedArchive, Cache) {
    sh(
        root,
        &format!("tar -C {tree} --mtime=@0 --sort=name -czf packed.tgz ."),
    );
    let archive = obtained(root, &root.join("packed.tgz"));
    let cache = cache(root);
    let staged = stage(&archive, needed, &cache, &Reporter::silent());
    (staged.unwrap(), cache)
}
