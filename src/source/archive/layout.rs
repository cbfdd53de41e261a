//! The tree that an archive's members make, as far as safety goes.

use std::collections::BTreeMap;

/// What stands at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Dir,
    File,
    Symlink,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Self::Dir => "a directory",
            Self::File => "a file",
            Self::Symlink => "a symbolic link",
        }
    }
}

/// How many links may be followed in a row, as in Linux (`MAXSYMLINKS`).
const MOST_LINKS: usize = 40;

/// Names with what stands there. Directories that are only implied by the
/// names of their members count.
#[derive(Debug, Default)]
pub(super) struct Layout {
    kinds: BTreeMap<String, Kind>,
    targets: BTreeMap<String, String>,
}

impl Layout {
    /// Adds a member. The error says why it cannot stand beside the others:
    /// its name is taken by something else, or lies below something that is no
    /// directory (so that writing it could go through a link).
    pub(super) fn add(&mut self, name: &str, kind: Kind) -> Result<(), String> {
        for (at, _) in name.match_indices('/') {
            let parent = &name[..at];
            match self.kinds.get(parent) {
                None => {
                    self.kinds.insert(parent.to_owned(), Kind::Dir);
                }
                Some(Kind::Dir) => {}
                Some(other) => {
                    return Err(format!("lies below {parent:?}, which is {}", other.noun()));
                }
            }
        }
        match self.kinds.insert(name.to_owned(), kind) {
            Some(before) if before != kind => Err(format!(
                "is {} and, earlier, {}",
                kind.noun(),
                before.noun()
            )),
            _ => Ok(()),
        }
    }

    /// Adds a symbolic link with its target.
    pub(super) fn add_link(&mut self, name: &str, target: &str) -> Result<(), String> {
        self.add(name, Kind::Symlink)?;
        self.targets.insert(name.to_owned(), target.to_owned());
        Ok(())
    }

    /// Checks that every symbolic link stays inside, with all members known.
    /// The error has the link's name and what is wrong with it.
    ///
    /// Counting `..` in the target is not enough: where a component is itself
    /// a link, `..` behind it leads to the parent of what it points at. So the
    /// links are followed as a kernel would.
    pub(super) fn check_links(&self) -> Result<(), (String, String)> {
        for (name, target) in &self.targets {
            self.follow(name, target)
                .map_err(|reason| (name.clone(), reason))?;
        }
        Ok(())
    }

    fn follow(&self, name: &str, target: &str) -> Result<(), String> {
        let outside = || format!("links to {target:?}, which is outside the archive");
        let mut here: Vec<&str> = name.split('/').collect();
        here.pop();
        // Components still to walk, next one last.
        let mut ahead: Vec<&str> = target.split('/').rev().collect();
        let mut followed = 1;
        while let Some(part) = ahead.pop() {
            match part {
                "" | "." => {}
                ".." => {
                    here.pop().ok_or_else(outside)?;
                }
                part => {
                    here.push(part);
                    let Some(next) = self.targets.get(&here.join("/")) else {
                        continue;
                    };
                    followed += 1;
                    if followed > MOST_LINKS {
                        return Err("is part of a circle of links".to_owned());
                    }
                    here.pop();
                    ahead.extend(next.split('/').rev());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn links(links: &[(&str, &str)]) -> Result<(), (String, String)> {
        let mut layout = Layout::default();
        for (name, target) in links {
            layout.add_link(name, target).unwrap();
        }
        layout.check_links()
    }

    #[rstest]
    #[case(&[("a/b", "../c")])]
    #[case(&[("a/b", "..")])]
    #[case(&[("a", "missing/x/../y")])]
    #[case(&[("jdk/legal/x/LICENSE", "../java.base/LICENSE")])]
    #[case(&[("lib.so", "lib.so.1"), ("lib.so.1", "lib.so.1.2")])]
    fn links_inside_are_fine(#[case] all: &[(&str, &str)]) {
        assert_eq!(links(all), Ok(()));
    }

    #[rstest]
    #[case(&[("a", "..")])]
    #[case(&[("a/b", "../../c")])]
    #[case(&[("a/b", "x/../../../c")])]
    // `up` is the root, so `up/..` is outside although the names balance.
    #[case(&[("a/up", ".."), ("a/b", "up/../c")])]
    #[case(&[("d/here", "."), ("b", "d/here/../../c")])]
    #[case(&[("a", "b"), ("b", "a")])]
    #[case(&[("a", "a")])]
    fn links_outside_and_circles_are_not(#[case] all: &[(&str, &str)]) {
        assert!(links(all).is_err());
    }

    #[test]
    fn one_name_is_one_thing() {
        let mut layout = Layout::default();
        layout.add("a/b", Kind::File).unwrap();
        layout.add("a", Kind::Dir).unwrap();
        layout.add("a/b", Kind::File).unwrap();
        assert!(
            layout.add("a", Kind::Symlink).is_err(),
            "an implied directory is one"
        );
        let mut layout = Layout::default();
        layout.add_link("a", "b").unwrap();
        assert!(
            layout.add("a/passwd", Kind::File).is_err(),
            "nothing is written through a link"
        );
        assert!(layout.add("a", Kind::Dir).is_err());
    }
}
