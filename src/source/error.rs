//! What can go wrong with inputs.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use crate::tool::ToolError;

/// Why an input cannot be had, opened or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// A file operation failed.
    #[error("{action} {path}: {source}")]
    Io {
        /// What was being done, as a gerund.
        action: &'static str,
        /// The file or directory.
        path: Utf8PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The disk is full.
    #[error(
        "no space left while {action} {path}{}; free some space there, or put the cache on \
         another disk with XDG_CACHE_HOME",
        needs(.needed)
    )]
    DiskFull {
        /// What was being done, as a gerund.
        action: &'static str,
        /// The file or directory.
        path: Utf8PathBuf,
        /// Bytes needed altogether, where known.
        needed: Option<u64>,
    },
    /// A text that names no usable place.
    #[error("{text:?} cannot be used as the place of a file: {reason}")]
    Location {
        /// What was written.
        text: String,
        /// Why it is not usable.
        reason: String,
    },
    /// Every place an input could come from failed.
    #[error("{name} could not be had from {}:{}", places(.attempts), list(.attempts))]
    Unobtainable {
        /// What was wanted.
        name: String,
        /// Each place with what happened there.
        attempts: Vec<Attempt>,
    },
    /// A program that helps with inputs failed.
    #[error(transparent)]
    Tool(Box<ToolError>),
    /// A base image is another one inside than its packed file was said to hold.
    #[error("the image in {name} has the SHA-256 {found}, but {authority} says {expected}: {hint}")]
    WrongImage {
        /// What people call the packed file.
        name: String,
        /// What the image has.
        found: String,
        /// What it was said to have.
        expected: String,
        /// Who said so.
        authority: String,
        /// What may be the reason.
        hint: &'static str,
    },
    /// A text that should hold a digest does not.
    #[error("no {algorithm} digest found in {place}: {detail}")]
    Sidecar {
        /// The algorithm looked for.
        algorithm: &'static str,
        /// Where the text came from.
        place: String,
        /// What the text looks like.
        detail: String,
    },
    /// A text that should be a digest is none.
    #[error("{text:?} is not a digest: {algorithm} has {digits} hexadecimal digits")]
    NotADigest {
        /// The text.
        text: String,
        /// Name of the algorithm.
        algorithm: &'static str,
        /// How many digits it has.
        digits: usize,
    },
    /// A file changed while it was read.
    #[error("{path} changed while it was being read; wait until it is complete and try again")]
    Changing {
        /// The file.
        path: Utf8PathBuf,
    },
    /// A compressed file ends too early.
    #[error(
        "{path} is cut short: its {format} data ends in the middle; it was probably not copied or \
         downloaded completely, so fetch it again ({detail})"
    )]
    Truncated {
        /// The file.
        path: Utf8PathBuf,
        /// What it is.
        format: &'static str,
        /// The decoder's words.
        detail: String,
    },
    /// A compressed file is damaged.
    #[error(
        "{path} is damaged: its {format} data does not decode ({detail}); fetch it again and \
         compare its digest with the published one"
    )]
    Damaged {
        /// The file.
        path: Utf8PathBuf,
        /// What it is.
        format: &'static str,
        /// The decoder's words.
        detail: String,
    },
    /// A file is of another kind than needed.
    #[error("{path} {looks_like}; {needed}")]
    WrongContents {
        /// The file.
        path: Utf8PathBuf,
        /// What it looks like: "is …", "has …".
        looks_like: String,
        /// What is needed instead.
        needed: String,
    },
    /// A member that must not be unpacked.
    #[error(
        "{path} holds a member that will not be unpacked: {member:?} {reason}; take the archive \
         from its publisher"
    )]
    UnsafeMember {
        /// The archive.
        path: Utf8PathBuf,
        /// The member's name.
        member: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// A place that was tried in vain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The address or path.
    pub place: String,
    /// What happened.
    pub reason: String,
}

impl SourceError {
    /// For `map_err`: wraps a failure of `action` on `path`, telling a full disk
    /// from the rest.
    pub(super) fn io(action: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> Self {
        Self::io_needing(action, path, None)
    }

    /// Like [`io`](Self::io), knowing how many bytes the whole write needs.
    pub(super) fn io_needing(
        action: &'static str,
        path: &Utf8Path,
        needed: Option<u64>,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            let path = path.to_owned();
            match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull {
                    action,
                    path,
                    needed,
                },
                _ => Self::Io {
                    action,
                    path,
                    source,
                },
            }
        }
    }

    /// Whether trying another machine, disk or network could help, as against
    /// another file.
    pub fn is_environment(&self) -> bool {
        matches!(
            self,
            Self::Io { .. } | Self::DiskFull { .. } | Self::Unobtainable { .. } | Self::Tool(_)
        )
    }
}

fn needs(needed: &Option<u64>) -> String {
    match needed {
        Some(bytes) => format!(" (at least {bytes} bytes are needed)"),
        None => String::new(),
    }
}

fn places(attempts: &[Attempt]) -> String {
    match attempts {
        [_] => "the only place known".to_owned(),
        _ => format!("any of {} places", attempts.len()),
    }
}

fn list(attempts: &[Attempt]) -> String {
    attempts
        .iter()
        .map(|attempt| format!("\n  {}: {}", attempt.place, attempt.reason))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_said_plainly() {
        let full = io::Error::from_raw_os_error(28);
        let error = SourceError::io_needing("writing", "/c/x".into(), Some(512))(full);
        insta::assert_snapshot!(error, @"no space left while writing /c/x (at least 512 bytes are needed); free some space there, or put the cache on another disk with XDG_CACHE_HOME");
        let quota = io::Error::from_raw_os_error(122);
        assert!(matches!(
            SourceError::io("writing", "/c/x".into())(quota),
            SourceError::DiskFull { .. }
        ));
        let denied = io::Error::from_raw_os_error(13);
        assert!(matches!(
            SourceError::io("writing", "/c/x".into())(denied),
            SourceError::Io { .. }
        ));
    }

    #[test]
    fn every_place_is_listed() {
        let attempts = ["https://a/x", "https://b/x"].map(|place| Attempt {
            place: place.to_owned(),
            reason: "not there (404)".to_owned(),
        });
        let error = SourceError::Unobtainable {
            name: "hadoop".to_owned(),
            attempts: attempts.into(),
        };
        insta::assert_snapshot!(error, @"
        hadoop could not be had from any of 2 places:
          https://a/x: not there (404)
          https://b/x: not there (404)
        ");
    }
}
