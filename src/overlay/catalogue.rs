//! All overlays by name.

use std::collections::BTreeMap;

use rust_embed::Embed;

use crate::diagnostic::nearest;

use super::{Listing, Overlay, OverlayError};

#[derive(Embed)]
#[folder = "overlays/"]
struct Embedded;

/// All overlays by name.
#[derive(Clone, Debug, Default)]
pub struct Overlays {
    by_name: BTreeMap<String, Overlay>,
}

impl Overlays {
    /// The overlays that are part of the program.
    ///
    /// # Errors
    /// One of them is broken, which tests rule out.
    pub fn embedded() -> Result<Self, OverlayError> {
        Self::with(std::iter::empty())
    }

    /// The overlays of the program and the user's own, given as name and
    /// listing. One of the same name takes the place of the program's as a
    /// whole: no file of an overlay comes from a place one did not look in.
    ///
    /// # Errors
    /// The first overlay that cannot be read.
    pub fn with(
        listings: impl IntoIterator<Item = (String, Listing)>,
    ) -> Result<Self, OverlayError> {
        let mut all = embedded_listings();
        all.extend(listings);
        let by_name = all
            .into_iter()
            .map(|(name, listing)| Ok((name.clone(), Overlay::parse(&name, listing)?)))
            .collect::<Result<_, OverlayError>>()?;
        Ok(Self { by_name })
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Overlay> {
        self.by_name.values()
    }

    /// The overlay of this name.
    ///
    /// # Errors
    /// There is none; says which is meant, or which there are.
    pub fn find(&self, name: &str) -> Result<&Overlay, OverlayError> {
        self.by_name.get(name).ok_or_else(|| OverlayError::Unknown {
            name: name.to_owned(),
            help: match nearest(name, self.by_name.keys().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if self.by_name.is_empty() => "there are none".to_owned(),
                None => format!("there are {}", joined(self.by_name.keys())),
            },
        })
    }
}

/// Files of the program's overlays, by the directory they are in. A file that
/// is in none belongs to no overlay.
fn embedded_listings() -> BTreeMap<String, Listing> {
    let mut listings: BTreeMap<String, Listing> = BTreeMap::new();
    for name in Embedded::iter() {
        let Some((overlay, path)) = name.split_once('/') else {
            continue;
        };
        let Some(file) = Embedded::get(&name) else {
            continue;
        };
        listings
            .entry(overlay.to_owned())
            .or_default()
            .push((path.to_owned(), file.data.into_owned()));
    }
    listings
}

pub(super) fn joined<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}
