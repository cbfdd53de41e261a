//! Why an image is not trusted.

/// Why an image is not what its record says, or cannot be told to be: as the
/// rest of a sentence that begins with the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// There is no record of it, or no image. Nothing to tell anyone.
    Unknown,
    /// The machine was started anew since.
    Restarted,
    /// It is another file now, or was written to.
    Changed,
    /// The layer was made again since, and came out otherwise.
    OtherLayer,
    /// Another program has it locked.
    InUse,
}

impl Doubt {
    /// For people, if it is any news.
    pub(super) fn words(self) -> Option<&'static str> {
        match self {
            Self::Unknown => None,
            Self::Restarted => Some("was made before this machine was started"),
            Self::Changed => Some("is not as it was made: somebody changed it since"),
            Self::OtherLayer => Some("was made from a layer that has other bytes by now"),
            Self::InUse => Some("is in use by another program"),
        }
    }
}
