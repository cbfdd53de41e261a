//! Differences of texts, line by line.

use similar::{ChangeTag, TextDiff};

/// Longest text that is shown line by line, in bytes: longer ones are read by
/// nobody, and comparing them takes long.
pub(super) const LONGEST: u64 = 256 << 10;

/// Unchanged lines around changed ones, as diff(1) has.
const CONTEXT: usize = 3;

/// How two texts differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextDifference {
    /// The hunks of a unified diff, without the two lines that name the files.
    /// Secrets are replaced; control characters but line ends and tabs are
    /// written as escapes.
    pub hunks: String,
    /// Lines that only the second has.
    pub added: usize,
    /// Lines that only the first has.
    pub removed: usize,
}

impl TextDifference {
    /// Of two texts that may be shown.
    pub(super) fn of(before: &str, after: &str) -> Self {
        let diff = TextDiff::from_lines(before, after);
        let count = |tag| diff.iter_all_changes().filter(|c| c.tag() == tag).count();
        let hunks = diff.unified_diff().context_radius(CONTEXT).to_string();
        Self {
            hunks: tame(&hunks),
            added: count(ChangeTag::Insert),
            removed: count(ChangeTag::Delete),
        }
    }
}

/// Text without characters that would make a terminal do something.
fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && !matches!(c, '\n' | '\t') {
            tamed.extend(c.escape_default());
        } else {
            tamed.push(c);
        }
    }
    tamed
}

/// The text in `bytes`, if it is one: UTF-8 without NUL.
pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
}
