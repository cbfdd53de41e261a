//! Comparisons of trees, by hand and at random.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::edit::{Edit, ImagePath, Mode, Node, NodeContent, Owner, ReadTree, Tree, resolve};

fn path(text: &str) -> ImagePath {
    ImagePath::new(text).unwrap()
}

fn reader(tree: &Tree) -> impl Fn(&ImagePath) -> Result<Vec<u8>, String> {
    |path| tree.read(path).map_err(|error| error.to_string())
}

/// What differs between two trees in memory.
fn between(before: &Tree, after: &Tree) -> Vec<PathDifference> {
    let (old, new) = (list(before).unwrap(), list(after).unwrap());
    let secrets = BTreeSet::new();
    let (read_before, read_after) = (reader(before), reader(after));
    let asked = candidates(&old, &new);
    compare(
        Side {
            listing: &old,
            read: &read_before,
            secrets: &secrets,
        },
        Side {
            listing: &new,
            read: &read_after,
            secrets: &secrets,
        },
        Look::default(),
        &|path| {
            assert!(asked.contains(&path), "{path} is no candidate");
            Ok(before.digest(path).unwrap() == after.digest(path).unwrap())
        },
    )
}

fn file(bytes: impl Into<Vec<u8>>, mode: u16) -> Node {
    Node::File {
        content: NodeContent::Bytes(bytes.into()),
        owner: Owner::ROOT,
        mode: Mode::new(mode),
    }
}

fn tree<const N: usize>(nodes: [(&str, Node); N]) -> Tree {
    let mut tree = Tree::new();
    for (at, node) in nodes {
        tree.insert(path(at), node).unwrap();
    }
    tree
}

