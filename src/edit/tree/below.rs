//! Parts of a map by path that lie below a directory.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included};

use crate::edit::ImagePath;

/// Paths below `dir`, without `dir` itself. They sort between `dir/` and
/// `dir0`, because `0` follows `/` in ASCII.
pub(in crate::edit) fn descendants<'m, V>(
    map: &'m BTreeMap<ImagePath, V>,
    dir: &ImagePath,
) -> impl Iterator<Item = (&'m ImagePath, &'m V)> {
    let stem = dir.as_str().trim_end_matches('/');
    let (from, to) = (format!("{stem}/"), format!("{stem}0"));
    map.range::<str, _>((Excluded(from.as_str()), Excluded(to.as_str())))
}

/// Last components of the keys right below `dir`, sorted. Deeper paths are
/// jumped over, so the cost is that of the directory, not of its whole tree.
pub(in crate::edit) fn child_names<V>(
    map: &BTreeMap<ImagePath, V>,
    dir: &ImagePath,
) -> Vec<String> {
    let stem = dir.as_str().trim_end_matches('/');
    let end = format!("{stem}0");
    let mut names = Vec::new();
    let mut from = Excluded(format!("{stem}/"));
    while let Some((path, _)) = map
        .range::<str, _>((from.as_ref().map(String::as_str), Excluded(end.as_str())))
        .next()
    {
        let relative = &path.as_str()[stem.len() + 1..];
        from = match relative.split_once('/') {
            None => {
                names.push(relative.to_owned());
                Excluded(path.as_str().to_owned())
            }
            Some((child, _)) => Included(format!("{stem}/{child}0")),
        };
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_characters_that_sort_ahead_of_a_slash_are_not_lost() {
        let paths = [
            "/",
            "/a",
            "/a/ y",
            "/a/x",
            "/a/x-1",
            "/a/x.d",
            "/a/x/deep",
            "/a/x/deep/er",
            "/a/x0",
            "/a/y/alone",
            "/a-b",
            "/a0",
            "/b",
        ];
        let map: BTreeMap<ImagePath, ()> = paths
            .iter()
            .map(|path| (ImagePath::new(path).unwrap(), ()))
            .collect();
        let dir = |path| ImagePath::new(path).unwrap();
        assert_eq!(
            child_names(&map, &dir("/a")),
            [" y", "x", "x-1", "x.d", "x0"]
        );
        assert_eq!(child_names(&map, &dir("/")), ["a", "a-b", "a0", "b"]);
        assert_eq!(child_names(&map, &dir("/b")), [""; 0]);
        let below = |path| -> Vec<&str> {
            descendants(&map, &dir(path))
                .map(|(path, ())| path.as_str())
                .collect()
        };
        assert_eq!(below("/a/x"), ["/a/x/deep", "/a/x/deep/er"]);
        assert_eq!(below("/").len(), paths.len() - 1);
    }
}
