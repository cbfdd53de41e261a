//! Finished images, seen through other people's eyes: sfdisk, e2fsck, debugfs,
//! fsck.vfat, mtools and the bytes themselves.

use std::fs::File;
use std::os::unix::fs::{FileExt, PermissionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use rustix::fs::SeekFrom;

use super::super::tiny_image::temp_dir;
use super::super::tools::{output, run};

/// An image and where its partitions are, as sfdisk says.
pub(crate) struct Image {
    path: Utf8PathBuf,
    /// MBR disk id, as `0x1234abcd`.
    pub(crate) id: String,
    boot: Place,
    root: Place,
}

/// Bytes of a partition.
struct Place {
    start: u64,
    len: u64,
}

impl Image {
    /// Asks sfdisk about the image at `path`.
    #[track_caller]
    pub(crate) fn open(path: &Utf8Path) -> Self {
        let said = run("sfdisk", &["--json", path.as_str()]);
        let table = &serde_json::from_str::<serde_json::Value>(&said).unwrap()["partitiontable"];
        let place = |index: usize| {
            let partition = &table["partitions"][index];
            let bytes = |key: &str| partition[key].as_u64().unwrap() * 512;
            Place {
                start: bytes("start"),
                len: bytes("size"),
            }
        };
        let id = table["id"].as_str().unwrap().to_owned();
        Self {
            path: path.to_owned(),
            id,
            boot: place(0),
            root: place(1),
        }
    }

    /// Nobody else can read it, and no judge has anything to say.
    #[track_caller]
    pub(crate) fn judge(&self) {
        let mode = fs::metadata(&self.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", self.path);
        let verdict = output("sfdisk", &["--verify", self.path.as_str()]);
        let said = String::from_utf8([verdict.stdout, verdict.stderr].concat()).unwrap();
        assert!(
            verdict.status.success() && said.contains("No errors detected."),
            "{said}"
        );
        run("e2fsck", &["-fn", &self.root_device()]);
        let (_scratch, dir) = temp_dir();
        let boot = dir.join("boot.fat");
        fs::write(&boot, self.boot_bytes()).unwrap();
        let said = run("fsck.vfat", &["-n", boot.as_str()]);
        // Its own name and a count of files.
        assert_eq!(said.lines().count(), 2, "{said}");
    }

    /// The root filesystem for programs of e2fsprogs.
    pub(crate) fn root_device(&self) -> String {
        format!("{}?offset={}", self.path, self.root.start)
    }

    fn boot_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.boot.len as usize];
        File::open(&self.path)
            .unwrap()
            .read_exact_at(&mut bytes, self.boot.start)
            .unwrap();
        bytes
    }

    /// What debugfs says to a command.
    #[track_caller]
    pub(crate) fn debugfs(&self, command: &str) -> String {
        let output = output("debugfs", &["-R", command, &self.root_device()]);
        let said = String::from_utf8_lossy(&output.stderr);
        let complaint = said.lines().find(|line| !line.starts_with("debugfs 1."));
        assert_eq!(complaint, None, "debugfs {command}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Text of a file on the root filesystem.
    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> String {
        self.debugfs(&format!("cat {path}"))
    }

    /// What debugfs says of an inode; none if nothing is there.
    fn stat(&self, path: &str) -> Option<String> {
        let output = output(
            "debugfs",
            &["-R", &format!("stat {path}"), &self.root_device()],
        );
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.contains("Inode:").then_some(said)
    }

    /// Whether anything is at a path of the root filesystem.
    pub(crate) fn exists(&self, path: &str) -> bool {
        self.stat(path).is_some()
    }

    /// Target of a link; none if there is no link.
    pub(crate) fn link(&self, path: &str) -> Option<String> {
        let said = self.stat(path)?;
        if let Some(rest) = said.split("Fast link dest: \"").nth(1) {
            return Some(rest.split('"').next().unwrap().to_owned());
        }
        // Longer targets are in a block of their own.
        let is_link = said.contains("Type: symlink");
        is_link.then(|| self.text(path))
    }

    /// Mode and owner, such as `0644 0:0`.
    #[track_caller]
    pub(crate) fn attributes(&self, path: &str) -> String {
        let said = self
            .stat(path)
            .unwrap_or_else(|| panic!("there is no {path}"));
        let words: Vec<&str> = said.split_whitespace().collect();
        let behind = |name: &str| {
            let at = words.iter().position(|word| *word == name).unwrap();
            words[at + 1]
        };
        format!(
            "{} {}:{}",
            behind("Mode:"),
            behind("User:"),
            behind("Group:")
        )
    }

    /// When it was last changed, as debugfs writes it.
    #[track_caller]
    pub(crate) fn modified(&self, path: &str) -> String {
        let said = self
            .stat(path)
            .unwrap_or_else(|| panic!("there is no {path}"));
        let line = said
            .lines()
            .find(|line| line.trim_start().starts_with("mtime:"));
        line.unwrap().split("--").nth(1).unwrap().trim().to_owned()
    }

    /// Names in a directory of the root filesystem, sorted.
    #[track_caller]
    pub(crate) fn names(&self, dir: &str) -> Vec<String> {
        // /INODE/MODE/UID/GID/NAME/SIZE/, and an inode of 0 is nothing.
        let said = self.debugfs(&format!("ls -p {dir}"));
        let name = |line: &str| {
            let fields: Vec<&str> = line.split('/').collect();
            let name = (*fields.get(5)?).to_owned();
            (fields[1] != "0" && !matches!(name.as_str(), "." | "..")).then_some(name)
        };
        let mut names: Vec<String> = said.lines().filter_map(name).collect();
        names.sort();
        names
    }

    /// Label of the root filesystem.
    pub(crate) fn label(&self) -> String {
        let said = run("dumpe2fs", &["-h", &self.root_device()]);
        let line = said
            .lines()
            .find(|line| line.starts_with("Filesystem volume name:"));
        line.unwrap().split(':').nth(1).unwrap().trim().to_owned()
    }

    /// Names in the root of the firmware partition, sorted.
    pub(crate) fn boot_names(&self) -> Vec<String> {
        let volume = format!("{}@@{}", self.path, self.boot.start);
        let said = run("mdir", &["-b", "-i", &volume, "::/"]);
        let name = |line: &str| {
            line.trim_start_matches("::/")
                .trim_end_matches('/')
                .to_owned()
        };
        let mut names: Vec<String> = said.lines().map(name).collect();
        names.sort();
        names
    }

    /// Copies the root filesystem's files into a new directory.
    pub(crate) fn unpack_root(&self, dir: &Utf8Path) {
        fs::create_dir_all(dir).unwrap();
        // For other people than root it complains that it can give nothing away.
        output(
            "debugfs",
            &["-R", &format!("rdump / {dir}"), &self.root_device()],
        );
        assert!(
            dir.join("etc/hostname").exists(),
            "nothing was unpacked to {dir}"
        );
    }

    /// Text of a file on the boot filesystem.
    #[track_caller]
    pub(crate) fn boot_text(&self, name: &str) -> String {
        let volume = format!("{}@@{}", self.path, self.boot.start);
        run("mtype", &["-i", &volume, &format!("::/{name}")])
    }
}

/// Whether `needle`, of one line, is anywhere in a file or in the files of a
/// directory.
#[track_caller]
pub(crate) fn holds(path: &Utf8Path, needle: &str) -> bool {
    // Without -a it takes zeros for ends of lines and leaves out holes.
    let found = output("grep", &["-rqF", "-e", needle, path.as_str()]);
    match found.status.code() {
        Some(0) => true,
        Some(1) => false,
        _ => panic!("{found:?}"),
    }
}

/// Fails unless two files have the same length and the same bytes.
#[track_caller]
pub(crate) fn assert_same_bytes(one: &Utf8Path, other: &Utf8Path) {
    if let Some(difference) = difference(one, other) {
        panic!("{one} and {other} {difference}");
    }
}

/// Whether two files have the same length and the same bytes.
pub(crate) fn same_bytes(one: &Utf8Path, other: &Utf8Path) -> bool {
    difference(one, other).is_none()
}

fn difference(one: &Utf8Path, other: &Utf8Path) -> Option<String> {
    let (a, b) = (File::open(one).unwrap(), File::open(other).unwrap());
    let [len, other_len] = [&a, &b].map(|file| file.metadata().unwrap().len());
    if len != other_len {
        return Some(format!("have {len} and {other_len} bytes"));
    }
    // Where both have a hole, both have zeros.
    for (start, end) in stretches(&a).into_iter().chain(stretches(&b)) {
        let read = |file: &File| {
            let mut bytes = vec![0; (end - start) as usize];
            file.read_exact_at(&mut bytes, start).unwrap();
            bytes
        };
        let (left, right) = (read(&a), read(&b));
        if let Some(at) = left.iter().zip(&right).position(|(x, y)| x != y) {
            return Some(format!("differ at byte {}", start + at as u64));
        }
    }
    None
}

/// Where a file has data, from and to.
fn stretches(file: &File) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Ok(start) = rustix::fs::seek(file, SeekFrom::Data(at)) {
        at = rustix::fs::seek(file, SeekFrom::Hole(start)).unwrap();
        found.push((start, at));
    }
    found
}
