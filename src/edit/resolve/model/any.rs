//! Random trees and edits, over few names so that they meet.

use proptest::prelude::*;

use super::archive::PATTERNS;
use super::naive::special;
use crate::edit::{
    ArchiveId, Content, Edit, ImagePath, Mode, Node, NodeContent, Owner, TextEdit, Tree, Unpack,
};

pub(super) fn any_path() -> impl Strategy<Value = ImagePath> {
    proptest::collection::vec(prop::sample::select(vec!["a", "b", "c", "d"]), 0..=3)
        .prop_map(|names| ImagePath::new(&format!("/{}", names.join("/"))).unwrap())
}

pub(super) fn any_link() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a", "b", "/a", "/b/c", "../b", "..", "/", ".", "a/../b", "/c//d/", "../../a", "/no", "",
    ])
    .prop_map(str::to_owned)
}

pub(super) fn any_owner() -> impl Strategy<Value = Owner> {
    prop_oneof![3 => Just(Owner::ROOT), 1 => Just(Owner::new(1000, 1000))]
}

pub(super) fn any_mode() -> impl Strategy<Value = Mode> {
    prop::sample::select(vec![0o755, 0o644, 0o640]).prop_map(Mode::new)
}

pub(super) fn any_text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "k:v\n", "k:w", "x\n", "text\n"]).prop_map(str::to_owned)
}

pub(super) fn any_text_edit() -> impl Strategy<Value = TextEdit> {
    prop_oneof![
        any::<bool>().prop_map(|secret| TextEdit::SetEntry {
            key: "k".to_owned(),
            line: "k:v".to_owned(),
            secret,
        }),
        Just(TextEdit::EnsureLine {
            line: "x".to_owned()
        }),
        Just(TextEdit::EnsureLine {
            line: String::new()
        }),
    ]
}

pub(super) fn any_edit() -> impl Strategy<Value = Edit> {
    let content = (any_text(), any::<bool>()).prop_map(|(text, secret)| {
        if secret {
            Content::secret(text)
        } else {
            Content::text(text)
        }
    });
    let drop = proptest::collection::vec(prop::sample::select(PATTERNS), 0..3)
        .prop_map(|patterns| patterns.into_iter().map(str::to_owned).collect());
    prop_oneof![
        3 => (any_path(), any_owner(), any_mode())
            .prop_map(|(path, owner, mode)| Edit::MakeDir { path, owner, mode }),
        3 => (any_path(), content, any_owner(), any_mode())
            .prop_map(|(path, content, owner, mode)| Edit::PutFile { path, content, owner, mode }),
        2 => (any_path(), any_link()).prop_map(|(path, target)| Edit::Symlink { path, target }),
        3 => any_path().prop_map(|path| Edit::Remove { path }),
        2 => (any_path(), any_text_edit()).prop_map(|(path, edit)| Edit::EditText { path, edit }),
        1 => (any_path(), any_path(), any_owner(), any_mode())
            .prop_map(|(from, to, owner, mode)| Edit::CopyTree { from, to, owner, mode }),
        1 => (any_path(), 0..3_usize, drop, any_owner()).prop_map(|(into, strip, drop, owner)| {
            let archive = ArchiveId("00".to_owned());
            Edit::UnpackTree { archive, into, unpack: Unpack { strip, drop, owner } }
        }),
    ]
}

pub(super) fn any_node() -> impl Strategy<Value = Node> {
    prop_oneof![
        3 => (any_owner(), any_mode()).prop_map(|(owner, mode)| Node::Dir { owner, mode }),
        3 => (any_text(), any_owner(), any_mode()).prop_map(|(text, owner, mode)| Node::File {
            content: NodeContent::Bytes(text.into_bytes()),
            owner,
            mode,
        }),
        2 => (any_link(), any_owner())
            .prop_map(|(target, owner)| Node::Symlink { target, owner }),
        1 => Just(special()),
    ]
}

/// A tree of what fits of a list of random paths.
pub(super) fn any_base() -> impl Strategy<Value = Tree> {
    proptest::collection::vec((any_path(), any_node()), 0..24).prop_map(|mut paths| {
        paths.sort_by_key(|(path, _)| path.components().count());
        let mut tree = Tree::new();
        for (path, node) in paths {
            // What does not fit (a file's child, a second root) is left out.
            let _ = tree.insert(path, node);
        }
        tree
    })
}
