//! A naive file system: edits done one after the other on a plain map.

use std::collections::HashMap;

use super::archive::{MEMBERS, Member, naively_matches};
use crate::edit::{Edit, ImagePath, Mode, Node, NodeContent, Owner, TextEdit, Tree, Unpack};

/// What the naive file system holds at a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Naive {
    Dir(Owner, Mode),
    File {
        bytes: Vec<u8>,
        staged: bool,
        secret: bool,
        owner: Owner,
        mode: Mode,
    },
    Link(String, Owner),
    Special,
}

/// Something did not fit; which error it is does not matter here.
#[derive(Debug)]
pub(super) struct Unfit;

/// Absolute paths, as lists of components, of everything there is.
#[derive(Clone, Debug)]
pub(super) struct NaiveFs(pub(super) HashMap<Vec<String>, Naive>);

pub(super) fn names(text: &str) -> Vec<String> {
    text.split('/')
        .filter(|name| !matches!(*name, "" | "."))
        .map(str::to_owned)
        .collect()
}

impl NaiveFs {
    /// Follows links in `rest`, seen from the directory `cur`. What a link
    /// points at must exist; what the path itself names need not.
    fn real(
        &self,
        mut cur: Vec<String>,
        rest: &[String],
        last: bool,
        must_exist: bool,
        budget: &mut u32,
    ) -> Result<Vec<String>, Unfit> {
        for (index, name) in rest.iter().enumerate() {
            if name == ".." {
                cur.pop();
                continue;
            }
            let at_end = index + 1 == rest.len();
            let mut next = cur.clone();
            next.push(name.clone());
            match self.0.get(&next) {
                None if must_exist => return Err(Unfit),
                None => {
                    next.extend_from_slice(&rest[index + 1..]);
                    return Ok(next);
                }
                Some(Naive::Link(target, _)) if !at_end || last => {
                    *budget = budget.checked_sub(1).ok_or(Unfit)?;
                    if target.is_empty() {
                        return Err(Unfit);
                    }
                    let from = if target.starts_with('/') {
                        Vec::new()
                    } else {
                        cur
                    };
                    cur = self.real(from, &names(target), true, true, budget)?;
                    // A slash at the end of a target asks for a directory.
                    let asks_for_dir = !at_end || target.ends_with('/');
                    if asks_for_dir && !matches!(self.0.get(&cur), Some(Naive::Dir(..))) {
                        return Err(Unfit);
                    }
                }
                Some(Naive::File { .. } | Naive::Special) if !at_end => return Err(Unfit),
                Some(_) => cur = next,
            }
        }
        Ok(cur)
    }

    pub(super) fn at(&self, path: &ImagePath, follow: bool) -> Result<Vec<String>, Unfit> {
        self.real(Vec::new(), &names(path.as_str()), follow, false, &mut 40)
    }

    fn make_parents(&mut self, path: &[String], owner: Owner) {
        for end in 1..path.len() {
            self.0
                .entry(path[..end].to_vec())
                .or_insert(Naive::Dir(owner, Mode::EXECUTABLE));
        }
    }

    fn make_dir(
        &mut self,
        path: &ImagePath,
        owner: Owner,
        mode: Mode,
        parents: Owner,
    ) -> Result<(), Unfit> {
        let at = self.at(path, true)?;
        if !matches!(self.0.get(&at), None | Some(Naive::Dir(..))) {
            return Err(Unfit);
        }
        self.make_parents(&at, parents);
        self.0.insert(at, Naive::Dir(owner, mode));
        Ok(())
    }

    fn put(&mut self, path: &ImagePath, new: Naive, parents: Owner) -> Result<(), Unfit> {
        let at = self.at(path, false)?;
        if matches!(self.0.get(&at), Some(Naive::Dir(..) | Naive::Special)) {
            return Err(Unfit);
        }
        if matches!(&new, Naive::Link(target, _) if target.is_empty()) {
            return Err(Unfit);
        }
        self.make_parents(&at, parents);
        self.0.insert(at, new);
        Ok(())
    }

    pub(super) fn apply(&mut self, edit: &Edit) -> Result<(), Unfit> {
        match edit {
            Edit::MakeDir { path, owner, mode } => self.make_dir(path, *owner, *mode, Owner::ROOT),
            Edit::PutFile {
                path,
                content,
                owner,
                mode,
            } => {
                let new = Naive::File {
                    bytes: content.bytes().to_vec(),
                    staged: false,
                    secret: content.is_secret(),
                    owner: *owner,
                    mode: *mode,
                };
                self.put(path, new, Owner::ROOT)
            }
            Edit::Symlink { path, target } => {
                self.put(path, Naive::Link(target.clone(), Owner::ROOT), Owner::ROOT)
            }
            Edit::Remove { path } if path.is_root() => Err(Unfit),
            Edit::Remove { path } => {
                if let Ok(at) = self.at(path, false) {
                    self.0.retain(|other, _| !other.starts_with(&at));
                }
                Ok(())
            }
            Edit::EditText { path, edit } => {
                let at = self.at(path, true)?;
                let Some(Naive::File {
                    bytes,
                    staged: false,
                    secret,
                    mode,
                    ..
                }) = self.0.get_mut(&at)
                else {
                    return Err(Unfit);
                };
                let text = String::from_utf8(bytes.clone()).map_err(|_| Unfit)?;
                *bytes = edit.apply(&text).map_err(|_| Unfit)?.into_bytes();
                *secret |=
                    mode.bits() & 4 == 0 || matches!(edit, TextEdit::SetEntry { secret: true, .. });
                Ok(())
            }
            Edit::CopyTree {
                from,
                to,
                owner,
                mode,
            } => self.copy(from, to, *owner, *mode),
            Edit::UnpackTree { into, unpack, .. } => self.unpack(into, unpack),
        }
    }

