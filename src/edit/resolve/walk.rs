//! Following a path through a tree with symbolic links.

use crate::edit::{EditError, EntryKind, ImagePath, TreeEntry};

/// Links followed before a path counts as a circle, as in linux
/// (`include/linux/namei.h`, `MAXSYMLINKS`).
const MOST_LINKS: usize = 40;

/// Where a path leads.
#[derive(Debug)]
pub(in crate::edit) enum Walk {
    /// To a place that is something or could be.
    At(Place),
    /// Nowhere: something in the way is neither a directory nor a link to one.
    Blocked {
        /// What is in the way.
        at: ImagePath,
        /// What it is.
        found: &'static str,
        /// What it would have to be.
        expected: &'static str,
    },
}

/// A path whose parents are directories, not links to them.
#[derive(Debug)]
pub(in crate::edit) struct Place {
    /// The path with all links in it followed.
    pub(in crate::edit) path: ImagePath,
    /// What is there.
    pub(in crate::edit) entry: Option<TreeEntry>,
    /// Parents that do not exist, from the top down.
    pub(in crate::edit) missing: Vec<ImagePath>,
}

/// Whether a link at the very end of a path is followed too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edit) enum LastLink {
    Follow,
    Keep,
}

/// Follows `path` as the kernel would with `/` as its root; `look` tells what
/// is at a path all of whose parents are directories.
pub(in crate::edit) fn walk(
    path: &ImagePath,
    last_link: LastLink,
    look: &dyn Fn(&ImagePath) -> Result<Option<TreeEntry>, EditError>,
) -> Result<Walk, EditError> {
    /// A component still to be walked, and the link it came from.
    type Step = (String, Option<usize>);
    let mut pending: Vec<Step> = path
        .components()
        .map(|name| (name.to_owned(), None))
        .collect();
    pending.reverse();
    let mut links: Vec<ImagePath> = Vec::new();
    let mut current = ImagePath::root();

    while let Some((name, from_link)) = pending.pop() {
        match name.as_str() {
            "" | "." => continue,
            ".." => {
                current = current.parent().unwrap_or(current);
                continue;
            }
            _ => {}
        }
        let is_last = pending.is_empty();
        let Ok(next) = current.join(&name) else {
            // Only links can bring in such names: paths are checked.
            return Ok(leads_nowhere(
                from_link.and_then(|link| links.get(link)),
                &current,
            ));
        };
        let entry = look(&next)?;
        match entry.as_ref().map(|entry| &entry.kind) {
            None if from_link.is_some() => {
                return Ok(leads_nowhere(
                    from_link.and_then(|link| links.get(link)),
                    &next,
                ));
            }
            None => return Ok(Walk::At(missing_from(next, pending))),
            Some(EntryKind::Dir) => current = next,
            Some(EntryKind::Symlink { .. }) if is_last && last_link == LastLink::Keep => {
                return Ok(Walk::At(Place {
                    path: next,
                    entry,
                    missing: Vec::new(),
                }));
            }
            Some(EntryKind::Symlink { target }) => {
                if links.len() == MOST_LINKS {
                    return Ok(Walk::Blocked {
                        at: next,
                        found: "a symbolic link in a circle",
                        expected: "one that leads to something",
                    });
                }
                if target.is_empty() {
                    return Ok(leads_nowhere(Some(&next), &next));
                }
                if target.starts_with('/') {
                    current = ImagePath::root();
                }
                let link = Some(links.len());
                pending.extend(target.split('/').rev().map(|name| (name.to_owned(), link)));
                links.push(next);
            }
            Some(EntryKind::File { .. } | EntryKind::Special) if is_last => {
                return Ok(Walk::At(Place {
                    path: next,
                    entry,
                    missing: Vec::new(),
                }));
            }
            Some(kind @ (EntryKind::File { .. } | EntryKind::Special)) => {
                return Ok(Walk::Blocked {
                    found: kind.noun(),
                    expected: "a directory",
                    at: next,
                });
            }
        }
    }
    let entry = look(&current)?;
    Ok(Walk::At(Place {
        path: current,
        entry,
        missing: Vec::new(),
    }))
}

fn leads_nowhere(link: Option<&ImagePath>, otherwise: &ImagePath) -> Walk {
    Walk::Blocked {
        at: link.unwrap_or(otherwise).clone(),
        found: "a symbolic link that leads nowhere",
        expected: "one that leads to something",
    }
}

