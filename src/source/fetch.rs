//! Getting an input from wherever it is.

use std::fs;
use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};

use super::cache::{self, Blob};
use super::error::Attempt;
use super::http::{Client, Failure};
use super::local::{FileIdentity, digests_of_file};
use super::sidecar::digest_for;
use super::{Algorithm, Cache, Digest, Digests, HttpOptions, Location, Sha256, SourceError};
use crate::progress::Reporter;

/// A file that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What people call it, such as `hadoop-3.5.0`.
    pub name: String,
    /// Where it can be had, best place first.
    pub locations: Vec<Location>,
    /// What it must be. Without it, `sidecar` decides.
    pub digest: Option<Digest>,
    /// The publisher's checksum file. Without either, what comes is taken; a
    /// lock file then keeps it from changing.
    pub sidecar: Option<Sidecar>,
}

/// A publisher's checksum file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sidecar {
    /// The algorithm it is of.
    pub algorithm: Algorithm,
    /// Addresses of it, best first.
    pub urls: Vec<String>,
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
    /// Where it came from, for people, manifests and locks.
    pub from: String,
    /// Which file it was when it was digested.
    pub(super) identity: FileIdentity,
}

impl Obtained {
    fn cached(blob: Blob) -> Result<Self, SourceError> {
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

/// Gets files from disk, cache or network.
#[derive(Clone, Debug)]
pub struct Fetcher {
    cache: Cache,
    client: Client,
    /// Whether only files and the cache count.
    pub offline: bool,
    /// Whether addresses without a given digest are asked again although the
    /// cache has what they gave before.
    pub refresh: bool,
}

/// What one location came to.
enum Outcome {
    Found(Obtained),
    /// In vain, but another location may do.
    Failed(String),
}

impl Fetcher {
    /// A fetcher that keeps downloads in `cache`.
    pub fn new(cache: Cache, options: &HttpOptions) -> Result<Self, SourceError> {
        let client = Client::new(options)?;
        Ok(Self {
            cache,
            client,
            offline: false,
            refresh: false,
        })
    }

    /// The cache downloads are kept in.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Gets the file that `request` describes, from the first location that has
    /// it. Nothing with another digest than asked for is returned or kept.
    pub fn obtain(&self, request: &Request, reporter: &Reporter) -> Result<Obtained, SourceError> {
        let mut attempts = Vec::new();
        for location in &request.locations {
            let outcome = match location {
                Location::Path(path) => local(&self.cache, path, request, reporter)?,
                Location::Url(url) => self.remote(url, location, request, reporter)?,
            };
            match outcome {
                Outcome::Found(obtained) => return Ok(obtained),
                Outcome::Failed(reason) => {
                    attempts.push(Attempt {
                        place: location.to_string(),
                        reason,
                    });
                }
            }
        }
        Err(SourceError::Unobtainable {
            name: request.name.clone(),
            attempts,
        })
    }

    fn remote(
        &self,
        url: &str,
        location: &Location,
        request: &Request,
        reporter: &Reporter,
    ) -> Result<Outcome, SourceError> {
        if let Some(blob) = self.cached(url, request)? {
            return Ok(Outcome::Found(Obtained::cached(blob)?));
        }
        if self.offline {
            return Ok(Outcome::Failed(
                "it is not in the cache, and this is offline".to_owned(),
            ));
        }
        let key = format!("fetch-{}", Sha256::of(url.as_bytes()));
        let lock = self.cache.lock(&key, reporter)?;
        // Whoever held the lock before may just have fetched it.
        if !self.refresh
            && let Some(blob) = self.cached(url, request)?
        {
            return Ok(Outcome::Found(Obtained::cached(blob)?));
        }
        let expected = match (&request.digest, &request.sidecar) {
            (Some(digest), _) => Some(*digest),
            (None, Some(sidecar)) => match self.published(sidecar, location, reporter)? {
                Ok(digest) => Some(digest),
                Err(reason) => return Ok(Outcome::Failed(reason)),
            },
            (None, None) => None,
        };
        let partial = self.cache.partial(&lock);
        cache::make_dir(&partial)?;
        let data = partial.join("data");
        let algorithm = expected.map(|digest| digest.algorithm());
        let title = format!("fetching {}", request.name);
        let digests = match self
            .client
            .download(url, &data, algorithm, &title, reporter)
        {
            Ok(digests) => digests,
            Err(failure) => {
                cache::remove(&partial)?;
                return match failure {
                    Failure::Remote { reason, .. } => Ok(Outcome::Failed(reason)),
                    Failure::Local(error) => Err(error),
                };
            }
        };
        if let Some(expected) = &expected
            && !digests.include(expected)
        {
            let reason = mismatch(expected, &digests, &data);
            cache::remove(&partial)?;
            return Ok(Outcome::Failed(reason));
        }
        let Some(blob) = self.cache.insert(&lock, &digests, &location.to_string())? else {
            return Ok(Outcome::Failed(
                "it vanished from the cache at once".to_owned(),
            ));
        };
        self.cache
            .keep_note(&url_note(url, request), &digests.sha256)?;
        if let Some(digest) = digests.of(Algorithm::Sha512) {
            self.cache
                .keep_note(&digest_note(&digest), &digests.sha256)?;
        }
        Ok(Outcome::Found(Obtained::cached(blob)?))
    }

    /// What the cache has for a request: by its digest, or else what the address
    /// gave when it was last asked.
    fn cached(&self, url: &str, request: &Request) -> Result<Option<Blob>, SourceError> {
        let sha256 = match &request.digest {
            Some(Digest::Sha256(sha256)) => Some(*sha256),
            Some(digest) => self.cache.note(&digest_note(digest))?,
            None if self.refresh => None,
            None => self.cache.note(&url_note(url, request))?,
        };
        match sha256 {
            Some(sha256) => self.cache.blob(&sha256),
            None => Ok(None),
        }
    }

    /// The digest that the publisher's checksum file gives; or why it could not
    /// be had.
    fn published(
        &self,
        sidecar: &Sidecar,
        location: &Location,
        reporter: &Reporter,
    ) -> Result<Result<Digest, String>, SourceError> {
        let mut reasons = Vec::new();
        for url in &sidecar.urls {
            let shown = Location::Url(url.clone());
            match self.client.text(url, reporter) {
                Ok(text) => {
                    let place = shown.to_string();
                    match digest_for(&text, sidecar.algorithm, &location.file_name(), &place) {
                        Ok(digest) => return Ok(Ok(digest)),
                        Err(error) => reasons.push(error.to_string()),
                    }
                }
                Err(Failure::Remote { reason, .. }) => reasons.push(format!("{shown}: {reason}")),
                Err(Failure::Local(error)) => return Err(error),
            }
        }
        Ok(Err(format!(
            "it was not fetched, for its published checksum is missing ({}); if you have it from \
             elsewhere, give it as sha256",
            reasons.join("; ")
        )))
    }
}

/// What an address gave is remembered apart for each way it was checked, so that
/// a file once taken unchecked never stands in for a checked one.
fn url_note(url: &str, request: &Request) -> String {
    let checked = match (&request.digest, &request.sidecar) {
        (Some(digest), _) => digest.to_string(),
        (None, Some(sidecar)) => format!("{} {}", sidecar.algorithm.name(), sidecar.urls.join(" ")),
        (None, None) => String::new(),
    };
    format!("url-{}", Sha256::of(format!("{url}\n{checked}").as_bytes()))
}

fn digest_note(digest: &Digest) -> String {
    format!("sha512-{digest}")
}

/// A file of the user's: digested where it is, never copied.
fn local(
    cache: &Cache,
    path: &Utf8Path,
    request: &Request,
    reporter: &Reporter,
) -> Result<Outcome, SourceError> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => {
            return Ok(Outcome::Failed("it is a directory, not a file".to_owned()));
        }
        Ok(meta) if !meta.is_file() => {
            return Ok(Outcome::Failed("it is not a regular file".to_owned()));
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Outcome::Failed("there is no such file".to_owned()));
        }
        Err(error) => return Ok(Outcome::Failed(error.to_string())),
    }
    let also = request.digest.map(|digest| digest.algorithm());
    let (digests, identity) = digests_of_file(cache, path, also, reporter)?;
    if let Some(expected) = &request.digest
        && !digests.include(expected)
    {
        return Ok(Outcome::Failed(mismatch(expected, &digests, path)));
    }
    Ok(Outcome::Found(Obtained {
        path: path.to_owned(),
        sha256: digests.sha256,
        size: digests.size,
        from: path.to_string(),
        identity,
    }))
}

/// Why a file with other digests is not taken.
fn mismatch(expected: &Digest, found: &Digests, data: &Utf8Path) -> String {
    let algorithm = expected.algorithm();
    let found_digest = found
        .of(algorithm)
        .map(|digest| digest.to_string())
        .unwrap_or_default();
    let hint = if is_web_page(data) {
        "it is a web page, so a proxy or a login page may have answered"
    } else {
        "it is damaged, incomplete or another release than expected"
    };
    format!(
        "its {} is {found_digest}, expected {expected}: {hint} ({} bytes)",
        algorithm.name(),
        found.size
    )
}

fn is_web_page(path: &Utf8Path) -> bool {
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(512).read_to_end(&mut head));
    let text = String::from_utf8_lossy(&head)
        .trim_start()
        .to_ascii_lowercase();
    read.is_ok() && (text.starts_with("<!doctype html") || text.starts_with("<html"))
}
