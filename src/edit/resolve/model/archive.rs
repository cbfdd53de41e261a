//! The one archive that random edits unpack.

use sha2::{Digest, Sha256};

use crate::edit::{ArchiveId, Archives, EditError, Mode, StagedEntry, StagedKind};

pub(super) enum Member {
    Dir(u16),
    File(&'static str, u16),
    Link(&'static str),
}

/// The one archive there is: parents unlisted or listed late, a file twice, a
/// link that later members go through.
pub(super) const MEMBERS: &[(&str, Member)] = &[
    ("./a", Member::Dir(0o755)),
    ("a/b/c", Member::File("text\n", 0o644)),
    ("a/b", Member::Dir(0o750)),
    ("a/c", Member::Link("b")),
    ("a/c/d", Member::File("through\n", 0o755)),
    ("a/b/c", Member::File("again\n", 0o600)),
    ("d/a", Member::Link("../a")),
];

pub(super) const PATTERNS: &[&str] = &["a", "b", "a/b", "*/b", "**/c", "b/**", "c"];

pub(super) fn naively_matches(pattern: &str, part: &[String]) -> bool {
    let part: Vec<&str> = part.iter().map(String::as_str).collect();
    match pattern {
        "*/b" => part.len() == 2 && part[1] == "b",
        "**/c" => part.last() == Some(&"c"),
        "b/**" => part.len() > 1 && part[0] == "b",
        plain => part.join("/") == plain,
    }
}

pub(super) struct OneArchive(Vec<StagedEntry>);

impl OneArchive {
    pub(super) fn new() -> Self {
        let entry = |(name, what): &(&str, Member)| {
            let (kind, mode) = match what {
                Member::Dir(mode) => (StagedKind::Dir, *mode),
                Member::Link(to) => (
                    StagedKind::Symlink {
                        target: (*to).to_owned(),
                    },
                    0o777,
                ),
                Member::File(text, mode) => {
                    let file = StagedKind::File {
                        host: "/staged".into(),
                        len: text.len() as u64,
                        sha256: Sha256::digest(text).into(),
                    };
                    (file, *mode)
                }
            };
            StagedEntry {
                name: (*name).to_owned(),
                kind,
                mode: Mode::new(mode),
            }
        };
        Self(MEMBERS.iter().map(entry).collect())
    }
}

impl Archives for OneArchive {
    fn members(&self, _: &ArchiveId) -> Result<&[StagedEntry], EditError> {
        Ok(&self.0)
    }
}
