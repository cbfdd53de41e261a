//! How long a layer takes to write beside `cp -r` of the same files.
//!
//! `cargo bench --bench layer` prints one line for each round and the median
//! ratio. Both sides are measured in turn in one run, with a final sync inside
//! the timing, so the ratio holds on a noisy machine.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use pidoop::disk::Region;
use pidoop::disk::ext4::apply;
use pidoop::edit::{Changes, FileContent, ImagePath, Mode, Owner, Target};
use sha2::{Digest, Sha256};

/// Shape of Hadoop without its documentation: 2,000 files of 300 kB.
const FILES: u32 = 2000;
const WORDS: u32 = 75_000;
const ROUNDS: usize = 5;
/// Any moment does, as long as it is the same.
const EPOCH: u64 = 1_760_000_000;

fn main() {
    let temp = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(temp.path()).unwrap();
    let (tree, changes) = files(dir);
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let copied = timed(|| {
            run("cp", &["-r", tree.as_str(), dir.join("copy").as_str()]);
        });
        fs::remove_dir_all(dir.join("copy")).unwrap();
        let image = dir.join("root.img");
        fs::File::create(&image).unwrap().set_len(2 << 30).unwrap();
        run(
            "/usr/sbin/mke2fs",
            &["-q", "-F", "-t", "ext4", image.as_str()],
        );
        let region = Region::whole(&image).unwrap();
        let applied = timed(|| {
            apply(&region, &changes, EPOCH).unwrap();
        });
        fs::remove_file(&image).unwrap();
        let ratio = applied.as_secs_f64() / copied.as_secs_f64();
        println!("round {round}: cp -r {copied:.2?}, layer {applied:.2?}, ratio {ratio:.2}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio: {:.2} x cp -r", ratios[ROUNDS / 2]);
}

/// The files on the host, and the changes that put them into an image.
fn files(dir: &Utf8Path) -> (Utf8PathBuf, Changes) {
    let tree = dir.join("tree");
    let mut changes = Changes::default();
    let folder = || Target::Dir {
        owner: Owner::ROOT,
        mode: Mode::EXECUTABLE,
    };
    let path = |text: String| ImagePath::new(&text).unwrap();
    changes.targets.insert(path("/opt".to_owned()), folder());
    for index in 0..FILES {
        let parent = format!("d{}", index / 100);
        fs::create_dir_all(tree.join(&parent)).unwrap();
        changes
            .targets
            .insert(path(format!("/opt/{parent}")), folder());
        let bytes: Vec<u8> = (0..WORDS)
            .flat_map(|n| (n ^ (index * 7919)).to_le_bytes())
            .collect();
        let host = tree.join(&parent).join(format!("f{index}"));
        fs::write(&host, &bytes).unwrap();
        let content = FileContent::Staged {
            host,
            len: bytes.len() as u64,
            sha256: Sha256::digest(&bytes).into(),
        };
        let target = Target::File {
            content,
            owner: Owner::ROOT,
            mode: Mode::FILE,
        };
        changes
            .targets
            .insert(path(format!("/opt/{parent}/f{index}")), target);
    }
    (tree, changes)
}

fn timed(work: impl FnOnce()) -> Duration {
    run("sync", &[]);
    let begun = Instant::now();
    work();
    run("sync", &[]);
    begun.elapsed()
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}
