//! Trees as text, and differences between them.

use std::collections::BTreeSet;
use std::fmt;

use super::{Node, Tree};
use crate::edit::{EntryKind, ImagePath, TreeEntry};

impl Tree {
    /// What is different in `after`, in order of path.
    pub fn diff(&self, after: &Self) -> Vec<TreeDifference> {
        let paths: BTreeSet<&ImagePath> = self.nodes.keys().chain(after.nodes.keys()).collect();
        paths
            .into_iter()
            .filter_map(|path| match (self.nodes.get(path), after.nodes.get(path)) {
                (Some(old), Some(new)) if old != new => Some(TreeDifference::Changed {
                    before: line(path, old),
                    after: line(path, new),
                }),
                (Some(old), None) => Some(TreeDifference::Removed(line(path, old))),
                (None, Some(new)) => Some(TreeDifference::Added(line(path, new))),
                _ => None,
            })
            .collect()
    }
}

/// One path of the text form, without a line end.
fn line(path: &ImagePath, node: &Node) -> String {
    let TreeEntry { kind, owner, mode } = node.entry();
    let kind = match kind {
        EntryKind::Dir => "dir ",
        EntryKind::File { .. } => "file",
        EntryKind::Symlink { .. } => "link",
        EntryKind::Special => "node",
    };
    let rest = match node {
        Node::File { content, .. } => format!(" {content}"),
        Node::Symlink { target, .. } => format!(" -> {target}"),
        Node::Dir { .. } | Node::Special { .. } => String::new(),
    };
    format!("{mode} {owner} {kind} {path}{rest}")
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, node) in &self.nodes {
            writeln!(f, "{}", line(path, node))?;
        }
        Ok(())
    }
}

/// One path that differs between two trees, as lines of their text form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeDifference {
    /// Only the second has it.
    Added(String),
    /// Only the first has it.
    Removed(String),
    /// Both have it, differently.
    Changed {
        /// In the first.
        before: String,
        /// In the second.
        after: String,
    },
}

/// `+ line`, `- line`, or both in two lines.
impl fmt::Display for TreeDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(line) => write!(f, "+ {line}"),
            Self::Removed(line) => write!(f, "- {line}"),
            Self::Changed { before, after } => write!(f, "- {before}\n+ {after}"),
        }
    }
}
