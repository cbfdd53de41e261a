//! Changes, by hand and at random, and the reference meaning they have.

use std::collections::BTreeMap;

use pidoop::edit::{
    Changes, EntryKind, FileContent, ImagePath, Mode, Owner, ReadTree, Target, TreeEntry,
};
use proptest::prelude::*;

pub(crate) fn path(text: &str) -> ImagePath {
    ImagePath::new(text).unwrap()
}

pub(crate) fn file(content: impl Into<Vec<u8>>, owner: Owner, mode: u16) -> Target {
    let content = FileContent::Inline {
        bytes: content.into(),
        secret: false,
    };
    Target::File {
        content,
        owner,
        mode: Mode::new(mode),
    }
}

pub(crate) fn dir(owner: Owner, mode: u16) -> Target {
    Target::Dir {
        owner,
        mode: Mode::new(mode),
    }
}

pub(crate) fn link(target: &str) -> Target {
    Target::Symlink {
        target: target.to_owned(),
    }
}

pub(crate) fn changes<const R: usize, const T: usize>(
    removed: [&str; R],
    targets: [(&str, Target); T],
) -> Changes {
    Changes {
        removed: removed.into_iter().map(path).collect(),
        targets: targets
            .into_iter()
            .map(|(name, target)| (path(name), target))
            .collect(),
    }
}

/// Checks that each target is in `tree` as it should be, and nothing removed.
#[track_caller]
pub(crate) fn assert_done(changes: &Changes, tree: &dyn ReadTree, owners: bool) {
    for gone in changes
        .removed
        .iter()
        .filter(|gone| !changes.targets.contains_key(*gone))
    {
        assert_eq!(tree.entry(gone).unwrap(), None, "{gone} is still there");
    }
    for (path, target) in &changes.targets {
        let entry = tree
            .entry(path)
            .unwrap()
            .unwrap_or_else(|| panic!("{path} is missing"));
        let (kind, owner, mode) = match target {
            Target::Dir { owner, mode } => (EntryKind::Dir, *owner, *mode),
            Target::File {
                content,
                owner,
                mode,
            } => {
                let bytes = match content {
                    FileContent::Inline { bytes, .. } => bytes.clone(),
                    FileContent::Staged { host, .. } => fs_err::read(host).unwrap(),
                };
                assert!(tree.read(path).unwrap() == bytes, "content of {path}");
                (
                    EntryKind::File {
                        len: bytes.len() as u64,
                    },
                    *owner,
                    *mode,
                )
            }
            Target::Symlink { target } => {
                let kind = EntryKind::Symlink {
                    target: target.clone(),
                };
                (kind, Owner::ROOT, Mode::new(0o777))
            }
        };
        let expected = match owners {
            true => TreeEntry { kind, owner, mode },
            false => TreeEntry {
                kind,
                owner: Owner::ROOT,
                mode: Mode::EXECUTABLE,
            },
        };
        assert_eq!(entry, expected, "{path}");
    }
}

/// All paths of a tree with what they are; content as its length and bytes'
/// digest.
pub(crate) fn listing(tree: &dyn ReadTree) -> BTreeMap<ImagePath, (TreeEntry, Option<[u8; 32]>)> {
    let mut all = BTreeMap::new();
    let mut open = vec![ImagePath::root()];
    while let Some(at) = open.pop() {
        let entry = tree.entry(&at).unwrap().unwrap();
        let digest = match entry.kind {
            EntryKind::File { .. } => Some(tree.digest(&at).unwrap()),
            _ => None,
        };
        if entry.kind == EntryKind::Dir {
            open.extend(
                tree.children(&at)
                    .unwrap()
                    .iter()
                    .map(|name| at.join(name).unwrap()),
            );
        }
        all.insert(at, (entry, digest));
    }
    all
}

/// What a failed random test prints.
pub(crate) fn short(error: impl ToString) -> String {
    error.to_string().chars().take(2000).collect()
}

/// Random changes to a tree that has `/dir0` to `/dir3` at most: names from a
/// small stock, so that later ones meet what earlier ones left.
pub(crate) fn random(links: bool) -> impl Strategy<Value = Changes> {
    let content = prop_oneof![
        Just(Vec::new()),
        prop::collection::vec(any::<u8>(), 1..200),
        (any::<u8>(), 1usize..40_000).prop_map(|(byte, len)| vec![byte; len]),
        // Zeros inside, which become holes on ext4.
        (1usize..5).prop_map(|n| [vec![1; 4096 * n], vec![0; 9000], vec![2; 77]].concat()),
    ];
    let owner = (0u32..100_000, 0u32..100_000).prop_map(|(uid, gid)| Owner::new(uid, gid));
    let leaf = (content, owner.clone(), 0u16..0o10000).prop_map(|(bytes, owner, mode)| {
        let content = FileContent::Inline {
            bytes,
            secret: false,
        };
        Target::File {
            content,
            owner,
            mode: Mode::new(mode),
        }
    });
    let names = prop::sample::select(vec![
        "a",
        "b",
        "config.txt",
        "a b  c",
        "Größe #1 (neu)",
        "it's $HOME; `x` & 'y'",
        "-rf",
        "x=~y",
        "a-name-long-enough-to-need-several-entries-of-thirteen-letters.conf",
    ]);
    let leaf = if links {
        prop_oneof![
            4 => leaf,
            1 => "[a-zA-Z0-9/._ \"'-]{1,100}".prop_map(|target| Target::Symlink { target }),
        ]
        .boxed()
    } else {
        leaf.boxed()
    };
    let dirs = prop::collection::btree_map(0u8..4, (owner, 0u16..0o10000), 1..4);
    let leaves = prop::collection::vec((0u8..4, names, leaf), 0..12);
    let removed = prop::collection::vec(0u8..4, 0..2);
    (dirs, leaves, removed).prop_map(|(dirs, leaves, removed)| {
        let removed = removed.iter().map(|n| path(&format!("/dir{n}"))).collect();
        let mut changes = Changes {
            removed,
            ..Changes::default()
        };
        for (n, name, target) in leaves {
            let parent = path(&format!("/dir{n}"));
            changes.targets.insert(parent.join(name).unwrap(), target);
            changes
                .targets
                .entry(parent)
                .or_insert(dir(Owner::ROOT, 0o755));
        }
        for (n, (owner, mode)) in dirs {
            let target = Target::Dir {
                owner,
                mode: Mode::new(mode),
            };
            changes.targets.insert(path(&format!("/dir{n}")), target);
        }
        changes
    })
}
