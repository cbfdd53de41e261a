//! Trees in memory, by hand.

use super::*;
use crate::edit::{Content, FileContent, resolve};

fn path(text: &str) -> ImagePath {
    ImagePath::new(text).unwrap()
}

fn file(at: &str, text: &str) -> Edit {
    Edit::PutFile {
        path: path(at),
        content: Content::text(text),
        owner: Owner::new(0, 42),
        mode: Mode::new(0o640),
    }
}

fn small() -> Tree {
    let mut tree = Tree::from_edits(&[
        file("/etc/hosts", "127.0.0.1 localhost\n"),
        Edit::Symlink {
            path: path("/bin"),
            target: "usr/bin".to_owned(),
        },
        file("/usr/bin/sh", ""),
    ])
    .unwrap();
    let node = Node::Special {
        owner: Owner::ROOT,
        mode: Mode::new(0o666),
    };
    tree.insert(path("/null"), node).unwrap();
    tree
}

#[test]
fn a_tree_has_a_text_form() {
    // Digests as `printf '127.0.0.1 localhost\n' | sha256sum` gives them.
    insta::assert_snapshot!(small(), @r"
    0755 0:0 dir  /
    0777 0:0 link /bin -> usr/bin
    0755 0:0 dir  /etc
    0640 0:42 file /etc/hosts 20 081ef9d53675
    0666 0:0 node /null
    0755 0:0 dir  /usr
    0755 0:0 dir  /usr/bin
    0640 0:42 file /usr/bin/sh 0 e3b0c44298fc
    ");
}

#[test]
fn differences_are_lines() {
    let mut after = small();
    let edits = [
        file("/etc/hosts", "127.0.0.2 localhost\n"),
        file("/etc/hostname", "a\n"),
        Edit::Remove {
            path: path("/null"),
        },
    ];
    after
        .apply(&resolve(&edits, &small(), &()).unwrap())
        .unwrap();
    let lines: Vec<String> = small()
        .diff(&after)
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    + 0640 0:42 file /etc/hostname 2 87428fc52280
    - 0640 0:42 file /etc/hosts 20 081ef9d53675
    + 0640 0:42 file /etc/hosts 20 fd8ec6418639
    - 0666 0:0 node /null
    ");
    assert_eq!(after.diff(&after), []);
}

#[test]
fn reading_follows_parents_but_not_the_last_link() {
    let tree = small();
    assert_eq!(tree.read(&path("/bin/sh")).unwrap(), b"");
    assert_eq!(tree.children(&path("/usr")).unwrap(), ["bin"]);
    assert!(tree.children(&path("/bin")).is_err());
    assert!(tree.read(&path("/bin")).is_err());
    assert!(tree.read(&path("/none")).is_err());
    assert!(matches!(
        tree.entry(&path("/bin")).unwrap().unwrap().kind,
        EntryKind::Symlink { .. }
    ));
    assert_eq!(tree.entry(&path("/etc/hosts/x")).unwrap(), None);
}

#[test]
fn content_is_the_same_however_it_is_held() {
    let bytes = NodeContent::Bytes(b"abc".to_vec());
    let digest = NodeContent::Digest {
        len: 3,
        sha256: bytes.sha256(),
    };
    assert_eq!(bytes, digest);
    assert_ne!(bytes, NodeContent::Bytes(b"abd".to_vec()));
    assert_ne!(
        digest,
        NodeContent::Digest {
            len: 4,
            sha256: bytes.sha256(),
        }
    );
    assert_eq!(format!("{bytes:?}"), "3 ba7816bf8f01");
}

#[test]
fn long_files_are_known_by_digest_only() {
    let mut tree = Tree::new();
    let long = "x".repeat(usize::try_from(LONGEST_KEPT).unwrap() + 1);
    let edits = [file("/long", &long), file("/short", &long[1..])];
    tree.apply(&resolve(&edits, &tree, &()).unwrap()).unwrap();
    let copy = Tree::read_from(&tree).unwrap();
    assert_eq!(copy, tree);
    assert!(copy.read(&path("/short")).is_ok());
    assert_eq!(
        copy.read(&path("/long")).unwrap_err().to_string(),
        "reading /long from the image: only its digest is known"
    );
    // Comparing needs no bytes.
    assert!(resolve(&edits, &copy, &()).unwrap().is_empty());
}

#[test]
fn changes_that_do_not_fit_are_refused() {
    let target = |content: &str| Target::File {
        content: FileContent::Inline {
            bytes: content.into(),
            secret: false,
        },
        owner: Owner::ROOT,
        mode: Mode::FILE,
    };
    for at in ["/etc", "/null", "/none/x", "/bin/x", "/"] {
        let changes = Changes {
            targets: [(path(at), target(""))].into(),
            ..Changes::default()
        };
        assert!(small().apply(&changes).is_err(), "{at}");
    }
    let mut tree = small();
    assert!(tree.insert(path("/etc"), Node::from(&target(""))).is_err());
    assert!(tree.insert(path("/"), Node::from(&target(""))).is_err());
    assert_eq!(tree, small());
}

#[test]
fn attributes_can_be_left_out() {
    let tree = small().without_attributes();
    assert!(
        tree.iter()
            .all(|(_, node)| node.entry().owner == Owner::ROOT)
    );
    assert_eq!(tree.read(&path("/etc/hosts")).unwrap().len(), 20);
    assert_ne!(tree, small());
}
