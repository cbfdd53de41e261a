use std::collections::BTreeMap;

use super::*;
use crate::edit::{ArchiveId, Content, ImagePath, Mode, Owner};

fn path(text: &str) -> ImagePath {
    ImagePath::new(text).unwrap()
}

fn own(items: &[&str]) -> Vec<String> {
    items.iter().map(|&item| item.to_owned()).collect()
}

fn entry(key: &str, line: &str, secret: bool) -> TextEdit {
    TextEdit::SetEntry {
        key: key.to_owned(),
        line: line.to_owned(),
        secret,
    }
}

fn fstab(at: &str, add: &[&str], remove: &[&str]) -> TextEdit {
    TextEdit::FstabOptions {
        mount_point: at.to_owned(),
        add: own(add),
        remove: own(remove),
    }
}

fn unpack(archive: &str, into: &str, strip: usize, drop: &[&str], owner: Owner) -> Edit {
    Edit::UnpackTree {
        archive: ArchiveId(archive.to_owned()),
        into: path(into),
        unpack: Unpack {
            strip,
            drop: own(drop),
            owner,
        },
    }
}

/// Edits of which no two are the same, though most differ in one field.
fn all_different() -> Vec<Edit> {
    let a = || "a".to_owned();
    let b = || "b".to_owned();
    let root = Owner::ROOT;
    let owners = [root, Owner::new(1, 0), Owner::new(0, 1)];
    let mut edits = Vec::new();
    let attributes = [
        ("/a", owners[0], Mode::FILE),
        ("/b", owners[0], Mode::FILE),
        ("/a", owners[1], Mode::FILE),
        ("/a", owners[2], Mode::FILE),
        ("/a", owners[0], Mode::SECRET),
    ];
    for (at, owner, mode) in attributes {
        edits.push(Edit::MakeDir {
            path: path(at),
            owner,
            mode,
        });
        let content = Content::text("a");
        edits.push(Edit::PutFile {
            path: path(at),
            content,
            owner,
            mode,
        });
        edits.push(Edit::CopyTree {
            from: path(at),
            to: path("/a"),
            owner,
            mode,
        });
    }
    for content in [Content::text("b"), Content::text(""), Content::secret("a")] {
        edits.push(Edit::PutFile {
            path: path("/a"),
            content,
            owner: root,
            mode: Mode::FILE,
        });
    }
    edits.push(Edit::CopyTree {
        from: path("/a"),
        to: path("/b"),
        owner: root,
        mode: Mode::FILE,
    });
    for (at, target) in [("/a", "a"), ("/b", "a"), ("/a", "b")] {
        edits.push(Edit::Symlink {
            path: path(at),
            target: target.to_owned(),
        });
    }
    edits.push(Edit::Remove { path: path("/a") });
    edits.push(Edit::Remove { path: path("/b") });
    for owner in owners {
        edits.push(unpack("a", "/a", 1, &["a"], owner));
    }
    edits.push(unpack("b", "/a", 1, &["a"], root));
    edits.push(unpack("a", "/b", 1, &["a"], root));
    edits.push(unpack("a", "/a", 2, &["a"], root));
    edits.push(unpack("a", "/a", 1, &[], root));
    edits.push(unpack("a", "/a", 1, &["a", "b"], root));
    edits.push(unpack("a", "/a", 1, &["b", "a"], root));

    let texts = [
        entry("a", "a", false),
        entry("b", "a", false),
        entry("a", "b", false),
        entry("a", "a", true),
        // The same text in a row, cut elsewhere.
        entry("ab", "c", false),
        entry("a", "bc", false),
        TextEdit::RemoveEntry { key: a() },
        TextEdit::RemoveEntry { key: b() },
        TextEdit::AddMember {
            group: a(),
            user: a(),
        },
        TextEdit::AddMember {
            group: b(),
            user: a(),
        },
        TextEdit::AddMember {
            group: a(),
            user: b(),
        },
        TextEdit::RemoveMember { user: a() },
        TextEdit::RemoveMember { user: b() },
        TextEdit::Cmdline(CmdlineEdit::Ensure(a())),
        TextEdit::Cmdline(CmdlineEdit::Ensure(b())),
        TextEdit::Cmdline(CmdlineEdit::Set {
            key: a(),
            value: a(),
        }),
        TextEdit::Cmdline(CmdlineEdit::Set {
            key: b(),
            value: a(),
        }),
        TextEdit::Cmdline(CmdlineEdit::Set {
            key: a(),
            value: b(),
        }),
        TextEdit::Cmdline(CmdlineEdit::Remove(a())),
        TextEdit::Cmdline(CmdlineEdit::Remove(b())),
        TextEdit::ConfigLine { line: a() },
        TextEdit::ConfigLine { line: b() },
        TextEdit::EnsureLine { line: a() },
        TextEdit::EnsureLine { line: b() },
        TextEdit::RemoveLines {
            prefixes: own(&["a"]),
        },
        TextEdit::RemoveLines {
            prefixes: own(&["a", "b"]),
        },
        TextEdit::RemoveLines {
            prefixes: own(&["ab"]),
        },
        TextEdit::ReplaceWord { from: a(), to: a() },
        TextEdit::ReplaceWord { from: b(), to: a() },
        TextEdit::ReplaceWord { from: a(), to: b() },
        fstab("a", &["a"], &["b"]),
        fstab("b", &["a"], &["b"]),
        fstab("a", &["a"], &[]),
        fstab("a", &["a", "b"], &[]),
        fstab("a", &[], &["a", "b"]),
    ];
    edits.extend(texts.into_iter().map(|edit| Edit::EditText {
        path: path("/a"),
        edit,
    }));
    edits.push(Edit::EditText {
        path: path("/b"),
        edit: entry("a", "a", false),
    });
    edits
}

#[test]
fn every_field_matters() {
    let mut seen: BTreeMap<[u8; 32], Edit> = BTreeMap::new();
    for edit in all_different() {
        let digest = digest(std::slice::from_ref(&edit));
        if let Some(other) = seen.insert(digest, edit.clone()) {
            panic!("the same digest for {edit} and {other}");
        }
    }
}

#[test]
fn order_grouping_and_partition_matter() {
    let [a, b] = ["/a", "/b"].map(|at| Edit::Remove { path: path(at) });
    let edits = |boot: &[&Edit], root: &[&Edit]| Edits {
        boot: boot.iter().copied().cloned().collect(),
        root: root.iter().copied().cloned().collect(),
    };
    let all = [
        edits(&[], &[]),
        edits(&[&a], &[]),
        edits(&[], &[&a]),
        edits(&[&a, &b], &[]),
        edits(&[&b, &a], &[]),
        edits(&[&a], &[&b]),
        edits(&[&a], &[&a]),
        edits(&[&a, &a], &[]),
    ];
    let digests: std::collections::BTreeSet<_> = all.iter().map(Edits::digest).collect();
    assert_eq!(digests.len(), all.len());
}

/// Cached layers are found by this digest. If it changes on purpose, raise
/// the version in `DOMAIN` and put the new value here.
#[test]
fn the_encoding_is_stable() {
    insta::assert_snapshot!(hex::encode(digest(&all_different())), @"927245421f0aef0152d26e3eab86e67ca652e6be8ce25e0abefc168720d1ddde");
}
