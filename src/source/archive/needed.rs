//! Whose content is needed of an archive.

use crate::edit::Selection;

/// Whether an inspection may look into the file of this name, whose content begins
/// with this: its first four bytes, as many as a magic number has, or all of a
/// shorter one. Of a link there is only the name.
pub type LooksInto = fn(name: &str, head: &[u8]) -> bool;

/// Bytes of a file by which [`LooksInto`] decides.
pub(super) const HEAD: usize = 4;

/// Whose content is needed of an archive's files. That of the others is read past.
#[derive(Clone, Debug)]
pub struct Needed {
    /// None for all.
    selection: Option<Selection>,
    looks_into: LooksInto,
}

impl Needed {
    /// That of all files.
    pub fn all() -> Self {
        Self {
            selection: None,
            looks_into: |_, _| false,
        }
    }

    /// That of the files which get into images.
    pub fn of(selection: Selection) -> Self {
        Self {
            selection: Some(selection),
            looks_into: |_, _| false,
        }
    }

    /// And that of the files which an inspection looks into, so that what it finds
    /// does not depend on what images get.
    #[must_use]
    pub fn and_for(self, looks_into: LooksInto) -> Self {
        Self { looks_into, ..self }
    }

    /// Whether the content of the file with this name, which begins with `head`, is
    /// among it.
    pub(super) fn has(&self, name: &str, head: &[u8]) -> bool {
        let is_chosen = match &self.selection {
            // A name that makes no sense is refused where images are made.
            Some(selection) => !matches!(selection.name_of(name), Ok(None)),
            None => true,
        };
        is_chosen || self.may_look_into(name, head)
    }

