//! Images that may not be what they were: built afresh, never patched.

use std::fs::File;
use std::os::unix::fs::FileExt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use pidoop::disk::PiImage;
use rstest::rstest;

use super::patched::is_as_if_new;
use crate::support::world::{ClusterFile, Run, Sandbox, assert_same_bytes, copy_sparsely, world};

pub(super) const NODES: [&str; 3] = ["master", "worker1", "worker2"];

pub(super) fn usual() -> ClusterFile {
    ClusterFile::new(world())
}

fn changed() -> ClusterFile {
    usual().property("hdfs-site.xml", "dfs.blocksize", "32m")
}

/// One that takes other blocks in all of them.
pub(super) fn reshaped() -> ClusterFile {
    let large = "a line of a large property value, ".repeat(400);
    usual().property("core-site.xml", "hadoop.http.filter.initializers", &large)
}

/// A sandbox with finished images, and a plan that changes all of them.
pub(super) fn with_old_images() -> Sandbox {
    let sandbox = Sandbox::warm(&usual());
    sandbox.run("build").works();
    sandbox.write_cluster(&changed());
    sandbox
}

/// What the build took for a node.
#[track_caller]
pub(super) fn how(run: &Run, node: &str) -> String {
    let found = run.how().into_iter().find(|(name, _)| name == node);
    found.unwrap().1
}

fn open(image: &Utf8Path) -> File {
    File::options().read(true).write(true).open(image).unwrap()
}

/// Writes another byte into space that no file uses, and sets the time back.
fn scribble(image: &Utf8Path) {
    let file = open(image);
    let time = file.metadata().unwrap().modified().unwrap();
    let at = file.metadata().unwrap().len() - 4096;
    file.write_all_at(&[0xee], at).unwrap();
    file.set_modified(time).unwrap();
}

fn cut(image: &Utf8Path) {
    let file = open(image);
    file.set_len(file.metadata().unwrap().len() - 4096).unwrap();
}

fn lengthen(image: &Utf8Path) {
    let file = open(image);
    file.set_len(file.metadata().unwrap().len() + 4096).unwrap();
}

fn empty(image: &Utf8Path) {
    open(image).set_len(0).unwrap();
}

/// Puts the image of another node in its place, by name or by content.
fn replace_by_rename(image: &Utf8Path) {
    let copy = image.with_extension("copy");
    copy_sparsely(&image.with_file_name("tiny-master.img"), &copy);
    fs::rename(copy, image).unwrap();
}

fn replace_by_content(image: &Utf8Path) {
    fs::copy(image.with_file_name("tiny-master.img"), image).unwrap();
}

/// The same bytes in another file.
fn restore_from_backup(image: &Utf8Path) {
    let copy = image.with_extension("copy");
    copy_sparsely(image, &copy);
    fs::rename(copy, image).unwrap();
}

fn read_only(image: &Utf8Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(image, std::fs::Permissions::from_mode(0o400)).unwrap();
}

#[rstest]
#[case(scribble)]
#[case(cut)]
#[case(lengthen)]
#[case(empty)]
#[case(replace_by_rename)]
#[case(replace_by_content)]
#[case(restore_from_backup)]
#[case(read_only)]
fn an_image_that_somebody_touched_is_built_afresh(
    #[case] touch: impl Fn(&Utf8Path),
    #[values(true, false)] plan_changes: bool,
) {
    let sandbox = with_old_images();
    if !plan_changes {
        sandbox.write_cluster(&usual());
    }
    touch(&sandbox.image("worker1"));
    let run = sandbox.run("build --json").works();
    let others = if plan_changes { "patched" } else { "unchanged" };
    assert_eq!(how(&run, "master"), others);
    assert_eq!(how(&run, "worker1"), "built");
    assert_eq!(how(&run, "worker2"), others);
    assert!(
        run.stdout
            .contains("out/tiny-worker1.img is not as it was made"),
        "{run}"
    );
    is_as_if_new(&sandbox);
    // And from then on it is known again.
    let run = sandbox.run("build --json").works();
    assert_eq!(how(&run, "worker1"), "unchanged");
}

