//! Getting an input from wherever it is.

use std::fs::{self, File};
use std::io::Read as _;

use camino::Utf8Path;

use super::blob::Blob;
use super::cache::CacheLock;
use super::digest::CHUNK;
use super::download::Download;
use super::error::Attempt;
use super::failure::Failure;
use super::http::Client;
use super::local::digests_of_file;
use super::location::without_password;
use super::mirror::Held;
use super::mismatch::mismatch;
use super::partial::Partial;
use super::{
    Algorithm, Cache, Digest, HttpOptions, Location, Mirror, Obtained, Request, Sha256, SourceError,
};
use crate::progress::Reporter;

/// Gets files from disk, cache, mirrors or network.
#[derive(Clone, Debug)]
pub struct Fetcher {
    pub(super) cache: Cache,
    pub(super) client: Client,
    /// Directories and addresses to look for files in before the addresses they
    /// are published at.
    pub mirrors: Vec<Mirror>,
    /// Whether nothing is asked of any server.
    pub offline: bool,
}

/// What one place came to.
enum Outcome {
    Found(Obtained),
    /// In vain, but another place may do.
    Failed(String),
}

impl Fetcher {
    /// A fetcher that keeps downloads in `cache`.
    pub fn new(cache: Cache, options: &HttpOptions) -> Result<Self, SourceError> {
        Ok(Self {
            cache,
            client: Client::new(options)?,
            mirrors: Vec::new(),
            offline: false,
        })
    }

    /// The cache downloads are kept in.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Gets the file that `request` describes, from the first place that has
    /// it. Nothing with another digest than asked for is returned or kept.
    pub fn obtain(&self, request: &Request, reporter: &Reporter) -> Result<Obtained, SourceError> {
        let mut attempts = Vec::new();
        for location in &request.locations {
            let Location::Path(path) = location else {
                continue;
            };
            match self.local(path, request, reporter)? {
                Outcome::Found(obtained) => return Ok(obtained),
                Outcome::Failed(reason) => attempts.push(Attempt {
                    place: location.to_string(),
                    reason,
                }),
            }
        }
        if request.urls().next().is_some()
            && let Some(obtained) = self.remote(request, &mut attempts, reporter)?
        {
            return Ok(obtained);
        }
        Err(SourceError::Unobtainable {
            name: request.name.clone(),
            attempts,
        })
    }

    fn remote(
        &self,
        request: &Request,
        attempts: &mut Vec<Attempt>,
        reporter: &Reporter,
    ) -> Result<Option<Obtained>, SourceError> {
        if let Some(blob) = self.cached(request, reporter)? {
            return self.signed(blob, request, attempts, reporter);
        }
        let lock = self.cache.lock(&request.key(), reporter)?;
        // Whoever held the lock before may just have fetched it.
        if let Some(blob) = self.cached(request, reporter)? {
            return self.signed(blob, request, attempts, reporter);
        }
        let expected = match self.expected(request, reporter)? {
            Ok(expected) => expected,
            Err(reason) => {
                attempts.extend(request.urls().map(|url| Attempt {
                    place: without_password(url),
                    reason: reason.clone(),
                }));
                return Ok(None);
            }
        };
        // What a checksum file says may have come by another address.
        if let Some(Digest::Sha256(sha256)) = &expected
            && let Some(blob) = self.cache.blob(sha256, reporter)?
        {
            self.remember(request, sha256, None)?;
            return self.signed(blob, request, attempts, reporter);
        }
        for place in self.places(request) {
            let reason = match self.bring(&place, request, expected.as_ref(), &lock, reporter)? {
                Outcome::Found(obtained) => return Ok(Some(obtained)),
                Outcome::Failed(reason) => reason,
            };
            attempts.push(Attempt {
                place: place.to_string(),
                reason,
            });
        }
        if self.offline {
            attempts.extend(request.urls().map(|url| Attempt {
                place: without_password(url),
                reason: "it is not in the cache, and this is offline".to_owned(),
            }));
        }
        Ok(None)
    }

    /// Every place to look in: copies in mirrors first, then where the file is
    /// published.
    fn places(&self, request: &Request) -> Vec<Held> {
        let published = request.urls().map(|url| Held::Url(url.to_owned()));
        self.copies(request.urls())
            .into_iter()
            .chain(published.filter(|_| !self.offline))
            .collect()
    }

