//! Digests of files and streams.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::str::FromStr;

use camino::Utf8Path;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256 as Sha256State, Sha512 as Sha512State};

use super::SourceError;
use crate::progress::Task;

/// Size of the buffers that streams are read with. Larger gains nothing: the
/// digest is the bottleneck.
pub(super) const CHUNK: usize = 256 * 1024;

/// A digest algorithm that publishers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// SHA-256, 64 hexadecimal digits.
    Sha256,
    /// SHA-512, 128 hexadecimal digits.
    Sha512,
}

impl Algorithm {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
        }
    }

    /// How many hexadecimal digits its digests have.
    pub fn hex_digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256State::digest(bytes).into())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl FromStr for Sha256 {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        match Digest::parse(Algorithm::Sha256, text)? {
            Digest::Sha256(digest) => Ok(digest),
            Digest::Sha512(_) => Err(not_a_digest(Algorithm::Sha256, text)),
        }
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A digest that a file is expected to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Digest {
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-512.
    Sha512([u8; 64]),
}

impl Digest {
    /// Reads the hexadecimal digits of a digest, of any case.
    pub fn parse(algorithm: Algorithm, text: &str) -> Result<Self, SourceError> {
        let wrong = || not_a_digest(algorithm, text);
        let bytes = hex::decode(text.trim()).map_err(|_| wrong())?;
        match algorithm {
            Algorithm::Sha256 => Ok(Self::Sha256(Sha256(
                bytes.try_into().map_err(|_: Vec<u8>| wrong())?,
            ))),
            Algorithm::Sha512 => Ok(Self::Sha512(
                bytes.try_into().map_err(|_: Vec<u8>| wrong())?,
            )),
        }
    }

    /// The algorithm it is of.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(digest) => digest.fmt(f),
            Self::Sha512(bytes) => f.pad(&hex::encode(bytes)),
        }
    }
}

fn not_a_digest(algorithm: Algorithm, text: &str) -> SourceError {
    SourceError::NotADigest {
        text: text.chars().take(140).collect(),
        algorithm: algorithm.name(),
        digits: algorithm.hex_digits(),
    }
}

/// Both digests of one stream and its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Its SHA-256.
    pub sha256: Sha256,
    /// Its SHA-512, where asked for.
    pub sha512: Option<[u8; 64]>,
    /// Its length in bytes.
    pub size: u64,
}

impl Digests {
    /// Whether `expected` is among them; a SHA-512 that was not asked for is
    /// not.
    pub fn include(&self, expected: &Digest) -> bool {
        match expected {
            Digest::Sha256(digest) => *digest == self.sha256,
            Digest::Sha512(bytes) => Some(*bytes) == self.sha512,
        }
    }

    /// The digest of this algorithm, where known.
    pub fn of(&self, algorithm: Algorithm) -> Option<Digest> {
        match algorithm {
            Algorithm::Sha256 => Some(Digest::Sha256(self.sha256)),
            Algorithm::Sha512 => self.sha512.map(Digest::Sha512),
        }
    }
}

/// Digests a stream as it passes; use as a writer, or around one with
/// [`Hashing`].
#[derive(Clone, Debug)]
pub struct Digester {
    sha256: Sha256State,
    sha512: Option<Sha512State>,
    size: u64,
}

impl Digester {
    /// A digester of SHA-256 and, if `also` says so, SHA-512.
    pub fn new(also: Option<Algorithm>) -> Self {
        let sha512 = (also == Some(Algorithm::Sha512)).then(Sha512State::new);
        Self {
            sha256: Sha256State::new(),
            sha512,
            size: 0,
        }
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(sha512) = &mut self.sha512 {
            sha512.update(bytes);
        }
        self.size += bytes.len() as u64;
    }

    /// The digests of everything taken in.
    pub fn finish(self) -> Digests {
        Digests {
            sha256: Sha256(self.sha256.finalize().into()),
            sha512: self.sha512.map(|state| state.finalize().into()),
            size: self.size,
        }
    }
}

/// Passes reads or writes through and digests them.
#[derive(Debug)]
pub struct Hashing<S> {
    inner: S,
    digester: Digester,
}

impl<S> Hashing<S> {
    /// Digests what passes to or from `inner`.
    pub fn new(inner: S, also: Option<Algorithm>) -> Self {
        Self {
            inner,
            digester: Digester::new(also),
        }
    }

    /// The stream and the digests of what has passed.
    pub fn finish(self) -> (S, Digests) {
        (self.inner, self.digester.finish())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digester.update(&buffer[..read]);
        Ok(read)
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digester.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Digests the file at `path`, advancing `task` by its bytes.
pub fn digest_file(
    path: &Utf8Path,
    also: Option<Algorithm>,
    task: &Task,
) -> Result<Digests, SourceError> {
    let mut file = File::open(path).map_err(SourceError::io("opening", path))?;
    let mut digester = Digester::new(also);
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(digester.finish()),
            Ok(read) => {
                digester.update(&buffer[..read]);
                task.advance(read as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SourceError::io("reading", path)(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of "abc" (FIPS 180-2, appendices B and C).
    const ABC_256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const ABC_512: &str = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                           2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    #[test]
    fn streams_are_digested_both_ways() {
        let mut reader = Hashing::new(&b"abc"[..], Some(Algorithm::Sha512));
        let mut writer = Hashing::new(Vec::new(), None);
        io::copy(&mut reader, &mut writer).unwrap();
        let (_, read) = reader.finish();
        let (bytes, written) = writer.finish();
        assert_eq!(bytes, b"abc");
        assert_eq!(read.sha256.to_string(), ABC_256);
        assert_eq!(read.of(Algorithm::Sha512).unwrap().to_string(), ABC_512);
        assert_eq!(read.size, 3);
        assert_eq!(written.sha256, read.sha256);
        assert_eq!(written.sha512, None);
    }

    #[test]
    fn digests_parse_in_any_case_and_only_whole() {
        let upper = Digest::parse(Algorithm::Sha512, &ABC_512.to_uppercase()).unwrap();
        assert_eq!(upper.to_string(), ABC_512);
        for bad in [
            "",
            "ba78",
            ABC_512,
            &ABC_256[1..],
            &ABC_256.replace('b', "x"),
        ] {
            assert!(
                Digest::parse(Algorithm::Sha256, bad).is_err(),
                "{bad:?} was accepted"
            );
        }
    }

    #[test]
    fn a_missing_sha512_matches_nothing() {
        let digests = Digester::new(None).finish();
        let zero = Digest::Sha512([0; 64]);
        assert!(!digests.include(&zero));
    }
}
