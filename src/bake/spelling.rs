//! One spelling for names that FAT takes for one.

use std::collections::BTreeMap;

use crate::edit::{Changes, ImagePath, Tree};

/// The spelling that `like` has for a path, as FAT takes names that differ in
/// case only for one.
fn spelled(path: &ImagePath, like: &BTreeMap<String, ImagePath>) -> ImagePath {
    if let Some(known) = like.get(&path.as_str().to_uppercase()) {
        return known.clone();
    }
    match path.parent() {
        Some(parent) => spelled(&parent, like)
            .join(path.file_name())
            .unwrap_or_else(|_| path.clone()),
        None => path.clone(),
    }
}

fn spellings(tree: &Tree) -> BTreeMap<String, ImagePath> {
    tree.iter()
        .map(|(path, _)| (path.as_str().to_uppercase(), path.clone()))
        .collect()
}

/// `tree` with the spelling of `like`.
pub(super) fn respelled(tree: &Tree, like: &Tree) -> Tree {
    let like = spellings(like);
    let mut respelled = Tree::new();
    for (path, node) in tree.iter() {
        // Parents come first, so everything fits.
        let _ = respelled.insert(spelled(path, &like), node.clone());
    }
    respelled
}

/// `changes` with the spelling of `like`.
pub(super) fn respelled_changes(changes: &Changes, like: &Tree) -> Changes {
    let like = spellings(like);
    Changes {
        removed: changes
            .removed
            .iter()
            .map(|path| spelled(path, &like))
            .collect(),
        targets: changes
            .targets
            .iter()
            .map(|(path, target)| (spelled(path, &like), target.clone()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{Content, Edit, Mode, Owner};

    fn tree(paths: &[&str]) -> Tree {
        let file = |path: &&str| Edit::PutFile {
            path: ImagePath::new(path).unwrap(),
            content: Content::text(path.to_uppercase()),
            owner: Owner::ROOT,
            mode: Mode::FILE,
        };
        let edits: Vec<Edit> = paths.iter().map(file).collect();
        Tree::from_edits(&edits).unwrap()
    }

    #[test]
    fn names_that_differ_in_case_are_one() {
        let like = tree(&["/CONFIG.TXT", "/Overlays/a.dtbo"]);
        let other = tree(&["/config.txt", "/overlays/A.dtbo", "/overlays/b.dtbo"]);
        let found: Vec<String> = respelled(&other, &like)
            .iter()
            .map(|(path, _)| path.to_string())
            .collect();
        assert_eq!(
            found,
            [
                "/",
                "/CONFIG.TXT",
                "/Overlays",
                "/Overlays/a.dtbo",
                "/Overlays/b.dtbo"
            ]
        );
        let changes = Changes {
            removed: [ImagePath::new("/overlays/A.DTBO").unwrap()].into(),
            ..Changes::default()
        };
        let removed = respelled_changes(&changes, &like).removed;
        assert_eq!(removed.first().unwrap().as_str(), "/Overlays/a.dtbo");
    }
}
