//! Archives made by tar itself, and archives no tar would make.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use rstest::rstest;
use tar::{Builder, EntryType, Header};

use super::*;
use crate::edit::{ArchiveId, Archives, EditError, Mode, StagedKind};
use crate::progress::{Recorded, Reporter};
use crate::source::testing::{cache, nothing, obtained, scratch, sh};
use crate::source::{Obtained, Sha256, SourceError};

fn staged(root: &Utf8Path, path: &Utf8Path) -> Result<StagedArchive, SourceError> {
    let archive = obtained(root, path);
    let stage = |needed: &Needed| stage(&archive, needed, &cache(root), &Reporter::silent());
    let staged = stage(&Needed::all());
    // An archive is as sound, and as large, whether its files are unpacked or not.
    let past = stage(&nothing());
    let words = |staged: &Result<StagedArchive, SourceError>| {
        let known = staged.as_ref().map(StagedArchive::known);
        known.map_err(ToString::to_string)
    };
    assert_eq!(words(&past), words(&staged));
    staged
}

/// One line for each member.
fn listing(archive: &StagedArchive) -> String {
    let line = |entry: &crate::edit::StagedEntry| match &entry.kind {
        StagedKind::Dir => format!("{} {}/\n", entry.mode, entry.name),
        StagedKind::LeftOut { len } => format!("{} {} {len}\n", entry.mode, entry.name),
        StagedKind::Symlink { target } => format!("link {} -> {target}\n", entry.name),
        StagedKind::File { host, len, sha256 } => {
            let bytes = fs::read(host).unwrap();
            assert_eq!(bytes.len() as u64, *len);
            assert_eq!(Sha256::of(&bytes).0, *sha256);
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned();
            format!("{} {} {len} {text:?}\n", entry.mode, entry.name)
        }
    };
    archive.entries().iter().map(line).collect()
}

fn nothing_left(root: &Utf8Path) {
    let partial = root.join("cache/partial");
    let left: Vec<_> = partial.read_dir_utf8().unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A tree with a long name, links of both kinds, odd modes and an empty file.
fn tree(root: &Utf8Path) {
    let long = "n".repeat(120);
    sh(
        root,
        &format!(
            "mkdir -p t/bin t/{long}/{long}; echo java > t/bin/java; chmod 755 t/bin/java; \
             chmod 750 t/bin; ln -s ../bin/java t/bin/link; ln t/bin/java t/bin/hard; \
             : > t/empty; chmod 600 t/empty; echo deep > t/{long}/{long}/x; chmod 644 \
             t/{long}/{long}/x; chmod 755 t t/{long} t/{long}/{long}"
        ),
    );
}

const TAR: &str = "tar --sort=name --owner=0 --group=0 --mtime=@0";

#[rstest]
#[case("--format=gnu", "cat", "x.tar")]
#[case("--format=pax", "gzip", "x.tar.gz")]
#[case("--format=gnu", "xz -T2", "x.tgz")]
#[case("--format=pax", "zstd -q", "noname")]
fn what_tar_packs_is_staged(#[case] format: &str, #[case] packer: &str, #[case] name: &str) {
    let (_dir, root) = scratch();
    tree(&root);
    sh(&root, &format!("{TAR} {format} -c t | {packer} > {name}"));
    let archive = staged(&root, &root.join(name)).unwrap();
    let expected = "0755 t/\n0750 t/bin/\n0755 t/bin/hard 5 \"java\\n\"\n0755 t/bin/java 5 \
                    \"java\\n\"\nlink t/bin/link -> ../bin/java\n0600 t/empty 0 \"\"\n0755 \
                    t/LONG/\n0755 t/LONG/LONG/\n0644 t/LONG/LONG/x 5 \"deep\\n\"\n";
    assert_eq!(
        listing(&archive).replace(&"n".repeat(120), "LONG"),
        expected
    );
    assert_eq!(archive.file("t/bin/link"), archive.file("t/bin/java"));
    assert!(archive.contains("t/bin") && !archive.contains("t/bi"));
    let lens = archive.files().map(|(_, _, len)| len);
    assert_eq!(lens.sum::<u64>(), 15);
}

#[test]
fn what_was_staged_is_known_afterwards() {
    let (_dir, root) = scratch();
    tree(&root);
    sh(&root, &format!("{TAR} -cf x.tar t"));
    let archive = obtained(&root, &root.join("x.tar"));
    let cache = cache(&root);
    let (reporter, events) = Recorded::reporter();
    assert!(recall(&archive.sha256, &cache).unwrap().is_none());
    let first = stage(&archive, &Needed::all(), &cache, &reporter).unwrap();
    assert_eq!(events.titles(), ["unpacking x.tar"]);
    // Four directories, and three files in which there is something.
    let known = KnownArchive {
        content_bytes: 7 * 4096,
    };
    assert_eq!(first.known(), known);
    let java = first.file("t/bin/java").unwrap().to_owned();
    let clone = first.clone();
    drop(first);
    assert!(java.exists(), "somebody has it still");
    drop(clone);
    assert!(!java.exists());
    nothing_left(&root);

    assert_eq!(recall(&archive.sha256, &cache).unwrap(), Some(known));
    let again = stage(&archive, &Needed::all(), &cache, &reporter).unwrap();
    let staged: StagedArchives = [again.clone()].into_iter().collect();
    assert_eq!(staged.members(&again.id()).unwrap(), again.entries());
    let other = ArchiveId("00".to_owned());
    assert!(matches!(
        staged.members(&other),
        Err(EditError::UnknownArchive(_))
    ));
}

#[test]
fn several_at_once_do_not_meet() {
    let (_dir, root) = scratch();
    tree(&root);
    sh(&root, &format!("{TAR} -cf x.tar t"));
    let archive = obtained(&root, &root.join("x.tar"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let cache = cache(&root);
                let staged = stage(&archive, &Needed::all(), &cache, &Reporter::silent()).unwrap();
                assert_eq!(listing(&staged).matches("java\\n").count(), 2);
            });
        }
    });
    nothing_left(&root);
}

