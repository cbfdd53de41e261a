//! One overlay.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::edit::{Content, Edit, Edits, ImagePath, Mode, Owner};

use super::manifest::{Manifest, OwnerName, Rule, Volume};
use super::template::Templates;
use super::{OverlayError, catalogue};

/// Files of an overlay: path below its directory, joined by `/`, and bytes.
pub type Listing = Vec<(String, Vec<u8>)>;

/// Users of the image by name.
pub type Owners = BTreeMap<String, Owner>;

/// Ending of templates.
const TEMPLATE: &str = ".j2";
/// The file that is about the overlay, not of it.
const MANIFEST: &str = "overlay.toml";
/// Keeps a directory in version control; not a file of the image.
const PLACEHOLDER: &str = ".gitkeep";

/// A directory laid onto an image.
#[derive(Clone, Debug)]
pub struct Overlay {
    name: String,
    manifest: Manifest,
    files: BTreeMap<ImagePath, Vec<u8>>,
    templates: BTreeMap<ImagePath, String>,
}

impl Overlay {
    /// Reads an overlay from the listing of its files.
    ///
    /// # Errors
    /// `overlay.toml` has problems, a file cannot be one of an image, two are for
    /// one path, or a template is not one.
    pub fn parse(name: &str, listing: Listing) -> Result<Self, OverlayError> {
        let mut manifest_text = None;
        let mut files = BTreeMap::new();
        let mut templates = BTreeMap::new();
        for (relative, bytes) in listing {
            if relative == MANIFEST {
                manifest_text = Some(text(name, &relative, bytes)?);
                continue;
            }
            if relative.rsplit('/').next() == Some(PLACEHOLDER) {
                continue;
            }
            let (target, is_template) = match relative.strip_suffix(TEMPLATE) {
                Some(target) => (target, true),
                None => (relative.as_str(), false),
            };
            let path = image_path(name, target)?;
            if files.contains_key(&path) || templates.contains_key(&path) {
                return Err(OverlayError::Clash {
                    overlay: name.to_owned(),
                    path: path.to_string(),
                    first: target.to_owned(),
                    second: format!("{target}{TEMPLATE}"),
                });
            }
            if is_template {
                templates.insert(path, text(name, &relative, bytes)?);
            } else {
                files.insert(path, bytes);
            }
        }
        let manifest = match manifest_text {
            Some(text) => {
                let paths: Vec<&str> = files
                    .keys()
                    .chain(templates.keys())
                    .map(|path| path.as_str().trim_start_matches('/'))
                    .collect();
                Manifest::parse(&text, &paths).map_err(|problems| OverlayError::Manifest {
                    file: format!("{name}/{MANIFEST}"),
                    text,
                    problems,
                })?
            }
            None => Manifest::default(),
        };
        let overlay = Self {
            name: name.to_owned(),
            manifest,
            files,
            templates,
        };
        overlay.check_clashes()?;
        // Broken syntax is found here, whatever the context will be.
        Templates::new(name, &overlay.templates, &())?;
        Ok(overlay)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The filesystem it is laid onto.
    pub fn volume(&self) -> Volume {
        self.manifest.volume
    }

    /// Its edits: directories, then files, then links, each in the order of
    /// their paths. `context` is what templates and conditions see; `owners`
    /// are the users of the image.
    ///
    /// # Errors
    /// A template or condition does not fit `context`, or a user is not in
    /// `owners`.
    pub fn edits<C: Serialize>(&self, context: &C, owners: &Owners) -> Result<Edits, OverlayError> {
        let templates = Templates::new(&self.name, &self.templates, context)?;
        let mut edits = Vec::new();
        for dir in &self.manifest.dirs {
            if templates.holds(dir.when.as_ref())? {
                let owner = dir.owner.as_ref().unwrap_or(&self.manifest.owner);
                let owner = self.owner(owner, &dir.path, owners)?;
                edits.push(Edit::MakeDir {
                    path: dir.path.clone(),
                    owner,
                    mode: dir.mode,
                });
            }
        }
        edits.sort_by(|a: &Edit, b: &Edit| a.path().cmp(b.path()));
        let paths: BTreeSet<&ImagePath> = self.files.keys().chain(self.templates.keys()).collect();
        for path in paths {
            let Some((mode, owner)) = self.attributes(path, &templates)? else {
                continue;
            };
            let content = match self.files.get(path) {
                Some(bytes) => Content::Public(bytes.as_slice().into()),
                None => Content::text(templates.render(path)?),
            };
            let owner = self.owner(owner, path, owners)?;
            edits.push(Edit::PutFile {
                path: path.clone(),
                content,
                owner,
                mode,
            });
        }
        let mut links = Vec::new();
        for link in &self.manifest.links {
            if templates.holds(link.when.as_ref())? {
                let target = link.target.clone();
                links.push(Edit::Symlink {
                    path: link.path.clone(),
                    target,
                });
            }
        }
        links.sort_by(|a, b| a.path().cmp(b.path()));
        edits.extend(links);
        Ok(match self.manifest.volume {
            Volume::Root => Edits {
                boot: Vec::new(),
                root: edits,
            },
            Volume::Boot => Edits {
                boot: edits,
                root: Vec::new(),
            },
        })
    }

    /// Mode and owner of a file: of each, what the last rule that matches says.
    /// `None` if the condition of one that matches does not hold.
    fn attributes(
        &self,
        path: &ImagePath,
        templates: &Templates<'_>,
    ) -> Result<Option<(Mode, &OwnerName)>, OverlayError> {
        let relative = path.as_str().trim_start_matches('/');
        let (mut mode, mut owner) = (self.manifest.mode, &self.manifest.owner);
        let matching = |rule: &&Rule| rule.glob.is_match(relative);
        for rule in self.manifest.rules.iter().filter(matching) {
            if !templates.holds(rule.when.as_ref())? {
                return Ok(None);
            }
            mode = rule.mode.unwrap_or(mode);
            owner = rule.owner.as_ref().unwrap_or(owner);
        }
        Ok(Some((mode, owner)))
    }

    fn owner(
        &self,
        name: &OwnerName,
        path: &ImagePath,
        owners: &Owners,
    ) -> Result<Owner, OverlayError> {
        let ids = |wanted: &str| {
            owners
                .get(wanted)
                .copied()
                .ok_or_else(|| OverlayError::Owner {
                    overlay: self.name.clone(),
                    path: path.to_string(),
                    owner: wanted.to_owned(),
                    known: catalogue::joined(owners.keys()),
                })
        };
        let user = ids(&name.user)?;
        match &name.group {
            Some(group) => Ok(Owner::new(user.uid, ids(group)?.gid)),
            None => Ok(user),
        }
    }

    /// No path is two things, whatever the conditions say, and none lies below
    /// one that is no directory.
    fn check_clashes(&self) -> Result<(), OverlayError> {
        let mut seen: BTreeMap<&ImagePath, &str> = BTreeMap::new();
        let files = self
            .files
            .keys()
            .chain(self.templates.keys())
            .map(|path| (path, "a file"));
        let links = self
            .manifest
            .links
            .iter()
            .map(|link| (&link.path, "a link"));
        let clash = |path: &ImagePath, first: &str, second: &str| OverlayError::Clash {
            overlay: self.name.clone(),
            path: path.to_string(),
            first: first.to_owned(),
            second: second.to_owned(),
        };
        for (path, what) in files.chain(links) {
            if let Some(first) = seen.insert(path, what) {
                return Err(clash(path, first, what));
            }
        }
        for path in self
            .manifest
            .dirs
            .iter()
            .map(|dir| &dir.path)
            .chain(seen.keys().copied())
        {
            let mut above = if seen.contains_key(path) {
                path.parent()
            } else {
                Some(path.clone())
            };
            while let Some(parent) = above {
                if let Some(what) = seen.get(&parent) {
                    return Err(clash(&parent, what, "a directory"));
                }
                above = parent.parent();
            }
        }
        Ok(())
    }
}

/// Where a file goes. Names are relative, so that `/etc/x` and `../x`, which no
/// listing of a directory has, are refused.
fn image_path(overlay: &str, target: &str) -> Result<ImagePath, OverlayError> {
    let refused = |reason: String| OverlayError::Path {
        overlay: overlay.to_owned(),
        reason,
    };
    let path = ImagePath::root()
        .join(target)
        .map_err(|error| refused(error.to_string()))?;
    if path.is_root() {
        return Err(refused(format!("the file {TEMPLATE:?} has no name")));
    }
    Ok(path)
}

fn text(overlay: &str, relative: &str, bytes: Vec<u8>) -> Result<String, OverlayError> {
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        OverlayError::Template {
            file: format!("{overlay}/{relative}"),
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            reason: "this is not UTF-8 text".to_owned(),
        }
    })
}