#[test]
fn an_image_that_is_gone_is_built() {
    let sandbox = with_old_images();
    fs::remove_file(sandbox.image("worker1")).unwrap();
    let run = sandbox.run("build --json").works();
    assert_eq!(how(&run, "worker1"), "built");
    assert!(!run.stdout.contains("built afresh"), "{run}");
    is_as_if_new(&sandbox);
}

#[test]
fn a_layer_that_is_gone_is_made_again() {
    for gone in ["layers", "notes"] {
        let sandbox = with_old_images();
        fs::remove_dir_all(sandbox.cache().join(gone)).unwrap();
        let run = sandbox.run("build --json").works();
        for node in NODES {
            assert_eq!(how(&run, node), "patched", "without {gone}");
        }
        is_as_if_new(&sandbox);
    }
}

/// The metadata of the layer, kept for trying changes out on them.
pub(super) fn skeleton(sandbox: &Sandbox) -> Utf8PathBuf {
    let names = sandbox.names("home/.cache/pidoop/layers");
    let skeleton = names.iter().find(|name| name.ends_with(".skeleton"));
    sandbox.cache().join("layers").join(skeleton.unwrap())
}

#[test]
fn a_damaged_skeleton_is_made_again_with_its_layer() {
    let sandbox = with_old_images();
    sandbox.write_cluster(&reshaped());
    let skeleton = skeleton(&sandbox);
    let whole = fs::read(&skeleton).unwrap();
    open(&skeleton)
        .write_all_at(b"x", whole.len() as u64 / 2)
        .unwrap();
    let run = sandbox.run("build --json").works();
    assert!(run.stdout.contains("the layer is made again"), "{run}");
    assert!(fs::read(&skeleton).unwrap() == whole);
    is_as_if_new(&sandbox);
}

#[test]
fn a_damaged_layer_is_noticed() {
    let sandbox = with_old_images();
    let skeleton = skeleton(&sandbox);
    let layer = skeleton.with_extension("img");
    // The last of its metadata, which no change of a node comes to. The skeleton
    // has a head of 64 bytes, then how many pieces, and place and length of each.
    let bytes = fs::read(&skeleton).unwrap();
    let number = |at: usize| u64::from_le_bytes(*bytes[at..].first_chunk().unwrap());
    let last = 72 + (number(64) as usize - 1) * 16;
    let root = PiImage::open(&layer).unwrap().root();
    let at = root.start + number(last) + number(last + 8) - 1;
    open(&layer).write_all_at(b"x", at).unwrap();
    fs::remove_file(sandbox.image("worker1")).unwrap();
    let run = sandbox.run("build");
    run.refuses(1, &["metadata are not those that were judged", "remove"]);
    assert!(!sandbox.image("worker1").exists());
    fs::remove_file(&skeleton).unwrap();
    sandbox.run("build").works();
    is_as_if_new(&sandbox);
}

/// As after a power cut: its skeleton is written when the layer is on the disk.
#[test]
fn a_layer_that_did_not_reach_the_disk_is_made_again() {
    let sandbox = with_old_images();
    let skeleton = skeleton(&sandbox);
    let layer = skeleton.with_extension("img");
    let whole = fs::read(&layer).unwrap();
    let file = open(&layer);
    file.write_all_at(&[0; 4096], file.metadata().unwrap().len() / 2)
        .unwrap();
    file.set_len(file.metadata().unwrap().len() - 9000).unwrap();
    fs::remove_file(&skeleton).unwrap();
    let run = sandbox.run("build --json").works();
    assert!(run.stdout.contains("verifying the layer"), "{run}");
    assert!(skeleton.is_file());
    assert!(fs::read(&layer).unwrap() == whole);
    is_as_if_new(&sandbox);
}

#[test]
fn records_that_are_gone_or_damaged_are_done_without() {
    let sandbox = with_old_images();
    let dir = sandbox.cache().join("images");
    let mut records: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    // Those of the build that the cache was copied from are swept away.
    assert_eq!(records.len(), 3, "{records:?}");
    records.sort();
    fs::remove_file(&records[0]).unwrap();
    let half = fs::read(&records[1]).unwrap();
    fs::write(&records[1], &half[..half.len() / 2]).unwrap();
    let run = sandbox.run("build --json").works();
    let mut hows = NODES.map(|node| how(&run, node));
    hows.sort();
    assert_eq!(hows, ["built", "built", "patched"]);
    is_as_if_new(&sandbox);
}

