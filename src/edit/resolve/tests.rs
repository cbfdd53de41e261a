//! Edits on a tree shaped like Raspberry Pi OS.

use rstest::rstest;

use crate::edit::text::CmdlineEdit;
use crate::edit::{
    ArchiveId, Archives, Changes, Content, Edit, EditError, FileContent, ImagePath, Mode, Node,
    NodeContent, Owner, ReadTree, StagedEntry, StagedKind, Target, TextEdit, Tree, Unpack, resolve,
};

const PI: Owner = Owner::new(1000, 1000);
const SHADOW: Owner = Owner::new(0, 42);

fn path(text: &str) -> ImagePath {
    ImagePath::new(text).unwrap()
}

fn dir(at: &str, owner: Owner, mode: Mode) -> Edit {
    Edit::MakeDir {
        path: path(at),
        owner,
        mode,
    }
}

fn file(at: &str, text: &str) -> Edit {
    Edit::PutFile {
        path: path(at),
        content: Content::text(text),
        owner: Owner::ROOT,
        mode: Mode::FILE,
    }
}

fn link(at: &str, target: &str) -> Edit {
    Edit::Symlink {
        path: path(at),
        target: target.to_owned(),
    }
}

fn remove(at: &str) -> Edit {
    Edit::Remove { path: path(at) }
}

fn text(at: &str, edit: TextEdit) -> Edit {
    Edit::EditText {
        path: path(at),
        edit,
    }
}

fn line(line: &str) -> TextEdit {
    TextEdit::EnsureLine {
        line: line.to_owned(),
    }
}

fn copy(from: &str, to: &str) -> Edit {
    Edit::CopyTree {
        from: path(from),
        to: path(to),
        owner: PI,
        mode: Mode::PRIVATE_DIR,
    }
}

/// A merged-/usr system with what edits usually touch.
fn pi_os() -> Tree {
    let mut tree = Tree::from_edits(&[
        dir("/usr/bin", Owner::ROOT, Mode::EXECUTABLE),
        link("/bin", "usr/bin"),
        dir("/run", Owner::ROOT, Mode::EXECUTABLE),
        link("/var/run", "/run"),
        link("/var/lock", "/run/lock"),
        dir("/tmp", Owner::ROOT, Mode::new(0o1777)),
        file("/etc/hostname", "raspberrypi\n"),
        link("/etc/os-release", "../usr/lib/os-release"),
        file("/usr/lib/os-release", "ID=debian\n"),
        file("/etc/skel/.bashrc", "# bash\n"),
        link("/etc/skel/.profile", ".bashrc"),
        dir("/etc/skel/.config", Owner::ROOT, Mode::PRIVATE_DIR),
        Edit::PutFile {
            path: path("/etc/shadow"),
            content: Content::secret("pi:!:20200:0:99999:7:::\n"),
            owner: SHADOW,
            mode: Mode::new(0o640),
        },
    ])
    .unwrap();
    let null = Node::Special {
        owner: Owner::ROOT,
        mode: Mode::new(0o666),
    };
    tree.insert(path("/run/null"), null).unwrap();
    tree
}

fn member(name: &str, kind: StagedKind, mode: u16) -> StagedEntry {
    StagedEntry {
        name: name.to_owned(),
        kind,
        mode: Mode::new(mode),
    }
}

/// A runtime archive with members as given.
struct Java(Vec<StagedEntry>);

impl Java {
    fn new() -> Self {
        let staged = |len: u64| StagedKind::File {
            host: "/cache/java".into(),
            len,
            sha256: [7; 32],
        };
        let to = |target: &str| StagedKind::Symlink {
            target: target.to_owned(),
        };
        Self(vec![
            member("jdk-17", StagedKind::Dir, 0o755),
            member("jdk-17/bin/java", staged(12), 0o755),
            member(
                "jdk-17/lib/src.zip",
                StagedKind::LeftOut { len: 900 },
                0o644,
            ),
            member("jdk-17/lib/link", to("../bin/java"), 0o777),
        ])
    }
}

