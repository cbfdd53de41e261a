//! Differences as programs read them; `docs/diff.md` is the description.

use std::collections::BTreeMap;

use serde::Serialize;

use super::outcome::{Compared, Outcome, State};
use crate::edit::EntryKind;
use crate::edit::compare::{ContentDifference, Found, PathDifference};

/// The document's text.
pub(super) fn text(outcome: &Outcome) -> serde_json::Result<String> {
    let document = Document {
        schema: 1,
        differs: outcome.differs(),
        before: &outcome.labels[0],
        after: &outcome.labels[1],
        images: outcome.images.iter().map(ImageDocument::of).collect(),
        strays: outcome.strays.iter().map(|path| path.as_str()).collect(),
    };
    serde_json::to_string_pretty(&document)
}

#[derive(Serialize)]
struct Document<'a> {
    /// Version of this document's shape.
    schema: u32,
    differs: bool,
    before: &'a str,
    after: &'a str,
    images: Vec<ImageDocument<'a>>,
    strays: Vec<&'a str>,
}

#[derive(Serialize)]
struct ImageDocument<'a> {
    node: Option<&'a str>,
    image: &'a str,
    state: &'static str,
    problem: Option<&'a str>,
    layout: Vec<LayoutDocument<'a>>,
    paths: Vec<PathDocument<'a>>,
}

#[derive(Serialize)]
struct LayoutDocument<'a> {
    what: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

#[derive(Serialize)]
struct PathDocument<'a> {
    partition: &'static str,
    path: &'a str,
    change: &'static str,
    secret: bool,
    before: Option<FoundDocument<'a>>,
    after: Option<FoundDocument<'a>>,
    aspects: Vec<String>,
    content: Option<&'static str>,
    problem: Option<&'a str>,
    diff: Option<&'a str>,
    lines_added: Option<usize>,
    lines_removed: Option<usize>,
}

#[derive(Serialize)]
struct FoundDocument<'a> {
    kind: &'a str,
    owner: String,
    mode: String,
    /// Left out where it would tell something of a secret.
    bytes: Option<u64>,
    target: Option<&'a str>,
    attributes: BTreeMap<&'a str, usize>,
}

impl<'a> ImageDocument<'a> {
    fn of(compared: &'a Compared) -> Self {
        let mut document = Self {
            node: compared.node.as_deref(),
            image: compared.image.as_str(),
            state: match &compared.state {
                State::Missing => "missing",
                State::Unreadable(_) => "unreadable",
                State::Seen(_) if compared.differs() => "differs",
                State::Seen(_) => "same",
            },
            problem: None,
            layout: Vec::new(),
            paths: Vec::new(),
        };
        match &compared.state {
            State::Missing => {}
            State::Unreadable(problem) => document.problem = Some(problem),
            State::Seen(difference) => {
                document.layout = difference
                    .layout
                    .iter()
                    .map(|found| LayoutDocument {
                        what: &found.what,
                        before: found.before.as_deref(),
                        after: found.after.as_deref(),
                    })
                    .collect();
                let boot = difference.boot.iter().map(|found| ("boot", found));
                let root = difference.root.iter().map(|found| ("root", found));
                document.paths = boot
                    .chain(root)
                    .map(|(partition, found)| PathDocument::of(partition, found))
                    .collect();
            }
        }
        document
    }
}

impl<'a> PathDocument<'a> {
    fn of(partition: &'static str, found: &'a PathDifference) -> Self {
        let side = |side: &'a Option<Found>| {
            let shows_length = !found.secret && found.content != ContentDifference::None;
            side.as_ref()
                .map(|side| FoundDocument::of(side, shows_length))
        };
        let mut document = Self {
            partition,
            path: found.path.as_str(),
            change: match (&found.before, &found.after) {
                (None, _) => "added",
                (_, None) => "removed",
                _ => "changed",
            },
            secret: found.secret,
            before: side(&found.before),
            after: side(&found.after),
            aspects: found.aspects().iter().map(ToString::to_string).collect(),
            content: None,
            problem: None,
            diff: None,
            lines_added: None,
            lines_removed: None,
        };
        document.content = match &found.content {
            ContentDifference::None => None,
            ContentDifference::Text(text) => {
                document.diff = Some(&text.hunks);
                document.lines_added = Some(text.added);
                document.lines_removed = Some(text.removed);
                Some("text")
            }
            ContentDifference::Bytes => Some("bytes"),
            ContentDifference::Secret => Some("secret"),
            ContentDifference::Unreadable(problem) => {
                document.problem = Some(problem);
                Some("unreadable")
            }
        };
        document
    }
}

impl<'a> FoundDocument<'a> {
    fn of(found: &'a Found, shows_length: bool) -> Self {
        Self {
            kind: match (&found.entry.kind, &found.special) {
                (_, Some(special)) => special,
                (EntryKind::Dir, _) => "directory",
                (EntryKind::File { .. }, _) => "file",
                (EntryKind::Symlink { .. }, _) => "link",
                (EntryKind::Special, _) => "special",
            },
            owner: found.entry.owner.to_string(),
            mode: found.entry.mode.to_string(),
            bytes: found.len().filter(|_| shows_length),
            target: match &found.entry.kind {
                EntryKind::Symlink { target } => Some(target),
                _ => None,
            },
            attributes: found
                .xattrs
                .iter()
                .map(|(name, value)| (name.as_str(), value.len()))
                .collect(),
        }
    }
}
