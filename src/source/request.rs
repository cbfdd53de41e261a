//! What is wanted, and what was got.

use camino::Utf8PathBuf;

use super::blob::Blob;
use super::local::FileIdentity;
use super::location::file_name_in;
use super::{Algorithm, Digest, Location, Sha256, Signature, SourceError};

/// A file that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What people call it, such as `hadoop-3.5.0`.
    pub name: String,
    /// Where it can be had, best place first.
    pub locations: Vec<Location>,
    /// What it must be. Without it, `sidecar` decides.
    pub digest: Option<Digest>,
    /// Who says what it must be, for messages: `the recipe temurin-17`.
    pub authority: String,
    /// How long it must be, where known.
    pub size: Option<u64>,
    /// The publisher's checksum file. Without either, what comes is taken; a
    /// lock file then keeps it from changing.
    pub sidecar: Option<Sidecar>,
    /// A signature that it must have besides.
    pub signature: Option<Signature>,
    /// Whether addresses are asked again although the cache has what they gave
    /// before, where no digest says what that must be.
    pub fresh: bool,
    /// Whether it is an image that may be packed, whose digest is easily taken
    /// for that of the packed file.
    pub may_be_packed: bool,
}

/// A publisher's checksum file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sidecar {
    /// The algorithm it is of.
    pub algorithm: Algorithm,
    /// Addresses of it, best first.
    pub urls: Vec<String>,
}

impl Request {
    /// A file of which nothing is known but where it may be.
    pub fn new(name: impl Into<String>, locations: Vec<Location>) -> Self {
        Self {
            name: name.into(),
            locations,
            digest: None,
            authority: "the request".to_owned(),
            size: None,
            sidecar: None,
            signature: None,
            fresh: false,
            may_be_packed: false,
        }
    }

    /// The addresses among its places.
    pub(super) fn urls(&self) -> impl Iterator<Item = &str> {
        self.locations.iter().filter_map(|location| match location {
            Location::Url(url) => Some(url.as_str()),
            Location::Path(_) => None,
        })
    }

    /// Names the file among all that are downloaded. What an address gave is
    /// told apart for each way it was checked, so that a file once taken
    /// unchecked never stands in for a checked one.
    pub(super) fn key(&self) -> String {
        let checked = match (&self.digest, &self.sidecar) {
            // The same bytes, wherever they come from.
            (Some(digest), _) => return format!("fetch-{}", short(&digest.to_string())),
            (None, Some(sidecar)) => {
                format!("{} {}", sidecar.algorithm.name(), sidecar.urls.join(" "))
            }
            (None, None) => String::new(),
        };
        let urls: Vec<&str> = self.urls().collect();
        let text = format!("{}\n{checked}", urls.join(" "));
        format!("url-{}", Sha256::of(text.as_bytes()))
    }
}

/// As many digits of a digest as a file name should have.
fn short(digest: &str) -> &str {
    digest.get(..64).unwrap_or(digest)
}

/// A file at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obtained {
    /// Where it is: in the cache, or the user's own file.
    pub path: Utf8PathBuf,
    /// Its SHA-256.
    pub sha256: Sha256,
    /// Its length in bytes.
    pub size: u64,
    /// Where it came from, for people. Another machine may have had it from
    /// elsewhere.
    pub from: String,
    /// Which file it was when it was digested.
    pub(super) identity: FileIdentity,
}

impl Obtained {
    pub(super) fn cached(blob: Blob) -> Result<Self, SourceError> {
        let identity = FileIdentity::of(&blob.path)?;
        let Blob {
            path,
            sha256,
            size,
            from,
        } = blob;
        Ok(Self {
            path,
            sha256,
            size,
            from,
            identity,
        })
    }

    /// The file's name where it came from; in the cache it has none.
    pub fn file_name(&self) -> String {
        file_name_in(&self.from)
    }

    /// Whether the file is still the one that was digested. Ask behind every
    /// use of its content: a user's own file may be replaced at any time, and
    /// what was made of it is kept under the digest.
    pub fn check_unchanged(&self) -> Result<(), SourceError> {
        if FileIdentity::of(&self.path)? == self.identity {
            Ok(())
        } else {
            Err(SourceError::Changing {
                path: self.path.clone(),
            })
        }
    }
}
