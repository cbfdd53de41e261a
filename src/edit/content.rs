//! What a file that an edit puts down contains.

use std::fmt;
use std::sync::Arc;

/// Bytes of a file, with a mark on those that must never be shown.
///
/// Large content does not travel through edits: it stays in an archive and
/// reaches the image by [`Edit::UnpackTree`](super::Edit::UnpackTree).
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Content {
    /// Content that may be printed, diffed and logged.
    Public(Arc<[u8]>),
    /// Content that may only ever reach an image: keys and password hashes.
    Secret(Arc<[u8]>),
}

impl Content {
    /// Public content from text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Public(text.into().into_bytes().into())
    }

    /// Secret content from bytes.
    pub fn secret(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Secret(bytes.into().into())
    }

    /// The bytes, for writing and hashing; never for display.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Public(bytes) | Self::Secret(bytes) => bytes,
        }
    }

    /// Whether this content must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public(bytes) => write!(f, "Public({} bytes)", bytes.len()),
            Self::Secret(_) => write!(f, "Secret(redacted)"),
        }
    }
}
