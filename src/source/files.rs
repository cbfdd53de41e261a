//! Small things done to files, each in one place.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;

use camino::Utf8Path;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::SourceError;

/// Makes a directory and its parents, private to the user.
pub(super) fn make_dir(path: &Utf8Path) -> Result<(), SourceError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(SourceError::io("making", path))
}

/// Removes a file or a whole directory; nothing there is no error.
pub(super) fn remove(path: &Utf8Path) -> Result<(), SourceError> {
    let result = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(SourceError::io("removing", path)(error))
        }
        _ => Ok(()),
    }
}

/// Reads what [`write_json`] wrote; none if it is absent or does not parse.
pub(super) fn read_json<T: DeserializeOwned>(path: &Utf8Path) -> Result<Option<T>, SourceError> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SourceError::io("reading", path)(error)),
    }
}

/// Writes a value so that it is on the disk when this returns.
pub(super) fn write_json(path: &Utf8Path, value: &impl Serialize) -> Result<(), SourceError> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| SourceError::io("writing", path)(error.into()))?;
    File::create(path)
        .and_then(|mut file| {
            io::Write::write_all(&mut file, &bytes)?;
            file.sync_all()
        })
        .map_err(SourceError::io("writing", path))
}
