//! One input in the lock.

use std::fmt;

use crate::cluster::SourceChoice;
use crate::recipe::Arch;

/// What the cluster file asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A recipe by name.
    Recipe(String),
    /// A file, as the cluster file has it: relative to itself.
    Path(String),
    /// An address, without name and password.
    Url(String),
}

impl Asked {
    /// What a choice of the cluster file asks for.
    pub fn of(choice: &SourceChoice) -> Self {
        match choice {
            SourceChoice::Recipe { name, .. } => Self::Recipe(name.clone()),
            SourceChoice::Path { path, .. } => Self::Path(path.clone()),
            SourceChoice::Url { url, .. } => Self::Url(without_userinfo(url)),
        }
    }
}

/// As people call it.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipe(text) | Self::Path(text) | Self::Url(text) => f.write_str(text),
        }
    }
}

/// An address without name and password, for files that others read.
pub fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{tail}")
}

/// What an input resolved to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedInput {
    /// What was asked for then. While the cluster file asks for the same, this
    /// entry is the answer.
    pub asked: Asked,
    /// The version it turned out to be, where a recipe or list says one.
    pub version: Option<String>,
    /// The architecture it is for, where that was a choice.
    pub arch: Option<Arch>,
    /// Where a recipe's file is published, best address first. Never a mirror.
    pub urls: Vec<String>,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// SHA-512 of the file, where the publisher uses it.
    pub sha512: Option<String>,
    /// Length of the file in bytes.
    pub size: u64,
    /// For a base image, SHA-256 of the image itself.
    pub unpacked_sha256: Option<String>,
    /// The day on which it was resolved to this, as `2026-11-26`. Nothing that
    /// is built depends on it.
    pub date: String,
}

impl LockedInput {
    /// Whether this answers what the cluster file asks for now.
    pub fn answers(&self, choice: &SourceChoice) -> bool {
        let digest = match choice {
            SourceChoice::Recipe { .. } => None,
            SourceChoice::Path { sha256, .. } | SourceChoice::Url { sha256, .. } => sha256.as_ref(),
        };
        // What the cluster file says itself counts more than what was locked.
        self.asked == Asked::of(choice) && digest.is_none_or(|digest| *digest == self.sha256)
    }

    /// Whether both are the same file from the same place, whenever that was
    /// found out.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let undated = |input: &Self| Self {
            date: String::new(),
            ..input.clone()
        };
        undated(self) == undated(other)
    }

    /// Where it comes from, the same on every machine: an address, or the path
    /// in the cluster file.
    pub fn origin(&self) -> &str {
        match (&self.asked, self.urls.first()) {
            (Asked::Recipe(_), Some(url)) => url,
            (Asked::Recipe(name), None) => name,
            (Asked::Path(text) | Asked::Url(text), _) => text,
        }
    }

    /// What it is, in a few words: `temurin-17 17.0.20.1+1`.
    pub fn title(&self) -> String {
        match &self.version {
            Some(version) if !self.asked.to_string().contains(version) => {
                format!("{} {version}", self.asked)
            }
            _ => self.asked.to_string(),
        }
    }
}