    /// Whether an inspection may look into it.
    pub(super) fn may_look_into(&self, name: &str, head: &[u8]) -> bool {
        (self.looks_into)(name, head)
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;
    use rstest::rstest;

    use super::*;
    use crate::edit::StagedKind;
    use crate::progress::Recorded;
    use crate::source::archive::{StagedArchive, stage};
    use crate::source::testing::{cache, needed, nothing, obtained, scratch, sh};

    /// A release with documentation, links to it and one out of it.
    const RELEASE: &str = "mkdir -p t/bin t/doc/api; echo run > t/bin/run; echo text > t/doc/text; \
                           echo api > t/doc/api/index; ln -s ../doc/text t/bin/help; \
                           ln -s ../bin/run t/doc/run";

    /// The members `t` of an archive made so, and how many readings it took.
    fn staged(root: &Utf8Path, make: &str, needed: &Needed) -> (StagedArchive, usize) {
        sh(root, &format!("{make}; tar --sort=name -cf x.tar t"));
        let archive = obtained(root, &root.join("x.tar"));
        let (reporter, events) = Recorded::reporter();
        let staged = stage(&archive, needed, &cache(root), &reporter).unwrap();
        (staged, events.titles().len())
    }

    /// Everything that lies in the cache for it.
    fn unpacked(root: &Utf8Path) -> Vec<String> {
        let room = root.join("cache/partial").read_dir_utf8().unwrap();
        let files = room.flat_map(|room| {
            let files = room.unwrap().path().join("files");
            files.read_dir_utf8().unwrap()
        });
        let mut contents: Vec<String> = files
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        contents.sort();
        contents
    }

    fn names(archive: &StagedArchive, is: fn(&StagedKind) -> bool) -> Vec<&str> {
        let members = archive.entries().iter().filter(|entry| is(&entry.kind));
        members.map(|entry| entry.name.as_str()).collect()
    }

    fn is_left_out(kind: &StagedKind) -> bool {
        matches!(kind, StagedKind::LeftOut { .. })
    }

    #[test]
    fn what_is_dropped_reaches_no_file() {
        let (_dir, root) = scratch();
        let (whole, _) = staged(&root, RELEASE, &Needed::all());
        assert_eq!(unpacked(&root), ["api\n", "run\n", "text\n"]);
        let (known, all) = (whole.known(), names(&whole, |_| true).join(" "));
        drop(whole);
        let (archive, readings) = staged(&root, ":", &needed(&["t/doc"]));
        assert_eq!(unpacked(&root), ["run\n"]);
        assert_eq!(readings, 1);
        // It is known all the same.
        assert_eq!(archive.known(), known);
        assert_eq!(names(&archive, |_| true).join(" "), all);
        let left_out = names(&archive, is_left_out);
        assert_eq!(left_out, ["t/doc/api/index", "t/doc/text"]);
        assert!(archive.contains("t/doc/api") && archive.is_file("t/bin/help"));
        assert_eq!(
            archive.file("t/bin/help"),
            None,
            "it links to nothing unpacked"
        );
        assert_eq!(archive.file("t/doc/run"), archive.file("t/bin/run"));
        let files: Vec<&str> = archive.files().map(|(name, ..)| name).collect();
        assert_eq!(files, ["t/bin/run"]);
        drop(archive);
        assert_eq!(unpacked(&root), [""; 0]);
    }

    #[test]
    fn who_needs_more_is_told() {
        let (_dir, root) = scratch();
        let (archive, _) = staged(&root, RELEASE, &needed(&["t/doc"]));
        assert!(archive.has(&needed(&["t/doc"])) && archive.has(&needed(&["t/doc", "t/bin"])));
        assert!(archive.has(&needed(&["t/doc/text", "t/doc/api"])));
        assert!(!archive.has(&needed(&["t/doc/text"])) && !archive.has(&Needed::all()));
    }

    #[rstest]
    // In the archive, "doc/b" is the file and "opt/b" another name of it.
    #[case::kept("ln t/doc/b t/opt/b", &["t/doc"], 2)]
    #[case::dropped("ln t/doc/b t/opt/b", &["t/opt"], 1)]
    #[case::both_kept("ln t/doc/b t/opt/b", &["t/doc/a"], 1)]
    #[case::both_dropped("ln t/doc/b t/opt/b", &["**/b"], 1)]
    #[case::chain("ln t/doc/b t/doc/c; ln t/doc/b t/opt/b", &["t/doc"], 2)]
    fn a_file_of_two_names_is_there_if_either_is_kept(
        #[case] link: &str,
        #[case] drop: &[&str],
        #[case] expected: usize,
    ) {
        let (_dir, root) = scratch();
        let make = format!("mkdir -p t/doc t/opt; echo a > t/doc/a; echo b > t/doc/b; {link}");
        let needed = needed(drop);
        let (archive, readings) = staged(&root, &make, &needed);
        assert_eq!(readings, expected);
        assert!(archive.has(&needed));
        for (name, host, _) in archive.files() {
            let text = std::fs::read_to_string(host).unwrap();
            let expected = if name == "t/doc/a" { "a\n" } else { "b\n" };
            assert_eq!(text, expected, "{name}");
        }
    }

    #[test]
    fn the_last_member_of_a_name_is_left_out_or_not() {
        let (_dir, root) = scratch();
        let make = "mkdir t u; echo one > t/a; echo one > t/b; tar -cf first.tar t; \
                    echo two > t/a; echo two > t/b; tar -cf x.tar t; tar -Af first.tar x.tar";
        sh(&root, make);
        let archive = obtained(&root, &root.join("first.tar"));
        let (reporter, _) = Recorded::reporter();
        let staged = stage(&archive, &needed(&["t/b"]), &cache(&root), &reporter).unwrap();
        assert_eq!(unpacked(&root), ["one\n", "two\n"]);
        let text = std::fs::read_to_string(staged.file("t/a").unwrap()).unwrap();
        assert_eq!(text, "two\n");
        assert_eq!(names(&staged, is_left_out), ["t/b"]);
    }

    #[rstest]
    #[case::by_name("echo text > t/x", &["text\n"], 1)]
    #[case::by_content("echo ELF > t/y; echo other > t/z", &["ELF\n"], 1)]
    #[case::by_little("printf E > t/y; printf ELF > t/z; : > t/e", &["ELF"], 1)]
    #[case::by_symlink("echo y > t/y; echo z > t/z; ln -s z t/x", &["y\n", "z\n"], 2)]
    #[case::by_hard_link("echo y > t/y; ln t/y t/x; mv t/y t/a", &["y\n"], 2)]
    #[case::by_nothing("ln -s z t/x; echo w > t/w", &[], 1)]
    fn what_is_looked_into_is_there(
        #[case] make: &str,
        #[case] expected: &[&str],
        #[case] expected_readings: usize,
    ) {
        let (_dir, root) = scratch();
        let needed = nothing().and_for(|name, head| name == "t/x" || head.starts_with(b"ELF"));
        let (_archive, readings) = staged(&root, &format!("mkdir t; {make}"), &needed);
        assert_eq!(unpacked(&root), expected);
        assert_eq!(readings, expected_readings);
    }
}
