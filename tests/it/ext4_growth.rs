//! ext4: growing where it is comes to the same as growing a file of its own.

use camino::Utf8Path;
use fs_err as fs;
use fs_err::OpenOptions;
use fs_err::os::unix::fs::FileExt;
use pidoop::disk::ext4::{Ext4Volume, Growth, grow};
use pidoop::disk::{PiImage, copy_file};
use rstest::rstest;

use crate::ext4::EPOCH;
use crate::support::changes::listing;
use crate::support::tiny_image::{Ext4, Fat, MIB, Table, TinyImage, TinyRoot, mke2fs, temp_dir};
use crate::support::tools::run;

/// Leaves remains of removed files in the free blocks of a filesystem.
fn use_up(root: &TinyRoot) {
    let remains = root.scratch().join("remains");
    let place = root.path.as_str();
    for (name, len) in [("one", 20), ("two", 10), ("three", 9)] {
        fs::write(&remains, vec![0xa5; len << 20]).unwrap();
        let write = format!("write {remains} /{name}");
        run("debugfs", &["-w", "-R", &write, place]);
    }
    for name in ["one", "two", "three"] {
        run("debugfs", &["-w", "-R", &format!("rm /{name}"), place]);
    }
    root.judge();
}

fn grown_outside(image: &Utf8Path, len: u64) -> PiImage {
    let mut opened = PiImage::open(image).unwrap();
    let root = image.with_extension("root");
    opened.extract_root(&root).unwrap();
    grow(&root, len, EPOCH).unwrap();
    opened.splice_root(&root).unwrap();
    fs::remove_file(root).unwrap();
    opened
}

/// Grows copies of an image both ways, which must come to the same but for new
/// groups' tables: where they take free blocks, one way leaves what is in these,
/// and the other does not.
fn both_ways_agree(table: Table, root: &TinyRoot, len: u64) {
    let here = TinyImage::with_root_of(table, Fat::Small, root);
    let there = here.path.with_file_name("twin.img");
    copy_file(&here.path, &there).unwrap();
    let mut inside = here.open();
    let before = listing(&Ext4Volume::open(&inside.root()).unwrap());
    let growth = Growth::rehearse(&inside.root(), len, EPOCH)
        .unwrap()
        .unwrap();
    inside.grow_root(&growth).unwrap();
    here.judge();
    let after = listing(&Ext4Volume::open(&inside.root()).unwrap());
    assert_eq!(after, before);

    let outside = grown_outside(&there, len);
    assert_eq!(inside.root().len, outside.root().len);
    let file = OpenOptions::new().write(true).open(&there).unwrap();
    let start = outside.root().start;
    for (from, to) in &growth.zeroed {
        file.write_all_at(&vec![0; (to - from) as usize], start + from)
            .unwrap();
    }
    for piece in &growth.pieces {
        file.write_all_at(&piece.bytes, start + piece.at).unwrap();
    }
    run("cmp", &[here.path.as_str(), there.as_str()]);
}

#[rstest]
fn growing_where_it_is_comes_to_the_same(
    #[values(Ext4::Bullseye, Ext4::Bookworm, Ext4::Trixie, Ext4::ImageGen)] kind: Ext4,
) {
    let root = TinyRoot::new(kind, 64 * MIB);
    use_up(&root);
    both_ways_agree(Table::Mbr, &root, 1000 * MIB);
}

#[rstest]
#[case(65 * MIB)]
#[case(130 * MIB)]
#[case(3000 * MIB)]
fn to_any_length_on_either_kind_of_table(
    #[case] len: u64,
    #[values(Table::Mbr, Table::Gpt)] table: Table,
) {
    both_ways_agree(table, &TinyRoot::new(Ext4::Trixie, 64 * MIB), len);
}

/// With no blocks kept for more descriptors, those of 66 groups take the place of
/// something else.
#[test]
fn what_would_move_contents_is_not_done_where_it_is() {
    let (_dir, dir) = temp_dir();
    let tree = dir.join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("file"), vec![7; 3 << 20]).unwrap();
    let path = dir.join("root.ext4");
    fs::File::create(&path).unwrap().set_len(64 * MIB).unwrap();
    mke2fs(&path, "^resize_inode,64bit", &tree, &[]);
    let region = pidoop::disk::Region::whole(&path).unwrap();
    let few = Growth::rehearse(&region, 1000 * MIB, EPOCH).unwrap();
    assert!(
        few.is_some(),
        "all descriptors fit in the block that is there"
    );
    let many = Growth::rehearse(&region, 66 * 128 * MIB, EPOCH).unwrap();
    assert_eq!(many.map(|growth| growth.to), None);
    let twin = dir.join("twin.ext4");
    copy_file(&path, &twin).unwrap();
    let before = listing(&Ext4Volume::open(&region).unwrap());
    grow(&twin, 66 * 128 * MIB, EPOCH).unwrap();
    let twin = pidoop::disk::Region::whole(&twin).unwrap();
    assert_eq!(listing(&Ext4Volume::open(&twin).unwrap()), before);
}

/// Tables of a hundred groups come to 200 MB, and none of it to memory or disk.
#[test]
fn growth_is_as_small_as_what_it_changes() {
    let root = TinyRoot::new(Ext4::Trixie, 64 * MIB);
    let growth = Growth::rehearse(&root.region(), 100 * 128 * MIB, EPOCH)
        .unwrap()
        .unwrap();
    let written: usize = growth.pieces.iter().map(|piece| piece.bytes.len()).sum();
    let zeroed: u64 = growth.zeroed.iter().map(|(from, to)| to - from).sum();
    assert!(written < 16 << 20, "{written}");
    assert!(zeroed > 100 << 20, "{zeroed}");
}