/// The place at the end of `pending` below `first`, which does not exist.
fn missing_from(first: ImagePath, mut pending: Vec<(String, Option<usize>)>) -> Place {
    let mut path = first;
    let mut missing = Vec::new();
    while let Some((name, _)) = pending.pop() {
        // What is left came from a checked path, so joining cannot fail.
        if let Ok(next) = path.join(&name) {
            missing.push(std::mem::replace(&mut path, next));
        }
    }
    Place {
        path,
        entry: None,
        missing,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::edit::{Mode, Owner};

    /// Directories `/usr /usr/bin /run /var`, a file `/usr/f`, and links.
    fn look(path: &ImagePath) -> Result<Option<TreeEntry>, EditError> {
        let link = |target: &str| EntryKind::Symlink {
            target: target.to_owned(),
        };
        let kind = match path.as_str() {
            "/" | "/usr" | "/usr/bin" | "/run" | "/var" => EntryKind::Dir,
            "/usr/f" => EntryKind::File { len: 1 },
            "/bin" => link("usr/bin"),
            "/var/run" => link("/run"),
            "/var/up" => link("../../..//usr/./bin/.."),
            "/var/twice" => link("/bin"),
            "/var/lock" => link("/run/lock"),
            "/var/via" => link("/bin/no"),
            "/odd" => link("a\"b"),
            "/none" => link(""),
            "/self" => link("self"),
            "/ping" => link("/pong"),
            "/pong" => link("ping"),
            "/tofile" => link("usr/f"),
            _ => return Ok(None),
        };
        Ok(Some(TreeEntry {
            kind,
            owner: Owner::ROOT,
            mode: Mode::FILE,
        }))
    }

    fn walk_text(path: &str, last_link: LastLink) -> String {
        match walk(&ImagePath::new(path).unwrap(), last_link, &look).unwrap() {
            Walk::Blocked { at, found, .. } => format!("{at} is {found}"),
            Walk::At(Place {
                path,
                entry,
                missing,
            }) => {
                let kind = entry.map_or("nothing", |entry| entry.kind.noun());
                let missing: Vec<&str> = missing.iter().map(ImagePath::as_str).collect();
                format!("{path}: {kind} {missing:?}")
            }
        }
    }

    #[rstest]
    #[case("/", "/: a directory []")]
    #[case("/usr/f", "/usr/f: a file []")]
    #[case("/bin/java", "/usr/bin/java: nothing []")]
    #[case(
        "/bin/a/b/c",
        "/usr/bin/a/b/c: nothing [\"/usr/bin/a\", \"/usr/bin/a/b\"]"
    )]
    #[case("/var/run/x", "/run/x: nothing []")]
    #[case("/var/up/f", "/usr/f: a file []")]
    #[case("/var/twice/x", "/usr/bin/x: nothing []")]
    #[case("/usr/f/x", "/usr/f is a file")]
    #[case("/tofile/x", "/usr/f is a file")]
    #[case("/var/lock/x", "/var/lock is a symbolic link that leads nowhere")]
    #[case("/var/via/x", "/var/via is a symbolic link that leads nowhere")]
    #[case("/odd/x", "/odd is a symbolic link that leads nowhere")]
    #[case("/none/x", "/none is a symbolic link that leads nowhere")]
    #[case("/self/x", "/self is a symbolic link in a circle")]
    fn parents_are_followed(#[case] path: &str, #[case] expected: &str) {
        assert_eq!(walk_text(path, LastLink::Keep), expected);
        assert_eq!(walk_text(path, LastLink::Follow), expected);
    }

    #[rstest]
    #[case("/bin", "/bin: a symbolic link []", "/usr/bin: a directory []")]
    #[case("/var/up", "/var/up: a symbolic link []", "/usr: a directory []")]
    #[case("/tofile", "/tofile: a symbolic link []", "/usr/f: a file []")]
    #[case(
        "/var/lock",
        "/var/lock: a symbolic link []",
        "/var/lock is a symbolic link that leads nowhere"
    )]
    #[case(
        "/ping",
        "/ping: a symbolic link []",
        "/ping is a symbolic link in a circle"
    )]
    fn the_last_link_is_a_choice(#[case] path: &str, #[case] kept: &str, #[case] followed: &str) {
        assert_eq!(walk_text(path, LastLink::Keep), kept);
        assert_eq!(walk_text(path, LastLink::Follow), followed);
    }
}
