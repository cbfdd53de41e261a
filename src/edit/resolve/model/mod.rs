//! Random edits, carried out by [`resolve()`] and by a second, naive file
//! system that does one edit after the other on a plain map.

mod any;
mod archive;
mod naive;

use std::collections::BTreeSet;

use proptest::prelude::*;

use any::{any_base, any_edit, any_path};
use archive::OneArchive;
use naive::{Naive, NaiveFs, names};

use crate::edit::{
    Attributes, Changes, Edit, FileContent, ImagePath, Node, ReadTree, Target, Tree, resolve,
};

/// What the changes between two trees must be, from the trees alone.
fn paths_of_difference(before: &Tree, after: &Tree) -> (BTreeSet<ImagePath>, BTreeSet<ImagePath>) {
    let replaceable = |node: &Node| matches!(node, Node::File { .. } | Node::Symlink { .. });
    let mut removed = BTreeSet::<ImagePath>::new();
    for (path, old) in before.iter() {
        let goes = match after.node(path) {
            None => true,
            Some(new) if new == old => false,
            Some(Node::Dir { .. }) => !matches!(old, Node::Dir { .. }),
            Some(_) => !replaceable(old),
        };
        if goes && !removed.iter().any(|above| path.is_within(above)) {
            removed.insert(path.clone());
        }
    }
    let targets = after
        .iter()
        .filter(|(path, new)| before.node(path) != Some(new))
        .map(|(path, _)| path.clone())
        .collect();
    (removed, targets)
}

fn secrets_of(changes: &Changes) -> BTreeSet<ImagePath> {
    let secret =
        |(path, content): (&ImagePath, &FileContent)| content.is_secret().then(|| path.clone());
    changes.files().filter_map(secret).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn edits_mean_what_doing_them_one_by_one_means(
        base in any_base(),
        edits in proptest::collection::vec(any_edit(), 0..16),
    ) {
        // Both must agree on which edits fit; those that do make up the list.
        let mut naive = NaiveFs::from_tree(&base);
        let mut fitting = Vec::new();
        let mut changes = Changes::default();
        for edit in edits {
            let mut next = naive.clone();
            let wanted = next.apply(&edit);
            fitting.push(edit);
            let resolved = resolve(&fitting, &base, &OneArchive::new());
            prop_assert_eq!(wanted.is_err(), resolved.is_err(), "{:?}", resolved);
            match resolved {
                Ok(resolved) => {
                    naive = next;
                    changes = resolved;
                }
                Err(_) => drop(fitting.pop()),
            }
        }

        let mut tree = base.clone();
        tree.apply(&changes).unwrap();
        let wanted = naive.to_tree();
        prop_assert!(tree == wanted, "got\n{}wanted\n{}", tree, wanted);

        let (removed, targets) = paths_of_difference(&base, &wanted);
        prop_assert_eq!(&changes.removed, &removed, "not minimal or not complete");
        let changed: BTreeSet<ImagePath> = changes.targets.keys().cloned().collect();
        prop_assert_eq!(changed, targets, "not minimal or not complete");

        for path in secrets_of(&changes) {
            let is_secret =
                matches!(naive.0.get(&names(path.as_str())), Some(Naive::File { secret: true, .. }));
            prop_assert!(is_secret, "{} is hidden for no reason", path);
        }
        for (path, node) in &naive.0 {
            let path = ImagePath::new(&format!("/{}", path.join("/"))).unwrap();
            if let (Naive::File { secret: true, .. }, Some(Target::File { content, .. })) =
                (node, changes.targets.get(&path))
            {
                prop_assert!(content.is_secret(), "{path} would be shown");
            }
        }

        prop_assert_eq!(changes.mismatches(&tree, Attributes::Checked).unwrap(), []);
        let undone = changes.mismatches(&base, Attributes::Checked).unwrap();
        prop_assert_eq!(undone.is_empty(), changes.is_empty());
    }

    #[test]
    fn one_edit_done_twice_changes_nothing_more(base in any_base(), edit in any_edit()) {
        // A copy to above what it copies may put something into that, and through
        // links any copy may; an edit may replace a link that its own path needs.
        if let Edit::CopyTree { from, to, .. } = &edit
            && from.is_within(to)
        {
            return Ok(());
        }
        let has_links = base.iter().any(|(_, node)| matches!(node, Node::Symlink { .. }));
        let bears_links =
            matches!(edit, Edit::MakeDir { .. } | Edit::EditText { .. } | Edit::Remove { .. });
        if has_links && !bears_links {
            return Ok(());
        }
        let edits = [edit];
        if let Ok(changes) = resolve(&edits, &base, &OneArchive::new()) {
            let mut tree = base;
            tree.apply(&changes).unwrap();
            let again = resolve(&edits, &tree, &OneArchive::new()).unwrap();
            prop_assert!(again.is_empty(), "{again}");
        }
    }

    #[test]
    fn lists_that_take_nothing_away_are_idempotent(
        edits in proptest::collection::vec(any_edit(), 0..12),
    ) {
        let edits: Vec<Edit> = edits
            .into_iter()
            .filter(|edit| {
                matches!(edit, Edit::MakeDir { .. } | Edit::PutFile { .. } | Edit::EditText { .. })
            })
            .collect();
        if let Ok(tree) = Tree::from_edits(&edits) {
            let again = resolve(&edits, &tree, &()).unwrap();
            prop_assert!(again.is_empty(), "{again}");
        }
    }

    #[test]
    fn a_copy_of_a_tree_is_the_same_tree(base in any_base()) {
        let copy = Tree::read_from(&base).unwrap();
        prop_assert!(copy == base, "{}", copy);
        prop_assert_eq!(copy.to_string(), base.to_string());
        prop_assert_eq!(base.diff(&copy), []);
    }

    #[test]
    fn differences_are_told_by_both_readers(a in any_base(), b in any_base()) {
        let lines = |tree: &Tree| -> BTreeSet<String> {
            tree.to_string().lines().map(str::to_owned).collect()
        };
        let told: BTreeSet<String> =
            a.diff(&b).iter().flat_map(|d| {
                d.to_string().lines().map(str::to_owned).collect::<Vec<_>>()
            }).collect();
        let (old, new) = (lines(&a), lines(&b));
        let wanted: BTreeSet<String> = old.difference(&new).map(|line| format!("- {line}"))
            .chain(new.difference(&old).map(|line| format!("+ {line}")))
            .collect();
        prop_assert_eq!(told, wanted);
    }

    #[test]
    fn a_tree_reads_as_the_naive_one(base in any_base(), path in any_path()) {
        let naive = NaiveFs::from_tree(&base);
        let found = naive.at(&path, false).ok().and_then(|at| naive.0.get(&at));
        let entry = base.entry(&path).unwrap();
        prop_assert_eq!(found.is_some(), entry.is_some());
        if let Some(Naive::File { bytes, .. }) = found {
            prop_assert_eq!(&base.read(&path).unwrap(), bytes);
        }
    }
}
