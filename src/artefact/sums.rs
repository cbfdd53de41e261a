//! `SHA256SUMS`, as `sha256sum -c` reads it.

use std::fmt::Write;
use std::io::{self, Read};

use camino::Utf8Path;
use sha2::{Digest, Sha256};

use crate::progress::Task;

/// SHA-256 of a file, lower-case hex.
pub fn digest_of(path: &Utf8Path, task: &Task) -> io::Result<String> {
    let mut file = fs_err::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(&buffer[..count]);
        task.advance(count as u64);
    }
}

/// The text of the sums file for `(digest, file name)` pairs.
pub fn sums_file<'a>(sums: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    sums.into_iter()
        .fold(String::new(), |mut text, (digest, name)| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{digest}  {name}");
            text
        })
}
