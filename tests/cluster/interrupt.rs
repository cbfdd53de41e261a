//! Ctrl-C and SIGTERM end the test the way a failure does: everything is taken
//! down on the way out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use signal_hook::consts::{SIGINT, SIGTERM};

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on a signal is noted instead of ending the process.
pub(crate) fn listen() -> Result<()> {
    let asked = Arc::clone(ASKED.get_or_init(Arc::default));
    signal_hook::flag::register(SIGINT, Arc::clone(&asked))?;
    signal_hook::flag::register(SIGTERM, asked)?;
    Ok(())
}

/// An error once a signal came.
pub(crate) fn check() -> Result<()> {
    if ASKED
        .get()
        .is_some_and(|asked| asked.load(Ordering::Relaxed))
    {
        bail!("interrupted");
    }
    Ok(())
}

/// Why a probe did not succeed.
pub(crate) enum NotYet {
    /// It may still: ask again.
    Wait(anyhow::Error),
    /// It never will.
    Never(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for NotYet {
    fn from(error: E) -> Self {
        Self::Wait(error.into())
    }
}

/// Repeats `probe` every half second until it succeeds; gives up after `limit`
/// with what was awaited and what the last probe said, or when a signal comes.
pub(crate) fn until<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<T, NotYet>,
) -> Result<T> {
    until_done(what, limit, || {
        check().map_err(NotYet::Never)?;
        probe()
    })
}

/// The same for what has to be waited for on the way out, too: signals change
/// nothing.
pub(crate) fn until_done<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<T, NotYet>,
) -> Result<T> {
    let begun = Instant::now();
    loop {
        match probe() {
            Ok(value) => return Ok(value),
            Err(NotYet::Never(error)) => {
                return Err(error.context(format!("while waiting for {what}")));
            }
            Err(NotYet::Wait(error)) if begun.elapsed() >= limit => {
                let seconds = limit.as_secs();
                return Err(anyhow!("waited {seconds} s for {what}; at last: {error:#}"));
            }
            Err(NotYet::Wait(_)) => std::thread::sleep(Duration::from_millis(500)),
        }
    }
}