impl Archives for Java {
    fn members(&self, archive: &ArchiveId) -> Result<&[StagedEntry], EditError> {
        match archive.0.as_str() {
            "java" => Ok(&self.0),
            _ => Err(EditError::UnknownArchive(archive.clone())),
        }
    }
}

fn unpack(archive: &str, into: &str) -> Edit {
    Edit::UnpackTree {
        archive: ArchiveId(archive.to_owned()),
        into: path(into),
        unpack: Unpack {
            strip: 1,
            drop: vec!["lib/*.zip".to_owned()],
            owner: PI,
        },
    }
}

fn changes(edits: &[Edit]) -> Changes {
    resolve(edits, &pi_os(), &Java::new()).unwrap()
}

#[rstest]
#[case::parents_are_made(&[file("/opt/a/b", "x")],
    "dir   0755 0:0 /opt\ndir   0755 0:0 /opt/a\nfile  0644 0:0 /opt/a/b (1 bytes)\n")]
#[case::merged_usr(&[file("/bin/x", "x")], "file  0644 0:0 /usr/bin/x (1 bytes)\n")]
#[case::made_through_a_link(&[dir("/var/run", PI, Mode::PRIVATE_DIR)], "dir   0700 1000:1000 /run\n")]
#[case::link_replaced(&[file("/etc/os-release", "x")], "file  0644 0:0 /etc/os-release (1 bytes)\n")]
#[case::link_edited_through(&[text("/etc/os-release", line("x"))],
    "file  0644 0:0 /usr/lib/os-release (12 bytes)\n")]
#[case::directory_link_replaced(&[remove("/bin"), file("/bin/x", "x")],
    "drop  /bin\ndir   0755 0:0 /bin\nfile  0644 0:0 /bin/x (1 bytes)\n")]
#[case::removed(&[remove("/etc/skel")], "drop  /etc/skel\n")]
#[case::removed_through_a_link(&[remove("/var/run/null")], "drop  /run/null\n")]
#[case::absent_removed(&[remove("/opt/x"), remove("/etc/hostname/x"), remove("/var/lock/x")], "")]
#[case::put_and_removed(&[file("/etc/x", "x"), remove("/etc/x")], "")]
#[case::removed_and_below(&[remove("/etc/skel"), file("/etc/skel/new", "x")],
    "drop  /etc/skel/.bashrc\ndrop  /etc/skel/.config\ndrop  /etc/skel/.profile\n\
     file  0644 0:0 /etc/skel/new (1 bytes)\n")]
#[case::as_it_is(&[dir("/tmp", Owner::ROOT, Mode::new(0o1777)), file("/etc/hostname", "raspberrypi\n"),
    link("/bin", "usr/bin"), text("/etc/hostname", line("raspberrypi"))], "")]
#[case::removed_and_put_back(&[remove("/etc/hostname"), file("/etc/hostname", "raspberrypi\n")], "")]
#[case::special_file_by_removal(&[remove("/run/null"), file("/run/null", "")],
    "drop  /run/null\nfile  0644 0:0 /run/null (0 bytes)\n")]
#[case::later_edits_see_earlier(&[file("/etc/x", "a\n"), text("/etc/x", line("b")), link("/y", "etc"),
    text("/y/x", line("c"))],
    "file  0644 0:0 /etc/x (6 bytes)\nlink  /y -> etc\n")]
#[case::copied(&[copy("/etc/skel", "/home/pi")],
    "dir   0755 0:0 /home\ndir   0700 1000:1000 /home/pi\n\
     file  0644 1000:1000 /home/pi/.bashrc (7 bytes)\ndir   0700 1000:1000 /home/pi/.config\n\
     link  /home/pi/.profile -> .bashrc\n")]
#[case::copy_of_what_was_put(&[remove("/etc/skel/.profile"), file("/etc/skel/.config/a", "x"),
    copy("/etc/skel/.config", "/c")],
    "drop  /etc/skel/.profile\ndir   0700 1000:1000 /c\nfile  0644 1000:1000 /c/a (1 bytes)\n\
     file  0644 0:0 /etc/skel/.config/a (1 bytes)\n")]
