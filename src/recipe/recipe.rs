//! What a recipe says.

use std::fmt;

use serde::Serialize;

use crate::edit::ImagePath;

use super::{Arch, RecipeSource};

/// A recipe that has been read and checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipe {
    /// An operating system image.
    Base(BaseRecipe),
    /// Something put into images.
    Component(ComponentRecipe),
}

impl Recipe {
    /// Its name, which is also its file's.
    pub fn name(&self) -> &str {
        match self {
            Self::Base(base) => &base.name,
            Self::Component(component) => &component.name,
        }
    }

    /// One line for people.
    pub fn description(&self) -> &str {
        match self {
            Self::Base(base) => &base.description,
            Self::Component(component) => &component.description,
        }
    }

    /// The version it brings.
    pub fn version(&self) -> &str {
        match self {
            Self::Base(base) => &base.version,
            Self::Component(component) => &component.version,
        }
    }

    /// Where it can be had.
    pub fn sources(&self) -> &[RecipeSource] {
        match self {
            Self::Base(base) => &base.sources,
            Self::Component(component) => &component.sources,
        }
    }

    /// Where it can be had for `arch`.
    pub fn source(&self, arch: Arch) -> Option<&RecipeSource> {
        self.sources().iter().find(|source| source.arch == arch)
    }

    /// How to get the file where nobody publishes it.
    pub fn supply(&self) -> Option<&str> {
        match self {
            Self::Base(base) => base.supply.as_deref(),
            Self::Component(component) => component.supply.as_deref(),
        }
    }

    /// What it is, in a word.
    pub fn kind(&self) -> &str {
        match self {
            Self::Base(_) => "base",
            Self::Component(component) => component.kind.as_str(),
        }
    }
}

/// An operating system image to start from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BaseRecipe {
    /// Its name.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// Its version, for Raspberry Pi OS the date of the image.
    pub version: String,
    /// `VERSION_CODENAME` that the image must have in `/etc/os-release`.
    pub release: String,
    /// Where it can be had; none if nobody publishes it.
    pub sources: Vec<RecipeSource>,
    /// How to get the file where nobody publishes it.
    pub supply: Option<String>,
}

/// Something put into images: Java, Hadoop, or the user's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentRecipe {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ComponentKind,
    /// One line for people.
    pub description: String,
    /// Its version.
    pub version: String,
    /// Where it can be had; none if nobody publishes it.
    pub sources: Vec<RecipeSource>,
    /// How to get the file where nobody publishes it.
    pub supply: Option<String>,
    /// How its archive becomes files of the image.
    pub unpack: UnpackRule,
    /// The Java it runs on, if it needs one.
    pub java: Option<JavaRange>,
    /// The services it brings.
    pub services: Vec<Service>,
    /// Overlays laid onto every image that has it, in order.
    pub overlays: Vec<String>,
}

impl ComponentRecipe {
    /// For a Java runtime, the major version: 17 of `17.0.20.1+1`, 8 of
    /// `8u442b06` and of `1.8.0`.
    pub fn java_major(&self) -> Option<u32> {
        if self.kind != ComponentKind::Java {
            return None;
        }
        let version = self.version.strip_prefix("1.").unwrap_or(&self.version);
        let digits = version
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(version.len());
        version[..digits].parse().ok()
    }

    /// Services that nodes of this role run.
    pub fn services_of(&self, role: &str) -> impl Iterator<Item = &Service> {
        self.services
            .iter()
            .filter(move |service| service.roles.iter().any(|r| r == role))
    }
}

/// What a component is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentKind {
    /// A Java runtime.
    Java,
    /// Hadoop.
    Hadoop,
    /// Something else, such as `spark`.
    Other(String),
}

impl ComponentKind {
    /// The word a recipe uses.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Java => "java",
            Self::Hadoop => "hadoop",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for ComponentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How an archive becomes files of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnpackRule {
    /// Leading components taken off each member's name.
    pub strip: usize,
    /// The directory members go below.
    pub into: ImagePath,
    /// A symbolic link to `into` under a name without a version.
    pub link: Option<ImagePath>,
    /// Glob patterns of members left out, as [`Unpack`](crate::edit::Unpack)
    /// has them.
    pub drop: Vec<String>,
    /// Who owns the files.
    pub owner: UnpackOwner,
}

/// Who owns unpacked files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnpackOwner {
    /// `root`: the daemons cannot change their own programs.
    Root,
    /// The `hadoop` user.
    Hadoop,
}

impl UnpackOwner {
    /// The user's name.
    pub fn user(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Hadoop => "hadoop",
        }
    }
}

/// Versions of Java a component runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JavaRange {
    /// Lowest major version.
    pub min: u32,
    /// Highest major version, if there is one.
    pub max: Option<u32>,
    /// Versions its makers support, if those are not all of the range.
    pub supported: Vec<u32>,
    /// What to know about it.
    pub note: Option<String>,
}

impl JavaRange {
    /// Whether it starts on this version.
    pub fn contains(&self, major: u32) -> bool {
        self.min <= major && self.max.is_none_or(|max| major <= max)
    }

    /// Whether its makers say so too.
    pub fn supports(&self, major: u32) -> bool {
        self.contains(major) && (self.supported.is_empty() || self.supported.contains(&major))
    }
}

/// A service that a component brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// Its name, such as `hdfs-namenode`.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// Roles whose nodes run it.
    pub roles: Vec<String>,
    /// The systemd unit, which an overlay brings.
    pub unit: String,
}