fn one(before: Node, after: Node) -> PathDifference {
    let mut found = between(&tree([("/f", before)]), &tree([("/f", after)]));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn text_is_shown_by_line() {
    let old = "one\ntwo\nthree\nfour\nfive\nsix\n";
    let new = "one\ntwo\nthree\nfour\n5\nsix\n";
    let found = one(file(old, 0o644), file(new, 0o644));
    let ContentDifference::Text(text) = &found.content else {
        panic!("{found:?}");
    };
    insta::assert_snapshot!(text.hunks, @r"
    @@ -2,5 +2,5 @@
     two
     three
     four
    -five
    +5
     six
    ");
    assert_eq!((text.added, text.removed), (1, 1));
    assert_eq!(found.aspects(), [Aspect::Content]);
}

#[test]
fn control_characters_do_nothing_to_a_terminal() {
    let found = one(file("a\n", 0o644), file("\x1b[2J\r\n", 0o644));
    let ContentDifference::Text(text) = &found.content else {
        panic!("{found:?}");
    };
    assert!(text.hunks.contains("+\\u{1b}[2J\\r\n"), "{}", text.hunks);
}

#[test]
fn bytes_are_not_shown() {
    let found = one(file(b"a\0b", 0o644), file(b"a\0c", 0o644));
    assert_eq!(found.content, ContentDifference::Bytes);
    let long = "x".repeat(usize::try_from(unified::LONGEST).unwrap() + 1);
    let found = one(file(long.clone() + "y", 0o644), file(long, 0o644));
    assert_eq!(found.content, ContentDifference::Bytes);
}

#[test]
fn kinds_owners_modes_and_targets_are_aspects() {
    let link = |target: &str| Node::Symlink {
        target: target.to_owned(),
        owner: Owner::ROOT,
    };
    let words = |found: PathDifference| -> Vec<String> {
        found.aspects().iter().map(ToString::to_string).collect()
    };
    assert_eq!(words(one(link("a"), link("b"))), ["link to a -> b"]);
    assert_eq!(
        words(one(file("x", 0o644), link("b"))),
        ["a file -> a symbolic link"]
    );
    let dir = Node::Dir {
        owner: Owner::new(1, 2),
        mode: Mode::new(0o700),
    };
    assert_eq!(
        words(one(file("", 0o644), dir)),
        [
            "a file -> a directory",
            "owner 0:0 -> 1:2",
            "mode 0644 -> 0700"
        ]
    );
}

#[test]
fn times_and_attributes_count_where_they_are_told() {
    let tree = tree([("/f", file("x", 0o644))]);
    let old = list(&tree).unwrap();
    let mut new = old.clone();
    let found = new.get_mut("/f").unwrap();
    found.modified = Some(7);
    found
        .xattrs
        .insert("security.capability".to_owned(), vec![1, 2]);
    found
        .xattrs
        .insert("user.note".to_owned(), b"psst".to_vec());
    let mut dated = old.clone();
    dated.get_mut("/f").unwrap().modified = Some(6);
    let secrets = BTreeSet::new();
    let words = |before: &Listing, look: Look| -> Vec<String> {
        let read = reader(&tree);
        let side = |listing| Side {
            listing,
            read: &read,
            secrets: &secrets,
        };
        let found = compare(side(before), side(&new), look, &|_| Ok(true));
        let aspects = found.iter().flat_map(PathDifference::aspects);
        aspects.map(|aspect| aspect.to_string()).collect()
    };
    let attributes = [
        "security.capability none -> 0102",
        "user.note none -> 4 bytes",
    ];
    assert_eq!(words(&old, Look { times: true }), attributes);
    assert_eq!(words(&dated, Look { times: false }), attributes);
    assert_eq!(words(&dated, Look { times: true })[2], "changed at 6 -> 7");
}

#[test]
fn what_cannot_be_read_differs() {
    let tree = tree([("/f", file("x", 0o644))]);
    let listing = list(&tree).unwrap();
    let secrets = BTreeSet::new();
    let side = Side {
        listing: &listing,
        read: &reader(&tree),
        secrets: &secrets,
    };
    let found = compare(
        side,
        side,
        Look::default(),
        &|_| Err("bad block".to_owned()),
    );
    assert_eq!(found[0].aspects(), [Aspect::Unreadable]);
    assert_eq!(
        found[0].content,
        ContentDifference::Unreadable("bad block".to_owned())
    );
}

#[test]
fn a_plan_knows_secrets_that_nobody_else_does() {
    let (old, new) = (
        tree([("/motd", file("hunter1\n", 0o644))]),
        tree([("/motd", file("hunter2\n", 0o644))]),
    );
    let (before, after) = (list(&old).unwrap(), list(&new).unwrap());
    let (nothing, secrets) = (BTreeSet::new(), BTreeSet::from([path("/motd")]));
    let found = compare(
        Side {
            listing: &before,
            read: &reader(&old),
            secrets: &nothing,
        },
        Side {
            listing: &after,
            read: &reader(&new),
            secrets: &secrets,
        },
        Look::default(),
        &|_| Ok(false),
    );
    assert_eq!(found[0].content, ContentDifference::Secret);
    assert!(found[0].secret && !format!("{found:?}").contains("hunter"));
}

/// Names from a small stock, so that two trees have much in common.
fn any_tree() -> impl Strategy<Value = Tree> {
    let lines = prop::collection::vec("[ab]{0,2}", 0..8).prop_map(|lines| lines.join("\n"));
    let bytes = prop_oneof![
        4 => lines.prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    let mode = prop::sample::select(vec![0o644, 0o755, 0o4755]).prop_map(Mode::new);
    let owner = (0u32..2).prop_map(|uid| Owner::new(uid, 0));
    let node = (0u8..10, bytes, mode, owner).prop_map(|(kind, bytes, mode, owner)| match kind {
        0..=4 => Node::File {
            content: NodeContent::Bytes(bytes),
            owner,
            mode,
        },
        5..=7 => Node::Dir { owner, mode },
        8 => Node::Symlink {
            target: "ab"[..1 + bytes.len() % 2].to_owned(),
            owner,
        },
        _ => Node::Special { owner, mode },
    });
    let at = prop::collection::vec(prop::sample::select(vec!["a", "b", "a.d", "c"]), 1..4)
        .prop_map(|names| path(&format!("/{}", names.join("/"))));
    prop::collection::vec((at, node), 0..24).prop_map(|nodes| {
        let mut tree = Tree::new();
        for (at, node) in nodes {
            // What does not fit is left out.
            let _ = tree.insert(at, node);
        }
        tree
    })
}

/// Takes `before` to `after` by the paths that `found` names and no others.
fn applied(before: &Tree, after: &Tree, found: &[PathDifference]) -> Tree {
    let mut nodes: std::collections::BTreeMap<ImagePath, Node> = before
        .iter()
        .map(|(path, node)| (path.clone(), node.clone()))
        .collect();
    for difference in found {
        match after.node(&difference.path) {
            Some(node) => nodes.insert(difference.path.clone(), node.clone()),
            None => nodes.remove(&difference.path),
        };
    }
    let mut tree = Tree::new();
    for (at, node) in nodes {
        tree.insert(at, node).unwrap();
    }
    tree
}

/// Applies the hunks of a unified diff, strictly: what it says is unchanged or
/// removed has to be there.
fn patched(text: &str, hunks: &str) -> String {
    let old: Vec<&str> = text.split_inclusive('\n').collect();
    let mut new = String::new();
    let mut at = 0;
    let mut lines = hunks.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        // As diff(1) marks a last line without its end.
        let mut body = line[1..].to_owned();
        if lines.peek().is_some_and(|next| next.starts_with('\\')) {
            body.truncate(body.len() - 1);
            lines.next();
        }
        match line.as_bytes()[0] {
            b'@' => {
                let from = line[4..].split([',', ' ']).next().unwrap();
                let empty = line[4..].split(' ').next().unwrap().ends_with(",0");
                let from = from.parse::<usize>().unwrap() - usize::from(!empty);
                new.extend(old[at..from].iter().copied());
                at = from;
            }
            b' ' => {
                assert_eq!(old[at], body);
                new.push_str(&body);
                at += 1;
            }
            b'-' => {
                assert_eq!(old[at], body);
                at += 1;
            }
            b'+' => new.push_str(&body),
            _ => panic!("{line:?} in\n{hunks}"),
        }
    }
    new.extend(old[at..].iter().copied());
    new
}

proptest! {
    #[test]
    fn a_difference_applied_gives_the_second_tree(before in any_tree(), after in any_tree()) {
        let found = between(&before, &after);
        prop_assert_eq!(applied(&before, &after, &found), after.clone());
        for difference in &found {
            // Nothing is in it that does not differ.
            prop_assert_ne!(before.node(&difference.path), after.node(&difference.path));
            let both = difference.before.is_some() && difference.after.is_some();
            prop_assert_eq!(both, !difference.aspects().is_empty());
            if let ContentDifference::Text(text) = &difference.content {
                let read = |tree: &Tree| match tree.node(&difference.path) {
                    Some(Node::File { .. }) => {
                        String::from_utf8(tree.read(&difference.path).unwrap()).unwrap()
                    }
                    _ => String::new(),
                };
                let (old, new) = (read(&before), read(&after));
                if !(old.clone() + &new).contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
                    prop_assert_eq!(patched(&old, &text.hunks), new);
                }
            }
        }
    }

    #[test]
    fn a_tree_does_not_differ_from_itself(tree in any_tree()) {
        prop_assert_eq!(between(&tree, &tree), []);
    }

    #[test]
    fn the_other_way_round_the_same_paths_differ(before in any_tree(), after in any_tree()) {
        let there = between(&before, &after);
        let back = between(&after, &before);
        prop_assert_eq!(there.len(), back.len());
        for (there, back) in there.iter().zip(&back) {
            prop_assert_eq!(&there.path, &back.path);
            prop_assert_eq!(&there.before, &back.after);
            prop_assert_eq!(&there.after, &back.before);
            if let (ContentDifference::Text(there), ContentDifference::Text(back)) =
                (&there.content, &back.content)
            {
                prop_assert_eq!((there.added, there.removed), (back.removed, back.added));
            }
        }
    }

    /// What `lay` makes of a listing is the listing of the tree changed.
    #[test]
    fn changes_laid_over_a_listing_are_the_changed_tree(
        before in any_tree(),
        after in any_tree(),
        removed in prop::sample::select(vec!["/a", "/b", "/a/b", "/a.d", "/c/a"]),
    ) {
        // The second tree as edits, as far as edits can make it.
        let mut edits = vec![Edit::Remove { path: path(removed) }];
        for (at, node) in after.iter().filter(|(at, _)| !at.is_root()) {
            match node {
                Node::Dir { owner, mode } => edits.push(Edit::MakeDir {
                    path: at.clone(),
                    owner: *owner,
                    mode: *mode,
                }),
                Node::File { owner, mode, .. } => edits.push(Edit::PutFile {
                    path: at.clone(),
                    content: crate::edit::Content::secret(after.read(at).unwrap()),
                    owner: *owner,
                    mode: *mode,
                }),
                _ => {}
            }
        }
        // What meets something else in its way ends the list.
        let fitting = (0..=edits.len())
            .rev()
            .find_map(|n| resolve(&edits[..n], &before, &()).ok())
            .unwrap();
        let mut listing = list(&before).unwrap();
        lay(&mut listing, &fitting, None);
        let mut changed = before.clone();
        changed.apply(&fitting).unwrap();
        prop_assert_eq!(listing, list(&changed).unwrap());
    }
}