#[case::unpacked(&[unpack("java", "/opt/java")],
    "dir   0755 0:0 /opt\ndir   0755 0:0 /opt/java\ndir   0755 1000:1000 /opt/java/bin\n\
     file  0755 1000:1000 /opt/java/bin/java (12 bytes)\ndir   0755 1000:1000 /opt/java/lib\n\
     link  /opt/java/lib/link -> ../bin/java\n")]
#[case::unpacked_into_what_is_there(&[unpack("java", "/var/run")],
    "dir   0755 1000:1000 /run/bin\nfile  0755 1000:1000 /run/bin/java (12 bytes)\n\
     dir   0755 1000:1000 /run/lib\nlink  /run/lib/link -> ../bin/java\n")]
fn edits_come_to(#[case] edits: &[Edit], #[case] expected: &str) {
    assert_eq!(changes(edits).to_string(), expected);
}

#[rstest]
#[case(&[file("/etc", "x")],
    "/etc is a directory, expected a file, a symbolic link or nothing")]
#[case(&[link("/etc", "x")],
    "/etc is a directory, expected a file, a symbolic link or nothing")]
#[case(&[file("/run/null", "x")],
    "/run/null is a device node, socket or FIFO, expected a file, a symbolic link or nothing")]
#[case(&[dir("/etc/hostname", PI, Mode::FILE)], "/etc/hostname is a file, expected a directory")]
#[case(&[dir("/etc/os-release", PI, Mode::FILE)],
    "/usr/lib/os-release is a file, expected a directory")]
#[case(&[file("/etc/hostname/x", "x")], "/etc/hostname is a file, expected a directory")]
#[case(&[file("/var/lock/x", "x")], "/var/lock is a symbolic link that leads nowhere, \
    expected one that leads to something")]
#[case(&[link("/l", "l"), file("/l/x", "x")], "/l is a symbolic link in a circle, \
    expected one that leads to something")]
#[case(&[remove("/")], "/ is the root directory, expected something that can be removed")]
#[case(&[link("/x", "")], "linking /x: its target is empty")]
#[case(&[link("/x", "a\nb")], "linking /x: its target has a control character or a double quote")]
#[case(&[text("/etc/none", line("x"))], "/etc/none is not in the image, \
    so it cannot be edited or copied")]
#[case(&[text("/etc", line("x"))], "/etc is a directory, expected a text file")]
#[case(&[text("/etc/hostname", TextEdit::Cmdline(CmdlineEdit::Ensure("a b".to_owned())))],
    "editing /etc/hostname: \"a b\" is not one word of a kernel command line")]
#[case(&[unpack("java", "/opt"), text("/opt/bin/java", line("x"))],
    "editing /opt/bin/java: it comes from an archive, whose files cannot be edited")]
#[case(&[copy("/etc/none", "/x")], "/etc/none is not in the image, \
    so it cannot be edited or copied")]
#[case(&[copy("/etc/hostname", "/x")], "/etc/hostname is a file, expected a directory")]
#[case(&[copy("/etc", "/etc/skel/x")], "copying /etc to /etc/skel/x: \
    the copy would lie in what is copied")]
#[case(&[copy("/run", "/x")], "/run/null is a device node, socket or FIFO, \
    expected something that can be copied: a file, a directory or a symbolic link")]
#[case(&[copy("/etc/skel", "/etc/hostname")], "/etc/hostname is a file, expected a directory")]
#[case(&[unpack("hadoop", "/opt")], "archive hadoop is not at hand")]
#[case(&[file("/opt/bin", "x"), unpack("java", "/opt")], "/opt/bin is a file, expected a directory")]
#[case(&[dir("/opt/bin/java", PI, Mode::FILE), unpack("java", "/opt")],
    "/opt/bin/java is a directory, expected a file, a symbolic link or nothing")]
