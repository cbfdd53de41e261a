//! Changes without what is in the files.

use super::digest::Encoder;
use super::{Changes, FileContent, Target};

/// Begins every encoding of an outline.
const DOMAIN: &str = "pidoop outline 1";

impl Changes {
    /// Digest of all but what is in the files: which paths go, which come, of
    /// which kind, whose, with which mode; where links point; and how many blocks
    /// of `block` bytes a file takes, with those that are zeros throughout, for
    /// which a writer may leave holes. Of two sets of changes with the same
    /// outline each file of one has as many blocks in the same places as in the
    /// other.
    ///
    /// `None` if files lie on the host, whose bytes are not here.
    pub fn outline(&self, block: usize) -> Option<[u8; 32]> {
        let mut encoder = Encoder::new(DOMAIN);
        encoder.length(self.removed.len());
        for path in &self.removed {
            encoder.text(path.as_str());
        }
        for (path, target) in &self.targets {
            encoder.text(path.as_str());
            match target {
                Target::Dir { owner, mode } => {
                    encoder.tag(1).owner(*owner).mode(*mode);
                }
                Target::File {
                    content: FileContent::Inline { bytes, .. },
                    owner,
                    mode,
                } => {
                    let zeros = |block: &[u8]| u8::from(block.iter().all(|byte| *byte == 0));
                    let blocks: Vec<u8> = bytes.chunks(block.max(1)).map(zeros).collect();
                    encoder.tag(2).owner(*owner).mode(*mode).bytes(&blocks);
                }
                Target::File {
                    content: FileContent::Staged { .. },
                    ..
                } => return None,
                Target::Symlink { target } => {
                    encoder.tag(3).text(target);
                }
            }
        }
        Some(encoder.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{ImagePath, Mode, Owner};

    fn path(text: &str) -> ImagePath {
        ImagePath::new(text).unwrap()
    }

    fn file(bytes: &[u8], uid: u32, mode: Mode) -> Target {
        Target::File {
            content: FileContent::Inline {
                bytes: bytes.to_vec(),
                secret: false,
            },
            owner: Owner::new(uid, 0),
            mode,
        }
    }

    fn link(target: &str) -> Target {
        let target = target.to_owned();
        Target::Symlink { target }
    }

    fn dir(mode: Mode) -> Target {
        let owner = Owner::ROOT;
        Target::Dir { owner, mode }
    }

    fn outline(targets: &[(&str, Target)], removed: &[&str]) -> Option<[u8; 32]> {
        let targets = targets
            .iter()
            .map(|(name, target)| (path(name), target.clone()));
        let changes = Changes {
            removed: removed.iter().map(|name| path(name)).collect(),
            targets: targets.collect(),
        };
        changes.outline(8)
    }

    #[test]
    fn other_bytes_in_as_many_blocks_are_the_same() {
        let of = |bytes: &[u8]| outline(&[("/a", file(bytes, 0, Mode::FILE))], &[]).unwrap();
        assert_eq!(of(b"one"), of(b"two two"));
        assert_eq!(of(b"nine byte"), of(b"sixteen bytes !!"));
        assert_eq!(of(b""), of(b""));
        for other in [&b""[..], b"nine byte", b"\0\0\0", b"eight by\0"] {
            assert_ne!(of(b"one"), of(other), "{other:?}");
        }
        assert_ne!(
            of(b"eight by\0\0\0"),
            of(b"\0\0\0\0\0\0\0\0byt"),
            "holes elsewhere"
        );
    }

    #[test]
    fn anything_else_is_another() {
        let usual = || {
            let a = ("/a", file(b"one", 0, Mode::FILE));
            vec![a, ("/b", link("x")), ("/d", dir(Mode::EXECUTABLE))]
        };
        let of = |change: fn(&mut Vec<(&str, Target)>)| {
            let mut targets = usual();
            change(&mut targets);
            outline(&targets, &[]).unwrap()
        };
        let all = [
            of(|_| ()),
            of(|all| all[0].0 = "/c"),
            of(|all| all[0].1 = file(b"one", 1, Mode::FILE)),
            of(|all| all[0].1 = file(b"one", 0, Mode::SECRET)),
            of(|all| all[0].1 = link("one")),
            of(|all| all[1].1 = link("y")),
            of(|all| all[2].1 = dir(Mode::SECRET)),
            of(|all| drop(all.remove(2))),
            outline(&usual(), &["/e"]).unwrap(),
            outline(&usual(), &["/f"]).unwrap(),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn of_files_on_the_host_nothing_is_known() {
        let content = FileContent::Staged {
            host: "/staged/1".into(),
            len: 3,
            sha256: [0; 32],
        };
        let staged = Target::File {
            content,
            owner: Owner::ROOT,
            mode: Mode::FILE,
        };
        assert_eq!(outline(&[("/a", staged)], &[]), None);
    }
}
