//! A tree that is asked everything once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{EditError, ImagePath, ReadTree, TreeEntry};

/// Contents longer than this are read again each time, in bytes.
const LONGEST: usize = 64 << 10;

/// A tree that nobody writes to, and what it has answered so far. Errors are
/// not kept.
#[derive(Debug)]
pub struct Remembered<T> {
    tree: T,
    entries: Answers<Option<TreeEntry>>,
    contents: Answers<Vec<u8>>,
    names: Answers<Vec<String>>,
    digests: Answers<[u8; 32]>,
}

type Answers<A> = RefCell<BTreeMap<ImagePath, A>>;

impl<T> Remembered<T> {
    /// Nothing has been asked yet.
    pub fn new(tree: T) -> Self {
        Self {
            tree,
            entries: RefCell::default(),
            contents: RefCell::default(),
            names: RefCell::default(),
            digests: RefCell::default(),
        }
    }

    /// The tree itself.
    pub fn tree(&self) -> &T {
        &self.tree
    }
}

/// The answer for `path`, asked for if it is not known. It is kept if it is
/// worth keeping.
fn answer<A: Clone>(
    known: &Answers<A>,
    path: &ImagePath,
    is_kept: impl FnOnce(&A) -> bool,
    ask: impl FnOnce() -> Result<A, EditError>,
) -> Result<A, EditError> {
    if let Some(known) = known.borrow().get(path) {
        return Ok(known.clone());
    }
    let found = ask()?;
    if is_kept(&found) {
        known.borrow_mut().insert(path.clone(), found.clone());
    }
    Ok(found)
}

impl<T: ReadTree> ReadTree for Remembered<T> {
    fn entry(&self, path: &ImagePath) -> Result<Option<TreeEntry>, EditError> {
        answer(&self.entries, path, |_| true, || self.tree.entry(path))
    }

    fn read(&self, path: &ImagePath) -> Result<Vec<u8>, EditError> {
        let is_kept = |bytes: &Vec<u8>| bytes.len() <= LONGEST;
        answer(&self.contents, path, is_kept, || self.tree.read(path))
    }

    fn children(&self, path: &ImagePath) -> Result<Vec<String>, EditError> {
        answer(&self.names, path, |_| true, || self.tree.children(path))
    }

    fn digest(&self, path: &ImagePath) -> Result<[u8; 32], EditError> {
        answer(&self.digests, path, |_| true, || self.tree.digest(path))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::edit::{Mode, Node, NodeContent, Owner, Tree};

    /// Counts the questions it is asked.
    struct Counted {
        tree: Tree,
        asked: Cell<usize>,
    }

    impl Counted {
        fn count(&self) -> &Tree {
            self.asked.set(self.asked.get() + 1);
            &self.tree
        }
    }

    impl ReadTree for Counted {
        fn entry(&self, path: &ImagePath) -> Result<Option<TreeEntry>, EditError> {
            self.count().entry(path)
        }

        fn read(&self, path: &ImagePath) -> Result<Vec<u8>, EditError> {
            self.count().read(path)
        }

        fn children(&self, path: &ImagePath) -> Result<Vec<String>, EditError> {
            self.count().children(path)
        }

        fn digest(&self, path: &ImagePath) -> Result<[u8; 32], EditError> {
            self.count().digest(path)
        }
    }

    fn path(text: &str) -> ImagePath {
        ImagePath::new(text).unwrap()
    }

    fn tree(len: usize) -> Remembered<Counted> {
        let mut tree = Tree::new();
        let file = Node::File {
            content: NodeContent::Bytes(vec![b'x'; len]),
            owner: Owner::ROOT,
            mode: Mode::FILE,
        };
        let dir = Node::Dir {
            owner: Owner::ROOT,
            mode: Mode::EXECUTABLE,
        };
        tree.insert(path("/etc"), dir).unwrap();
        tree.insert(path("/etc/file"), file).unwrap();
        Remembered::new(Counted {
            tree,
            asked: Cell::new(0),
        })
    }

    #[test]
    fn the_second_answer_is_the_first_and_nobody_is_asked() {
        let tree = tree(10);
        for _ in 0..3 {
            for at in ["/", "/etc", "/etc/file", "/none"] {
                let at = path(at);
                assert_eq!(
                    tree.entry(&at).unwrap(),
                    tree.tree().tree.entry(&at).unwrap()
                );
            }
            assert_eq!(tree.children(&path("/etc")).unwrap(), ["file"]);
            assert_eq!(tree.read(&path("/etc/file")).unwrap(), [b'x'; 10]);
            let digest = tree.digest(&path("/etc/file")).unwrap();
            assert_eq!(digest, tree.tree().tree.digest(&path("/etc/file")).unwrap());
        }
        assert_eq!(tree.tree().asked.get(), 4 + 3);
    }

    #[test]
    fn errors_and_long_contents_are_not_kept() {
        let tree = tree(LONGEST + 1);
        for _ in 0..2 {
            assert!(tree.read(&path("/none")).is_err());
            assert_eq!(tree.read(&path("/etc/file")).unwrap().len(), LONGEST + 1);
        }
        assert_eq!(tree.tree().asked.get(), 4);
    }
}