    /// What mirrors may have of something that is published at `urls`.
    pub(super) fn copies<'u>(&self, urls: impl Iterator<Item = &'u str>) -> Vec<Held> {
        let urls: Vec<&str> = urls.collect();
        let mut copies = Vec::new();
        for mirror in &self.mirrors {
            if self.offline && !mirror.is_directory() {
                continue;
            }
            for copy in urls.iter().filter_map(|url| mirror.copy_of(url)) {
                // Several addresses often end in one name.
                if !copies.contains(&copy) {
                    copies.push(copy);
                }
            }
        }
        copies
    }

    /// Brings the file from one place into the cache, if it is the right one.
    fn bring(
        &self,
        place: &Held,
        request: &Request,
        expected: Option<&Digest>,
        lock: &CacheLock,
        reporter: &Reporter,
    ) -> Result<Outcome, SourceError> {
        let also = expected.map(Digest::algorithm);
        if let (Held::File(path), Some(expected)) = (place, expected) {
            // Before what a server gave is thrown away for it.
            let title = format!("reading {}", path.file_name().unwrap_or(path.as_str()));
            let found = digests_of_file(&self.cache, path, also, title, reporter)?.0;
            if !found.include(expected) {
                let reason = mismatch(request, expected, &found, path, reporter);
                return Ok(Outcome::Failed(reason));
            }
        }
        let mut partial = Partial::open(&self.cache.download(lock), also, expected.is_some())?;
        let right =
            |partial: &Partial| expected.is_some_and(|digest| partial.digests().include(digest));
        // A process may have been killed between the last byte and the name.
        let mut failure = None;
        if !right(&partial) {
            failure = self.fill(&mut partial, place, request, reporter)?;
            let broken = failure.is_none() && expected.is_some() && !right(&partial);
            if broken && partial.is_pieced() {
                // Pieces of different files, perhaps; one file cannot be.
                partial.begin(None)?;
                failure = self.fill(&mut partial, place, request, reporter)?;
            }
        }
        if let Some(reason) = failure {
            if expected.is_none() {
                // Nobody could tell later whether these bytes are right.
                partial.discard()?;
            }
            return Ok(Outcome::Failed(reason));
        }
        let digests = partial.digests();
        if let Some(expected) = expected
            && !digests.include(expected)
        {
            let reason = mismatch(request, expected, &digests, &partial.data(), reporter);
            partial.discard()?;
            return Ok(Outcome::Failed(reason));
        }
        if let Err(reason) =
            self.check_signature(request, &digests.sha256, &partial.data(), reporter)?
        {
            partial.discard()?;
            return Ok(Outcome::Failed(reason));
        }
        partial.complete()?;
        self.cache
            .insert(partial.dir(), &digests, &place.to_string())?;
        self.remember(
            request,
            &digests.sha256,
            digests.of(Algorithm::Sha512).as_ref(),
        )?;
        match self.cache.blob(&digests.sha256, reporter)? {
            Some(blob) => Ok(Outcome::Found(Obtained::cached(blob)?)),
            None => Ok(Outcome::Failed(
                "it vanished from the cache at once".to_owned(),
            )),
        }
    }

    /// Fills a download from a place; gives why it could not.
    fn fill(
        &self,
        partial: &mut Partial,
        place: &Held,
        request: &Request,
        reporter: &Reporter,
    ) -> Result<Option<String>, SourceError> {
        let title = format!("fetching {}", request.name);
        match place {
            Held::File(path) => copy_to(partial, path, &title, reporter).map(|()| None),
            Held::Url(url) => {
                let download = Download {
                    client: &self.client,
                    url,
                    size: request.size,
                    authority: &request.authority,
                    decided: request.digest.is_some() || request.sidecar.is_some(),
                    title: &title,
                    reporter,
                };
                match download.run(partial) {
                    Ok(()) => Ok(None),
                    Err(Failure::Remote { reason, .. }) => Ok(Some(reason)),
                    Err(Failure::Local(error)) => Err(error),
                }
            }
        }
    }

    /// A file of the cache, if its signature is right. If not, nothing else can
    /// be: these are the bytes that are asked for.
    fn signed(
        &self,
        blob: Blob,
        request: &Request,
        attempts: &mut Vec<Attempt>,
        reporter: &Reporter,
    ) -> Result<Option<Obtained>, SourceError> {
        match self.check_signature(request, &blob.sha256, &blob.path, reporter)? {
            Ok(()) => Ok(Some(Obtained::cached(blob)?)),
            Err(reason) => {
                attempts.push(Attempt {
                    place: blob.path.to_string(),
                    reason,
                });
                Ok(None)
            }
        }
    }

    /// What the cache has for a request: by its digest, or else what its
    /// addresses gave when they were last asked.
    fn cached(&self, request: &Request, reporter: &Reporter) -> Result<Option<Blob>, SourceError> {
        let sha256 = match &request.digest {
            Some(Digest::Sha256(sha256)) => Some(*sha256),
            Some(digest) => self.cache.note(&digest_note(digest))?,
            None if request.fresh => None,
            None => self.cache.note(&request.key())?,
        };
        match sha256 {
            Some(sha256) => self.cache.blob(&sha256, reporter),
            None => Ok(None),
        }
    }

    /// Keeps in mind which content a request led to.
    fn remember(
        &self,
        request: &Request,
        sha256: &Sha256,
        sha512: Option<&Digest>,
    ) -> Result<(), SourceError> {
        if request.digest.is_none() {
            self.cache.keep_note(&request.key(), sha256)?;
        }
        match sha512 {
            Some(digest) => self.cache.keep_note(&digest_note(digest), sha256),
            None => Ok(()),
        }
    }

    /// A file of the user's: digested where it is, never copied.
    fn local(
        &self,
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
        let title = format!("reading {}", path.file_name().unwrap_or(path.as_str()));
        let (digests, identity) = digests_of_file(&self.cache, path, also, title, reporter)?;
        if let Some(expected) = &request.digest
            && !digests.include(expected)
        {
            let reason = mismatch(request, expected, &digests, path, reporter);
            return Ok(Outcome::Failed(reason));
        }
        Ok(Outcome::Found(Obtained {
            path: path.to_owned(),
            sha256: digests.sha256,
            size: digests.size,
            from: path.to_string(),
            identity,
        }))
    }
}

fn digest_note(digest: &Digest) -> String {
    format!("sha512-{digest}")
}

/// Copies a file of a mirror directory into a download.
fn copy_to(
    partial: &mut Partial,
    from: &Utf8Path,
    title: &str,
    reporter: &Reporter,
) -> Result<(), SourceError> {
    let reading = || SourceError::io("reading", from);
    let mut file = File::open(from).map_err(reading())?;
    let len = file.metadata().map_err(reading())?.len();
    let task = reporter.task(title, Some(len));
    partial.begin(None)?;
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                partial.push(&buffer[..read])?;
                task.advance(read as u64);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(reading()(error)),
        }
    }
    task.finish();
    Ok(())
}
