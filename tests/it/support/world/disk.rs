//! Disk images made by mke2fs, mkfs.vfat, mtools and sfdisk: by none of the
//! code that is tested with them.

use std::fs::File;
use std::os::unix::fs::FileExt;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::super::tiny_image::{MIB, Table, temp_dir};
use super::super::tools::{output, run};
use super::system::{DISK_ID, Flavour};
use super::tree::Tree;

/// Length of the root partition.
const ROOT: u64 = 64 * MIB;

/// Makes the image of a Raspberry Pi OS or its like at `image`.
pub(crate) fn make_image(flavour: Flavour, image: &Utf8Path) {
    let (_scratch, dir) = temp_dir();
    let boot = make_fat(&dir, flavour);
    let root = make_ext4(&dir, flavour, &flavour.root());
    let places = Places {
        label: Table::Mbr,
        alignment: flavour.alignment(),
    };
    assemble(image, places, &[&boot, &root]);
}

/// The FAT32 filesystem of a system, in a file of its own.
pub(crate) fn make_fat(dir: &Utf8Path, flavour: Flavour) -> Utf8PathBuf {
    let label = flavour.labels()[0];
    make_fat_with(dir, &flavour.boot(), flavour.cluster_sectors(), label)
}

/// A FAT32 filesystem with these files, in clusters of so many sectors.
pub(crate) fn make_fat_with(
    dir: &Utf8Path,
    files: &[(&str, String)],
    sectors: u64,
    label: &str,
) -> Utf8PathBuf {
    let volume = dir.join("boot.fat");
    // The least that holds the clusters a FAT32 has to have.
    let len = 34 * MIB * sectors;
    File::create(&volume).unwrap().set_len(len).unwrap();
    let clusters = format!("-s{sectors}");
    let options = [
        "-F32",
        &clusters,
        "-n",
        label,
        "-i",
        "50a7d0a6",
        "--invariant",
    ];
    run("mkfs.vfat", &[&options[..], &[volume.as_str()]].concat());
    let content = dir.join("boot");
    for (name, text) in files {
        let file = content.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let mut entries: Vec<Utf8PathBuf> = content
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().into_path())
        .collect();
    entries.sort();
    let mut args = vec!["-s", "-Q", "-i", volume.as_str()];
    args.extend(entries.iter().map(|entry| entry.as_str()));
    args.push("::/");
    run("mcopy", &args);
    volume
}

/// A system's ext4 filesystem with this tree, in a file of its own.
pub(crate) fn make_ext4(dir: &Utf8Path, flavour: Flavour, tree: &Tree) -> Utf8PathBuf {
    let volume = dir.join("root.ext4");
    let content = dir.join("root");
    fs::create_dir(&content).unwrap();
    tree.write_to(&content);
    let size = format!("{}k", ROOT / 1024);
    run(
        "mke2fs",
        &[
            "-q",
            "-t",
            "ext4",
            "-L",
            flavour.labels()[1],
            "-O",
            flavour.features(),
            "-U",
            "5bf7b0a6-2b0c-4e0f-9d5c-0c1a3a7c1e11",
            "-E",
            "root_owner=0:0,hash_seed=5bf7b0a6-2b0c-4e0f-9d5c-0c1a3a7c1e12",
            "-d",
            content.as_str(),
            volume.as_str(),
            &size,
        ],
    );
    // Whoever runs the tests, in the image files belong to whom they should.
    debugfs(volume.as_str(), &tree.owners());
    run("e2fsck", &["-fn", volume.as_str()]);
    volume
}

/// Has debugfs carry out a script on the filesystem at `place`, which may be
/// `FILE?offset=BYTES`.
pub(crate) fn debugfs(place: &str, script: &str) {
    let (_scratch, dir) = temp_dir();
    let file = dir.join("script");
    fs::write(&file, script).unwrap();
    let output = output("debugfs", &["-w", "-f", file.as_str(), place]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // It exits with 0 whatever happens; beside the version it should say nothing.
    let complaints: Vec<&str> = said
        .lines()
        .filter(|line| !line.starts_with("debugfs 1."))
        .collect();
    assert!(complaints.is_empty(), "debugfs: {}", complaints.join("\n"));
}

/// How partitions lie on a disk.
#[derive(Clone, Copy)]
pub(crate) struct Places {
    pub(crate) label: Table,
    /// What each begins at a multiple of; the first begins there.
    pub(crate) alignment: u64,
}

impl From<Table> for Places {
    fn from(label: Table) -> Self {
        Self {
            label,
            alignment: 8 * MIB,
        }
    }
}

/// A disk with these filesystems as its partitions.
pub(crate) fn assemble(image: &Utf8Path, places: impl Into<Places>, volumes: &[&Utf8Path]) {
    let Places { label, alignment } = places.into();
    let mut script = match label {
        Table::Mbr => format!("label: dos\nlabel-id: 0x{DISK_ID:08x}\n"),
        Table::Gpt => "label: gpt\n".to_owned(),
    };
    let mut start = alignment;
    let mut places = Vec::new();
    for (index, volume) in volumes.iter().enumerate() {
        let len = fs::metadata(volume).unwrap().len();
        let kind = match (label, index) {
            (Table::Mbr, 0) => "c",
            (Table::Mbr, _) => "83",
            (Table::Gpt, 0) => "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7",
            (Table::Gpt, _) => "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
        };
        script.push_str(&format!(
            "start={}, size={}, type={kind}\n",
            start / 512,
            len / 512
        ));
        places.push(start);
        start += len.next_multiple_of(alignment);
    }
    let disk = File::create(image).unwrap();
    // A GPT has its second copy behind the last partition.
    disk.set_len(start + if label == Table::Gpt { MIB } else { 0 })
        .unwrap();
    let plan = image.with_extension("sfdisk");
    fs::write(&plan, script).unwrap();
    run(
        "sh",
        &["-c", &format!("sfdisk --quiet '{image}' < '{plan}'")],
    );
    fs::remove_file(plan).unwrap();
    for (volume, place) in volumes.iter().zip(places) {
        copy_sparsely(&fs::read(volume).unwrap(), &disk, place);
    }
}

/// Writes what is not zero.
fn copy_sparsely(bytes: &[u8], disk: &File, start: u64) {
    const CHUNK: usize = 64 << 10;
    for (chunk, at) in bytes.chunks(CHUNK).zip((start..).step_by(CHUNK)) {
        if chunk.iter().any(|byte| *byte != 0) {
            disk.write_all_at(chunk, at).unwrap();
        }
    }
}
