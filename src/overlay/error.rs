//! Why an overlay cannot be laid.

use thiserror::Error;

use crate::diagnostic::{Color, Problem, render};

/// Why an overlay cannot be read or rendered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OverlayError {
    /// `overlay.toml` has problems.
    #[error("{}", render(.file, .text, .problems, Color::Off).trim_end())]
    Manifest {
        /// The file, with the overlay's name.
        file: String,
        /// Its text, which the problems point into.
        text: String,
        /// What is wrong with it.
        problems: Vec<Problem>,
    },
    /// A file's path cannot be one of an image.
    #[error("overlay {overlay}: {reason}")]
    Path {
        /// The overlay.
        overlay: String,
        /// What is wrong with the path.
        reason: String,
    },
    /// Two entries for one path of the image.
    #[error("overlay {overlay}: {first} and {second} are both for {path}; keep one")]
    Clash {
        /// The overlay.
        overlay: String,
        /// The path of the image.
        path: String,
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
    /// A template or condition does not work.
    #[error("{file}:{line}: {reason}")]
    Template {
        /// The file, with the overlay's name.
        file: String,
        /// Line in the file, from 1; 0 if it is not known.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A user or group that the image does not have.
    #[error("overlay {overlay}: {path} belongs to {owner:?}; known are {known}")]
    Owner {
        /// The overlay.
        overlay: String,
        /// The path of the image.
        path: String,
        /// The name asked for.
        owner: String,
        /// The names there are.
        known: String,
    },
    /// No overlay of this name.
    #[error("there is no overlay {name:?}: {help}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// What may be meant.
        help: String,
    },
}
