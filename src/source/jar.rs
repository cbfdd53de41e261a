//! Members of jars, which are zip archives.

use std::fs::File;
use std::io::{BufReader, Read};

use camino::Utf8Path;
use zip::ZipArchive;
use zip::result::ZipError;

use super::SourceError;

/// Most bytes of a member that is read from a jar. The longest, Hadoop's
/// `hdfs-default.xml`, has under 300 KiB.
const MEMBER_LIMIT: u64 = 16 << 20;

fn open(jar: &Utf8Path) -> Result<ZipArchive<BufReader<File>>, SourceError> {
    let file = File::open(jar).map_err(SourceError::io("opening", jar))?;
    ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(jar, &error))
}

fn damaged(jar: &Utf8Path, error: &ZipError) -> SourceError {
    SourceError::Damaged {
        path: jar.to_owned(),
        format: "jar",
        detail: error.to_string(),
    }
}

/// The content of a member of a jar, if it is there.
pub(super) fn member(jar: &Utf8Path, name: &str) -> Result<Option<Vec<u8>>, SourceError> {
    let mut archive = open(jar)?;
    let member = match archive.by_name(name) {
        Ok(member) => member,
        Err(ZipError::FileNotFound) => return Ok(None),
        Err(error) => return Err(damaged(jar, &error)),
    };
    let mut bytes = Vec::new();
    let read = member.take(MEMBER_LIMIT).read_to_end(&mut bytes);
    read.map_err(|error| damaged(jar, &ZipError::Io(error)))?;
    Ok(Some(bytes))
}

/// Whether a jar has a member whose name begins like this.
pub(super) fn has_member(jar: &Utf8Path, prefix: &str) -> Result<bool, SourceError> {
    Ok(open(jar)?
        .file_names_raw()
        .any(|name| name.starts_with(prefix.as_bytes())))
}
