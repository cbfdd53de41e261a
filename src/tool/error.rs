//! Why a program did not do what it was asked to.

use std::io;

use thiserror::Error;

use super::Version;

/// Why a program did not do what it was asked to.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ToolError {
    /// The program is nowhere in the search path.
    #[error(
        "{tool} was not found in PATH, /usr/sbin or /sbin; \
         on Debian and Raspberry Pi OS: apt install {package}"
    )]
    Missing {
        /// Its name.
        tool: &'static str,
        /// The Debian package it is in.
        package: &'static str,
    },
    /// The program is older than what is needed.
    #[error("{tool} is version {found}, but {needed} or newer is needed; update package {package}")]
    TooOld {
        /// Its name.
        tool: &'static str,
        /// The version found.
        found: Version,
        /// The oldest that will do.
        needed: Version,
        /// The Debian package it is in.
        package: &'static str,
    },
    /// The program could not be started, fed or waited for.
    #[error("running {command}: {source}")]
    Start {
        /// The whole command line.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// The program ran and failed.
    #[error("{command} {ending}{}", tail_for_people(.said))]
    Failed {
        /// The whole command line.
        command: String,
        /// How it ended: `failed with exit code 1`, `was killed by signal 9`.
        ending: String,
        /// The end of what it said on standard error.
        said: String,
    },
    /// This process was told to stop, so the program was not run to its end.
    #[error("{command} was stopped: interrupted")]
    Interrupted {
        /// The whole command line.
        command: String,
    },
}

fn tail_for_people(said: &str) -> String {
    let said = said.trim();
    if said.is_empty() {
        "; it said nothing".to_owned()
    } else {
        format!("; it said:\n{said}")
    }
}
