//! Which members of an archive are unpacked, and under which names.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// The members of an archive that an [`Unpack`](super::Unpack) chooses. Whoever
/// asks, a build that reads an archive or one that resolves edits, asks here.
#[derive(Clone, Debug)]
pub struct Selection {
    strip: usize,
    drop: GlobSet,
}

impl Selection {
    /// Of the members that no pattern of `drop` matches, under their names without
    /// the first `strip` components: see [`Unpack`](super::Unpack).
    ///
    /// # Errors
    /// A phrase, when a pattern makes no sense.
    pub fn new(strip: usize, drop: &[String]) -> Result<Self, String> {
        let drop = patterns(drop)?;
        Ok(Self { strip, drop })
    }

    /// What the member called `name` is called below the directory unpacked into;
    /// none if it is left out.
    ///
    /// # Errors
    /// A phrase, when the name could lead elsewhere, left out or not.
    pub fn name_of(&self, name: &str) -> Result<Option<String>, String> {
        let name = stripped(name, self.strip)?;
        let is_chosen = !name.is_empty() && !is_dropped(&self.drop, &name);
        Ok(is_chosen.then_some(name))
    }
}

fn patterns(patterns: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let names_no_member = pattern.is_empty() || pattern.starts_with('/');
        if names_no_member {
            return Err(format!(
                "the pattern {pattern:?} matches no member: names are relative, without a leading '/'"
            ));
        }
        let glob = GlobBuilder::new(pattern.trim_end_matches('/'))
            .literal_separator(true)
            .backslash_escape(true)
            .build()
            .map_err(|error| error.to_string())?;
        set.add(glob);
    }
    set.build().map_err(|error| error.to_string())
}

/// `name` without its first `strip` components; empty if none is left.
fn stripped(name: &str, strip: usize) -> Result<String, String> {
    if name.starts_with('/') {
        return Err(format!(
            "the archive has a member {name:?}, an absolute path"
        ));
    }
    let parts: Vec<&str> = name
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.contains(&"..") {
        return Err(format!(
            "the archive has a member {name:?}, which leads out of it"
        ));
    }
    Ok(parts.get(strip..).unwrap_or_default().join("/"))
}

/// Whether `name` or a directory above it matches.
fn is_dropped(drop: &GlobSet, name: &str) -> bool {
    let ends = name
        .match_indices('/')
        .map(|(at, _)| at)
        .chain([name.len()]);
    !drop.is_empty() && ends.into_iter().any(|end| drop.is_match(&name[..end]))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn choose(names: &[&str], strip: usize, drop: &[&str]) -> Result<Vec<String>, String> {
        let drop: Vec<String> = drop.iter().map(|&pattern| pattern.to_owned()).collect();
        let selection = Selection::new(strip, &drop)?;
        let names = names.iter().map(|name| selection.name_of(name));
        names.filter_map(Result::transpose).collect()
    }

    const HADOOP: &[&str] = &[
        "hadoop-3.5.0/",
        "hadoop-3.5.0/bin/hdfs",
        "hadoop-3.5.0/bin/hdfs.cmd",
        "hadoop-3.5.0/share/doc/hadoop/index.html",
        "hadoop-3.5.0/share/hadoop/common/hadoop-common-3.5.0-tests.jar",
        "hadoop-3.5.0/share/hadoop/common/hadoop-common-3.5.0.jar",
    ];

    #[rstest]
    #[case::nothing(&[], &[0, 1, 2, 3, 4])]
    #[case::directory(&["share/doc"], &[0, 1, 3, 4])]
    #[case::directory_with_slash(&["share/doc/"], &[0, 1, 3, 4])]
    #[case::star_stays_in_a_component(&["*.cmd", "share/*.jar"], &[0, 1, 2, 3, 4])]
    #[case::stars_cross(&["**/*.cmd", "share/**/*-tests.jar"], &[0, 2, 4])]
    #[case::alternatives(&["bin/{hdfs,yarn}"], &[1, 2, 3, 4])]
    #[case::everything(&["*"], &[])]
    fn drops(#[case] patterns: &[&str], #[case] left: &[usize]) {
        let names = [
            "bin/hdfs",
            "bin/hdfs.cmd",
            "share/doc/hadoop/index.html",
            "share/hadoop/common/hadoop-common-3.5.0-tests.jar",
            "share/hadoop/common/hadoop-common-3.5.0.jar",
        ];
        let left: Vec<&str> = left.iter().map(|&index| names[index]).collect();
        assert_eq!(choose(HADOOP, 1, patterns).unwrap(), left);
    }

    #[rstest]
    #[case(0, &["a", "a/b", "c"])]
    #[case(1, &["b"])]
    #[case(2, &[])]
    #[case(usize::MAX, &[])]
    fn strips(#[case] strip: usize, #[case] left: &[&str]) {
        assert_eq!(
            choose(&["./a/", "a//b", "c", ""], strip, &[]).unwrap(),
            left
        );
    }

    #[test]
    fn refuses_names_that_lead_elsewhere_even_if_stripped_or_dropped() {
        for bad in ["../x", "a/../../x", "a/..", "/etc/passwd"] {
            assert!(choose(&[bad], 3, &["**"]).is_err(), "{bad}");
        }
        assert_eq!(
            choose(&["a/..b/c..", "..."], 0, &[]).unwrap(),
            ["a/..b/c..", "..."]
        );
    }

    #[test]
    fn refuses_patterns_that_cannot_match() {
        for bad in ["", "/share", "a{", "[z-a]"] {
            assert!(choose(&["a"], 0, &[bad]).is_err(), "{bad}");
        }
    }
}