fn misfits_are_told(#[case] edits: &[Edit], #[case] expected: &str) {
    let error = resolve(edits, &pi_os(), &Java::new()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn names_that_lead_out_of_an_archive_are_refused() {
    let java = Java(vec![member("a/../../etc/passwd", StagedKind::Dir, 0o755)]);
    let error = resolve(&[unpack("java", "/opt")], &pi_os(), &java).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unpacking into /opt: the archive has a member \"a/../../etc/passwd\", which leads out of it"
    );
}

#[test]
fn content_that_was_left_out_gets_into_no_image() {
    let mut edit = unpack("java", "/opt");
    if let Edit::UnpackTree { unpack, .. } = &mut edit {
        unpack.drop.clear();
    }
    let error = resolve(&[edit], &pi_os(), &Java::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unpacking into /opt: the content of \"jdk-17/lib/src.zip\" was left out when the \
         archive was read"
    );
}

#[test]
fn text_that_is_not_utf_8_is_left_alone() {
    let mut tree = pi_os();
    let node = Node::File {
        content: NodeContent::Bytes(b"caf\xe9\n".to_vec()),
        owner: Owner::ROOT,
        mode: Mode::FILE,
    };
    tree.insert(path("/etc/latin1"), node).unwrap();
    let error = resolve(&[text("/etc/latin1", line("x"))], &tree, &()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "editing /etc/latin1: it is not UTF-8 text from byte 3 on"
    );
}

#[test]
fn edited_files_keep_owner_and_mode_and_are_secret_where_they_must_be() {
    let entry = |line: &str, secret| TextEdit::SetEntry {
        key: "pi".to_owned(),
        line: line.to_owned(),
        secret,
    };
    let of = |edits: &[Edit], at: &str| match changes(edits).targets.remove(&path(at)) {
        Some(Target::File {
            content: FileContent::Inline { secret, .. },
            owner,
            mode,
        }) => (secret, owner, mode.bits()),
        other => panic!("{other:?}"),
    };
    let shadow = [text("/etc/shadow", entry("pi:*:1::::::", false))];
    assert_eq!(of(&shadow, "/etc/shadow"), (true, SHADOW, 0o640));

    let public = [text("/etc/hostname", entry("pi:x", false))];
    assert_eq!(of(&public, "/etc/hostname"), (false, Owner::ROOT, 0o644));
    // Secrecy stays when a later edit has nothing secret of its own.
    let secret = [
        text("/etc/hostname", entry("pi:x", true)),
        text("/etc/hostname", line("y")),
    ];
    assert_eq!(of(&secret, "/etc/hostname"), (true, Owner::ROOT, 0o644));

    let copied = [copy("/etc", "/etc2")];
    assert_eq!(of(&copied, "/etc2/shadow"), (true, PI, 0o640));
    assert_eq!(of(&copied, "/etc2/hostname"), (false, PI, 0o644));
}

#[test]
fn unpacked_files_stay_on_the_host() {
    let changes = changes(&[unpack("java", "/opt")]);
    let Some(Target::File { content, .. }) = changes.targets.get(&path("/opt/bin/java")) else {
        panic!("{changes}");
    };
    let staged = FileContent::Staged {
        host: "/cache/java".into(),
        len: 12,
        sha256: [7; 32],
    };
    assert_eq!(*content, staged);
    assert_eq!(changes.content_bytes(), 12);

    // Once it is in the image, unpacking again changes nothing.
    let mut tree = pi_os();
    tree.apply(&changes).unwrap();
    let again = resolve(&[unpack("java", "/opt")], &tree, &Java::new()).unwrap();
    assert!(again.is_empty(), "{again}");
}

#[test]
fn an_unreadable_base_is_an_error_not_a_missing_file() {
    struct Broken;
    impl ReadTree for Broken {
        fn entry(&self, path: &ImagePath) -> Result<Option<crate::edit::TreeEntry>, EditError> {
            match path.is_root() {
                true => Tree::new().entry(path),
                false => Err(EditError::Read {
                    path: path.clone(),
                    reason: "bad checksum".to_owned(),
                }),
            }
        }
        fn read(&self, path: &ImagePath) -> Result<Vec<u8>, EditError> {
            Tree::new().read(path)
        }
        fn children(&self, path: &ImagePath) -> Result<Vec<String>, EditError> {
            Tree::new().children(path)
        }
    }
    for edit in [
        remove("/x"),
        file("/x", ""),
        text("/x", line("y")),
        copy("/x", "/y"),
    ] {
        let error = resolve(&[edit], &Broken, &()).unwrap_err();
        assert_eq!(error.to_string(), "reading /x from the image: bad checksum");
    }
}