/// A header for a member, with a name no library would write.
fn header(name: &[u8], kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header
}

#[derive(Clone, Copy)]
enum Evil {
    File(&'static [u8], &'static [u8]),
    Dir(&'static [u8]),
    Link(EntryType, &'static [u8], &'static [u8]),
    Special(EntryType, &'static [u8]),
    Claims(&'static [u8], u64),
}

fn write_evil(path: &Utf8Path, members: &[Evil]) {
    let mut builder = Builder::new(fs::File::create(path).unwrap());
    for member in members {
        let (mut header, bytes): (Header, &[u8]) = match *member {
            Evil::File(name, bytes) => {
                (header(name, EntryType::Regular, bytes.len() as u64), bytes)
            }
            Evil::Dir(name) => (header(name, EntryType::Directory, 0), b""),
            Evil::Special(kind, name) => (header(name, kind, 0), b""),
            Evil::Claims(name, size) => (header(name, EntryType::Regular, size), b""),
            Evil::Link(kind, name, target) => {
                let mut header = header(name, kind, 0);
                header.as_old_mut().linkname[..target.len()].copy_from_slice(target);
                (header, b"")
            }
        };
        header.set_cksum();
        builder.append(&header, bytes).unwrap();
    }
    builder.finish().unwrap();
}

use EntryType::{Block, Char, Fifo, Link, Symlink};

#[rstest]
#[case::parent(&[Evil::File(b"../x", b"")], "'..' in its name")]
#[case::parent_inside(&[Evil::File(b"a/../../x", b"")], "'..' in its name")]
#[case::absolute(&[Evil::File(b"/etc/passwd", b"root")], "absolute name")]
#[case::control(&[Evil::File(b"a\x1b[2Jb", b"")], "control character")]
#[case::not_text(&[Evil::File(b"a\xffb", b"")], "not UTF-8")]
#[case::link_up(&[Evil::Link(Symlink, b"a", b"../x")], "outside the archive")]
#[case::link_absolute(&[Evil::Link(Symlink, b"a", b"/etc")], "outside the archive")]
#[case::link_by_link(
    &[Evil::Link(Symlink, b"d/up", b".."), Evil::Link(Symlink, b"d/x", b"up/../y")],
    "outside the archive"
)]
#[case::hard_up(&[Evil::Link(Link, b"a", b"../x")], "outside the archive")]
#[case::hard_absolute(&[Evil::Link(Link, b"a", b"/etc/shadow")], "outside the archive")]
#[case::hard_to_nothing(&[Evil::Link(Link, b"a", b"later")], "no file before it")]
#[case::hard_to_link(
    &[Evil::Link(Symlink, b"a", b"b"), Evil::Link(Link, b"c", b"a")],
    "no file before it"
)]
#[case::through_link(
    &[Evil::Link(Symlink, b"a", b"b"), Evil::File(b"a/passwd", b"x")],
    "is a symbolic link"
)]
#[case::below_file(&[Evil::File(b"a", b"x"), Evil::File(b"a/b", b"x")], "is a file")]
#[case::file_then_link(
    &[Evil::File(b"a", b"x"), Evil::Link(Symlink, b"a", b"b")],
    "a symbolic link and, earlier, a file"
)]
#[case::dir_then_link(
    &[Evil::Dir(b"a/"), Evil::File(b"a/x", b"x"), Evil::Link(Symlink, b"a", b"b")],
    "a symbolic link and, earlier, a directory"
)]
#[case::character_device(&[Evil::Special(Char, b"null")], "device node")]
#[case::block_device(&[Evil::Special(Block, b"sda")], "device node")]
#[case::pipe(&[Evil::Special(Fifo, b"p")], "named pipe")]
#[case::unknown(&[Evil::Special(EntryType::new(b'V'), b"volume")], "kind not read")]
#[case::huge(&[Evil::Claims(b"a", 1 << 40)], "larger than an SD card")]
fn what_leads_out_is_refused(#[case] members: &[Evil], #[case] words: &str) {
    let (_dir, root) = scratch();
    let path = root.join("evil.tar");
    // A good member in front: what was staged so far must go again.
    let members = [&[Evil::File(b"good", b"good")], members].concat();
    write_evil(&path, &members);
    let error = staged(&root, &path).unwrap_err();
    assert!(matches!(error, SourceError::UnsafeMember { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains(words) && message.contains("evil.tar"),
        "{message}"
    );
    nothing_left(&root);
}

#[test]
fn an_absurd_header_does_not_fill_the_memory() {
    let (_dir, root) = scratch();
    let path = root.join("evil.tar");
    write_evil(&path, &[]);
    let mut long = header(b"././@LongLink", EntryType::GNULongName, 3 << 30);
    long.set_cksum();
    let mut file = fs::File::create(&path).unwrap();
    std::io::Write::write_all(&mut file, long.as_bytes()).unwrap();
    file.set_len(512 + (3 << 30)).unwrap();
    let archive = obtained_unread(&root, &path);
    let error = stage(&archive, &Needed::all(), &cache(&root), &Reporter::silent()).unwrap_err();
    assert!(error.to_string().contains("absurdly long"), "{error}");
    nothing_left(&root);
}

/// As if obtained, without digesting gigabytes of nothing.
fn obtained_unread(root: &Utf8Path, path: &Utf8Path) -> Obtained {
    let small = root.join("small");
    fs::write(&small, b"x").unwrap();
    Obtained {
        path: path.to_owned(),
        ..obtained(root, &small)
    }
}

#[test]
fn the_last_member_of_a_name_counts() {
    let (_dir, root) = scratch();
    let path = root.join("twice.tar");
    let members = [
        Evil::File(b"a", b"one"),
        Evil::Link(Link, b"old", b"a"),
        Evil::File(b"./a", b"two"),
        Evil::Dir(b"d/"),
        Evil::Dir(b"d"),
    ];
    write_evil(&path, &members);
    let archive = staged(&root, &path).unwrap();
    assert_eq!(
        listing(&archive),
        "0644 a 3 \"two\"\n0644 old 3 \"one\"\n0644 d/\n"
    );
}

#[rstest]
#[case("cat", "x.tar")]
#[case("gzip", "x.tar.gz")]
#[case("xz", "x.tar.xz")]
#[case("zstd -q", "x.tar.zst")]
fn a_cut_archive_leaves_nothing(#[case] packer: &str, #[case] name: &str) {
    let (_dir, root) = scratch();
    tree(&root);
    sh(
        &root,
        &format!("head -c 300000 /dev/urandom > t/big; {TAR} -b1 -c t | {packer} > {name}"),
    );
    let path: Utf8PathBuf = root.join(name);
    let whole = fs::read(&path).unwrap();
    let mut cuts: Vec<usize> = [3, 4, 5, 7].iter().map(|n| whole.len() * n / 8).collect();
    match packer {
        // Behind a header, in a name, in data, between members, before the end mark.
        "cat" => cuts.extend([512, 700, 1024, 1536, 200_000, whole.len() - 1024]),
        _ => cuts.extend([whole.len() - 1, whole.len() - 9]),
    }
    for keep in cuts {
        fs::write(&path, &whole[..keep]).unwrap();
        let error = staged(&root, &path).unwrap_err();
        assert!(
            matches!(error, SourceError::Truncated { .. }),
            "{keep}: {error}"
        );
        assert!(error.to_string().contains(name), "{error}");
        nothing_left(&root);
    }
    fs::write(&path, &whole).unwrap();
    assert!(
        staged(&root, &path).is_ok(),
        "the whole archive is not held against its pieces"
    );
}

#[test]
fn damage_behind_the_last_member_is_found() {
    let (_dir, root) = scratch();
    tree(&root);
    sh(&root, &format!("{TAR} -cz t > x.tgz"));
    let path = root.join("x.tgz");
    let mut bytes = fs::read(&path).unwrap();
    let sum = bytes.len() - 6;
    bytes[sum] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = staged(&root, &path).unwrap_err();
    assert!(matches!(error, SourceError::Damaged { .. }), "{error}");
    nothing_left(&root);
}

#[test]
fn what_is_no_archive_says_what_it_is() {
    let (_dir, root) = scratch();
    let mut disk = vec![0; 1 << 16];
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    let cases: [(&[u8], &str); 4] = [
        (&disk, "is a disk image"),
        (b"PK\x03\x04rest", "is a zip archive"),
        (b"<html>", "is a web page"),
        (b"", "is empty"),
    ];
    for (bytes, words) in cases {
        let path = root.join("thing.tar.gz");
        fs::write(&path, bytes).unwrap();
        let message = staged(&root, &path).unwrap_err().to_string();
        assert!(
            message.contains(words) && message.contains("tar archive for Linux"),
            "{message}"
        );
        nothing_left(&root);
    }
}

#[test]
fn a_file_replaced_in_between_is_not_kept_under_the_old_digest() {
    let (_dir, root) = scratch();
    tree(&root);
    sh(&root, &format!("{TAR} -cf x.tar t"));
    let archive = obtained(&root, &root.join("x.tar"));
    sh(&root, &format!("echo more > t/more; {TAR} -cf x.tar t"));
    let error = stage(&archive, &Needed::all(), &cache(&root), &Reporter::silent()).unwrap_err();
    assert!(matches!(error, SourceError::Changing { .. }), "{error}");
    nothing_left(&root);
}

#[test]
fn modes_keep_twelve_bits() {
    let (_dir, root) = scratch();
    sh(
        &root,
        &format!("echo x > s; chmod 6755 s; {TAR} -cf x.tar s"),
    );
    assert_eq!(
        staged(&root, &root.join("x.tar")).unwrap().entries()[0].mode,
        Mode::new(0o6755)
    );
}

#[rstest]
#[case("gnu")]
#[case("pax")]
fn sparse_members_are_refused(#[case] format: &str) {
    let (_dir, root) = scratch();
    let make = "truncate -s 1M s; echo x >> s";
    sh(
        &root,
        &format!("{make}; {TAR} --sparse --format={format} -cf x.tar s"),
    );
    let message = staged(&root, &root.join("x.tar")).unwrap_err().to_string();
    assert!(message.contains("sparse file"), "{message}");
    nothing_left(&root);
}