    fn copy(
        &mut self,
        from: &ImagePath,
        to: &ImagePath,
        owner: Owner,
        mode: Mode,
    ) -> Result<(), Unfit> {
        let source = self.at(from, true)?;
        let copy = self.at(to, true)?;
        let before = self.0.clone();
        if !matches!(before.get(&source), Some(Naive::Dir(..))) || copy.starts_with(&source) {
            return Err(Unfit);
        }
        self.make_dir(to, owner, mode, Owner::ROOT)?;
        let mut members: Vec<_> = before
            .into_iter()
            .filter(|(path, _)| path.len() > source.len() && path.starts_with(&source))
            .collect();
        // By directory, as a recursive copy meets them.
        members.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, node) in members {
            let target = [copy.as_slice(), &path[source.len()..]].concat();
            let target = ImagePath::new(&format!("/{}", target.join("/"))).unwrap();
            match node {
                Naive::Dir(_, mode) => self.make_dir(&target, owner, mode, owner)?,
                Naive::File {
                    bytes,
                    staged,
                    secret,
                    mode,
                    ..
                } => {
                    let new = Naive::File {
                        bytes,
                        staged,
                        secret,
                        owner,
                        mode,
                    };
                    self.put(&target, new, owner)?;
                }
                Naive::Link(to, _) => self.put(&target, Naive::Link(to, Owner::ROOT), owner)?,
                Naive::Special => return Err(Unfit),
            }
        }
        Ok(())
    }

    fn unpack(&mut self, into: &ImagePath, unpack: &Unpack) -> Result<(), Unfit> {
        let root = self.at(into, true)?;
        match self.0.get(&root) {
            Some(Naive::Dir(..)) => {}
            None => self.make_dir(into, Owner::ROOT, Mode::EXECUTABLE, Owner::ROOT)?,
            Some(_) => return Err(Unfit),
        }
        for (name, what) in MEMBERS {
            let left: Vec<String> = names(name).into_iter().skip(unpack.strip).collect();
            let dropped = |end| {
                let part = &left[..end];
                unpack
                    .drop
                    .iter()
                    .any(|pattern| naively_matches(pattern, part))
            };
            if left.is_empty() || (1..=left.len()).any(dropped) {
                continue;
            }
            let path = [root.as_slice(), &left].concat();
            let path = ImagePath::new(&format!("/{}", path.join("/"))).unwrap();
            let owner = unpack.owner;
            match what {
                Member::Dir(mode) => self.make_dir(&path, owner, Mode::new(*mode), owner)?,
                Member::Link(to) => {
                    self.put(&path, Naive::Link((*to).to_owned(), Owner::ROOT), owner)?;
                }
                Member::File(text, mode) => {
                    let new = Naive::File {
                        bytes: text.as_bytes().to_vec(),
                        staged: true,
                        secret: false,
                        owner,
                        mode: Mode::new(*mode),
                    };
                    self.put(&path, new, owner)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn from_tree(tree: &Tree) -> Self {
        let node = |node: &Node| match node.clone() {
            Node::Dir { owner, mode } => Naive::Dir(owner, mode),
            Node::File {
                content: NodeContent::Bytes(bytes),
                owner,
                mode,
            } => Naive::File {
                bytes,
                staged: false,
                secret: mode.bits() & 4 == 0,
                owner,
                mode,
            },
            Node::File { .. } => panic!("bases have bytes"),
            Node::Symlink { target, owner } => Naive::Link(target, owner),
            Node::Special { .. } => Naive::Special,
        };
        Self(
            tree.iter()
                .map(|(path, found)| (names(path.as_str()), node(found)))
                .collect(),
        )
    }

    pub(super) fn to_tree(&self) -> Tree {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_key(|(path, _)| path.len());
        let mut tree = Tree::new();
        for (path, node) in all {
            let path = ImagePath::new(&format!("/{}", path.join("/"))).unwrap();
            let node = match node.clone() {
                Naive::Dir(owner, mode) => Node::Dir { owner, mode },
                Naive::File {
                    bytes, owner, mode, ..
                } => Node::File {
                    content: NodeContent::Bytes(bytes),
                    owner,
                    mode,
                },
                Naive::Link(target, owner) => Node::Symlink { target, owner },
                Naive::Special => special(),
            };
            tree.insert(path, node).unwrap();
        }
        tree
    }
}

pub(super) fn special() -> Node {
    Node::Special {
        owner: Owner::ROOT,
        mode: Mode::SECRET,
    }
}