/// Changes what is known of each image.
pub(super) fn change_records(sandbox: &Sandbox, change: impl Fn(&mut serde_json::Value)) {
    for entry in fs::read_dir(sandbox.cache().join("images")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let mut record = serde_json::from_str(&text).unwrap();
        change(&mut record);
        fs::write(&path, record.to_string()).unwrap();
    }
}

/// As after an update of the tools that made the layer. Metadata of an older
/// image are not read again, so they must be those that are at hand.
#[test]
fn an_image_from_a_layer_with_other_metadata_is_built_afresh() {
    let sandbox = with_old_images();
    change_records(&sandbox, |record| {
        if record["image"].as_str().unwrap().contains("worker1") {
            assert!(record["skeleton"].is_string(), "{record}");
            record["skeleton"] = "0".repeat(64).into();
        }
    });
    let run = sandbox.run("build --json").works();
    assert_eq!(how(&run, "master"), "patched");
    assert_eq!(how(&run, "worker1"), "built");
    assert!(
        run.stdout
            .contains("tiny-worker1.img was made from a layer"),
        "{run}"
    );
    is_as_if_new(&sandbox);
}

#[test]
fn copies_of_images_are_nobodys_but_the_users() {
    let sandbox = with_old_images();
    let (linked, copied) = (sandbox.path("linked.img"), sandbox.path("copied.img"));
    fs::hard_link(sandbox.image("worker1"), &linked).unwrap();
    copy_sparsely(&sandbox.image("worker2"), &copied);
    let run = sandbox.run("build --json").works();
    assert_eq!(how(&run, "worker1"), "built");
    assert_eq!(how(&run, "worker2"), "patched");
    for (copy, node) in [(linked, "worker1"), (copied, "worker2")] {
        assert_same_bytes(&copy, &world().usual_image(node));
    }
    is_as_if_new(&sandbox);
}

#[test]
fn a_directory_that_was_moved_or_copied_is_safe() {
    let sandbox = with_old_images();
    let (out, moved, copied) = (
        sandbox.path("out"),
        sandbox.path("moved"),
        sandbox.path("copied"),
    );
    copy_sparsely(&out, &copied);
    fs::rename(&out, &moved).unwrap();
    for dir in ["copied", "moved", "out"] {
        let run = sandbox.run(&format!("build --json -o {dir}")).works();
        for node in NODES {
            assert_eq!(how(&run, node), "built", "in {dir}");
        }
    }
    is_as_if_new(&sandbox);
    for node in NODES {
        let name = format!("tiny-{node}.img");
        assert_same_bytes(&moved.join(&name), &out.join(&name));
        assert_same_bytes(&copied.join(&name), &out.join(&name));
    }
    // A name that leads there by another way is the same directory.
    std::os::unix::fs::symlink(&moved, sandbox.path("link")).unwrap();
    let run = sandbox.run("build --json -o link").works();
    assert_eq!(how(&run, "master"), "unchanged");
}

#[test]
fn images_made_with_another_cache_are_not_taken_for_ones_own() {
    let sandbox = with_old_images();
    copy_sparsely(&sandbox.cache(), &sandbox.path("other-cache"));
    let run = sandbox.run("build --json").works();
    assert_eq!(how(&run, "master"), "patched");
    let run = sandbox.run("build --json --cache-dir other-cache").works();
    assert_eq!(how(&run, "master"), "built");
    is_as_if_new(&sandbox);
}

#[test]
fn an_image_that_is_being_read_is_not_changed_under_the_reader() {
    let sandbox = with_old_images();
    let reader = File::open(sandbox.image("worker1")).unwrap();
    reader.lock_shared().unwrap();
    let run = sandbox.run("build --json").works();
    assert_eq!(how(&run, "worker1"), "built");
    assert!(run.stdout.contains("in use by another program"), "{run}");
    let mut was = vec![0; 1 << 20];
    reader.read_exact_at(&mut was, 0).unwrap();
    let mut is = vec![0; 1 << 20];
    let usual = File::open(world().usual_image("worker1")).unwrap();
    usual.read_exact_at(&mut is, 0).unwrap();
    assert!(was == is);
    is_as_if_new(&sandbox);
}
