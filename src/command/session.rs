//! What every command with inputs needs: cache, fetcher, reporter.

use std::io::IsTerminal;

use camino::{Utf8Path, Utf8PathBuf};

use super::Failure;
use super::load::home;
use crate::cli::{GlobalArgs, SourceArgs};
use crate::progress::{Bars, JsonLines, Lines, Reporter};
use crate::source::{Cache, Fetcher, HttpOptions, Mirror, Proxies};

/// Opened once for a command.
#[derive(Debug)]
pub(super) struct Session {
    /// Gets inputs.
    pub(super) fetcher: Fetcher,
    /// Hears of long work.
    pub(super) reporter: Reporter,
}

impl Session {
    /// Opens the cache and chooses who hears of progress: JSON lines for
    /// programs, bars on a terminal, else plain lines.
    pub(super) fn open(global: &GlobalArgs, json: bool) -> Result<Self, Failure> {
        let cache = Cache::open(&cache_dir(global)?).map_err(Failure::environment)?;
        let fetcher = Fetcher::new(cache, &http_options()).map_err(Failure::environment)?;
        let reporter = if json {
            Reporter::new(JsonLines::new(std::io::stdout()))
        } else if global.quiet {
            Reporter::silent()
        } else if std::io::stderr().is_terminal() {
            Reporter::new(Bars::on_stderr())
        } else {
            Reporter::new(Lines::new(std::io::stderr()))
        };
        Ok(Self { fetcher, reporter })
    }

    /// The same, with inputs from where the command line says.
    pub(super) fn with_sources(
        global: &GlobalArgs,
        json: bool,
        sources: &SourceArgs,
    ) -> Result<Self, Failure> {
        let mirror = |text: &String| Mirror::parse(text, Utf8Path::new(""), home().as_deref());
        let mirrors = sources.mirror.iter().filter(|text| !text.is_empty());
        let mirrors = mirrors
            .map(mirror)
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::usage(error).hint("--mirror and PIDOOP_MIRROR name them"))?;
        let mut session = Self::open(global, json)?;
        session.fetcher.offline = sources.offline;
        session.fetcher.mirrors = mirrors;
        Ok(session)
    }
}

/// How the environment says to talk to servers.
fn http_options() -> HttpOptions {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    HttpOptions {
        certificates: variable("SSL_CERT_FILE").map(Utf8PathBuf::from),
        proxies: Proxies::from_variables(variable),
        ..HttpOptions::default()
    }
}

/// The cache directory: as told, else where the XDG base directory
/// specification says.
fn cache_dir(global: &GlobalArgs) -> Result<Utf8PathBuf, Failure> {
    if let Some(dir) = &global.cache_dir {
        return Ok(dir.clone());
    }
    let set = std::env::var("XDG_CACHE_HOME")
        .ok()
        .filter(|dir| dir.starts_with('/'));
    match (set, home()) {
        (Some(dir), _) => Ok(Utf8PathBuf::from(dir).join("pidoop")),
        (None, Some(home)) => Ok(home.join(".cache/pidoop")),
        (None, None) => Err(Failure::usage("no place for the cache is known")
            .hint("set HOME, or give --cache-dir DIR")),
    }
}
