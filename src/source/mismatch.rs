//! Why a file with other digests is not taken.

use std::fs;
use std::io::Read;

use camino::Utf8Path;

use super::decompress::{stream_error, with_decoded};
use super::digest::Digester;
use super::format::Format;
use super::{Digest, Digests, Request, Sha256, SourceError};
use crate::progress::Reporter;

/// Why the file at `data` is not what `request` is about, in words.
pub(super) fn mismatch(
    request: &Request,
    expected: &Digest,
    found: &Digests,
    data: &Utf8Path,
    reporter: &Reporter,
) -> String {
    let algorithm = expected.algorithm();
    let found_digest = found
        .of(algorithm)
        .map(|digest| digest.to_string())
        .unwrap_or_default();
    let hint = if is_web_page(data) {
        "it is a web page, so a proxy or a login page may have answered".to_owned()
    } else if let Digest::Sha256(expected) = expected
        && request.may_be_packed
        && is_of_what_is_packed(expected, data, reporter)
    {
        format!(
            "that is the digest of the image in it, not of the file itself, which is packed; \
             write sha256 = \"{}\"",
            found.sha256
        )
    } else {
        "it is damaged, incomplete or another release than expected".to_owned()
    };
    format!(
        "its {} is {found_digest}, but {} says {expected}: {hint} ({} bytes)",
        algorithm.name(),
        request.authority,
        found.size
    )
}

/// Whether a packed file has this digest inside. It is looked into only after
/// the digest of the file itself did not fit, so that the time does not matter.
fn is_of_what_is_packed(expected: &Sha256, data: &Utf8Path, reporter: &Reporter) -> bool {
    let title = "looking for what the digest is of";
    let inside = with_decoded(data, title, reporter, |reader, format| {
        if format == Format::Plain {
            return Ok(None);
        }
        let mut digester = Digester::new(None);
        loop {
            let chunk = reader
                .chunk()
                .map_err(|error| stream_error(data, format.name(), error))?;
            if chunk.is_empty() {
                return Ok(Some(digester.finish().sha256));
            }
            digester.update(chunk);
            let count = chunk.len();
            reader.consume(count);
        }
    });
    // A file that does not decode is none that holds anything.
    matches!(inside, Ok(Some(digest)) if digest == *expected)
}

/// Judges the digest of an unpacked image against what `authority` says it is.
///
/// # Errors
/// It is another; `packed` tells whether it is that of the packed file, which
/// someone took for it.
pub fn check_image(
    name: &str,
    found: &Sha256,
    expected: &Sha256,
    packed: &Sha256,
    authority: &str,
) -> Result<(), SourceError> {
    if found == expected {
        return Ok(());
    }
    Err(SourceError::WrongImage {
        name: name.to_owned(),
        found: found.to_string(),
        expected: expected.to_string(),
        authority: authority.to_owned(),
        hint: if expected == packed {
            "that is the digest of the packed file, which belongs in sha256; unpacked_sha256 is \
             that of the image in it"
        } else {
            "the packed file is right, so one of the two digests is of another release"
        },
    })
}

fn is_web_page(path: &Utf8Path) -> bool {
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(512).read_to_end(&mut head));
    let text = String::from_utf8_lossy(&head)
        .trim_start()
        .to_ascii_lowercase();
    read.is_ok() && (text.starts_with("<!doctype html") || text.starts_with("<html"))
}
