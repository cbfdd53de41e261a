//! Fetching: from a server on this machine that misbehaves, through proxies and
//! mirrors, and by the verb.

pub(crate) mod cluster;
mod faults;

mod killed;
mod listed;
mod locked;
mod mirrors;
mod proxies;
mod published;
mod resume;
mod signed;
mod verb;

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use pidoop::progress::Reporter;
use pidoop::source::{
    Algorithm, Cache, Digest, Digester, Fetcher, HttpOptions, Location, Obtained, Request, Sha256,
    SourceError,
};

use crate::support::world::names;

/// A cache of a test's own.
struct Place {
    _temporary: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Place {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(temporary.path().to_owned()).unwrap();
        Self {
            _temporary: temporary,
            root,
        }
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    fn cache(&self) -> Utf8PathBuf {
        self.root.join("cache")
    }

    fn fetcher(&self) -> Fetcher {
        self.fetcher_with(&options())
    }

    fn fetcher_with(&self, options: &HttpOptions) -> Fetcher {
        Fetcher::new(Cache::open(&self.cache()).unwrap(), options).unwrap()
    }

    fn obtain(&self, request: &Request) -> Result<Obtained, SourceError> {
        self.fetcher().obtain(request, &Reporter::silent())
    }

    /// The bytes that a request brings.
    #[track_caller]
    fn bytes(&self, request: &Request) -> Vec<u8> {
        let obtained = self.obtain(request).unwrap_or_else(|e| panic!("{e}"));
        let bytes = fs::read(obtained.path).unwrap();
        assert_eq!(obtained.sha256, Sha256::of(&bytes));
        assert_eq!(obtained.size, bytes.len() as u64);
        bytes
    }

    /// Nothing that failed is kept under a name that counts.
    #[track_caller]
    fn holds_no_file(&self) {
        for part in ["blobs", "partial"] {
            let left = names(&self.cache().join(part));
            assert!(left.is_empty(), "{part}: {left:?}");
        }
    }
}

/// Patient enough for a busy machine, and quick where it fails.
fn options() -> HttpOptions {
    HttpOptions {
        tries: 3,
        pause: Duration::from_millis(1),
        patience: Duration::from_secs(20),
        ..HttpOptions::default()
    }
}

fn request(urls: &[&str], digest: Option<Digest>) -> Request {
    let locations = urls.iter().map(|url| Location::Url((*url).to_owned()));
    Request {
        digest,
        ..Request::new("thing", locations.collect())
    }
}

fn sha256(bytes: &[u8]) -> Option<Digest> {
    Some(Digest::Sha256(Sha256::of(bytes)))
}

fn sha512(bytes: &[u8]) -> Digest {
    let mut digester = Digester::new(Some(Algorithm::Sha512));
    digester.update(bytes);
    digester.finish().of(Algorithm::Sha512).unwrap()
}

/// Bytes that differ everywhere, of any length.
fn sample(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// The only download under way in a cache.
fn half(place: &Place) -> Utf8PathBuf {
    let dir = place.cache().join("downloads");
    let keys = names(&dir);
    assert_eq!(keys.len(), 1, "{keys:?}");
    dir.join(&keys[0])
}

fn text(path: &Utf8Path) -> String {
    fs::read_to_string(path).unwrap()
}
