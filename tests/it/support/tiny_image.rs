//! Small images laid out like Raspberry Pi OS, made by other people's tools.

use std::os::unix::fs::{FileExt, symlink};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use pidoop::disk::{PiImage, Region};
use rstest_reuse::template;
use tempfile::TempDir;

use super::stock::{Data, Stock, sized_file};
use super::tools::{output, run};

pub(crate) const MIB: u64 = 1 << 20;

/// What /etc/shadow has in the base, to be looked for where it must not be.
pub(crate) const OLD_SHADOW: &str = "root:*:19000:0:99999:7:::\npi:old-secret-hash:19000:::::\n";

/// Kinds of partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    Mbr,
    Gpt,
}

/// Kinds of FAT that releases have used, and FAT16 for small boot partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fat {
    /// FAT32 with clusters of 512 bytes: Trixie from 2026-04.
    Trixie,
    /// FAT32 with clusters of 2 KiB: Bookworm.
    Bookworm,
    /// FAT16.
    Small,
}

/// ext4 features as releases have them, and what rpi-image-gen makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ext4 {
    Bullseye,
    Bookworm,
    Trixie,
    ImageGen,
    /// Without extents, with small inodes: the oldest layout ext4 reads.
    Ancient,
}

/// A test of every kind, taken on with `#[apply(every_kind)]`.
#[template]
#[rstest]
fn every_kind(
    #[values(
        Ext4::Bullseye,
        Ext4::Bookworm,
        Ext4::Trixie,
        Ext4::ImageGen,
        Ext4::Ancient
    )]
    kind: Ext4,
) {
}

impl Fat {
    /// Bytes of a partition on which mkfs makes this kind.
    fn len(self) -> u64 {
        match self {
            Self::Trixie => 40 * MIB,
            // Below 65525 clusters it would be FAT16.
            Self::Bookworm => 136 * MIB,
            Self::Small => 16 * MIB,
        }
    }

    fn options(self) -> [&'static str; 2] {
        match self {
            Self::Trixie => ["-F32", "-s1"],
            Self::Bookworm => ["-F32", "-s4"],
            Self::Small => ["-F16", "-s4"],
        }
    }
}

impl Ext4 {
    pub(crate) const ALL: [Self; 5] = [
        Self::Bullseye,
        Self::Bookworm,
        Self::Trixie,
        Self::ImageGen,
        Self::Ancient,
    ];

    fn features(self) -> &'static str {
        match self {
            Self::Bullseye => {
                "^64bit,^huge_file,^metadata_csum,^metadata_csum_seed,^orphan_file,uninit_bg"
            }
            Self::Bookworm => "^64bit,^huge_file,metadata_csum,^metadata_csum_seed,^orphan_file",
            Self::Trixie => "^64bit,^huge_file,metadata_csum,metadata_csum_seed,orphan_file",
            Self::ImageGen => "64bit,huge_file,metadata_csum,^metadata_csum_seed,^orphan_file",
            Self::Ancient => "^64bit,^extent,^flex_bg,^metadata_csum,^orphan_file,^dir_index",
        }
    }
}

/// A root filesystem in a file of its own.
pub(crate) struct TinyRoot {
    dir: TempDir,
    pub(crate) path: Utf8PathBuf,
}

/// A boot filesystem in a file of its own.
pub(crate) struct TinyBoot {
    _dir: TempDir,
    pub(crate) path: Utf8PathBuf,
}

/// A whole image.
pub(crate) struct TinyImage {
    _dir: TempDir,
    pub(crate) path: Utf8PathBuf,
}

/// A directory of our own, in memory if there is plenty: debugfs waits for the
/// disk at the end of each run, and these tests run it often.
pub(crate) fn temp_dir() -> (TempDir, Utf8PathBuf) {
    let plenty =
        rustix::fs::statvfs("/dev/shm").is_ok_and(|shm| shm.f_bavail * shm.f_frsize > 4 << 30);
    let dir = match plenty {
        true => tempfile::tempdir_in("/dev/shm").unwrap(),
        false => tempfile::tempdir().unwrap(),
    };
    let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
    (dir, path)
}

/// Makes an ext4 filesystem with what is in `tree` in the file `path`, always the
/// same.
pub(crate) fn mke2fs(path: &Utf8Path, features: &str, tree: &Utf8Path, more: &[&str]) {
    let mut args = vec!["-q", "-F", "-t", "ext4", "-b", "4096", "-O", features];
    args.extend(more);
    args.extend(["-U", "5ad9cc5e-7b3f-4d0c-8d0e-6d6f0a3c5e11"]);
    args.extend(["-E", "hash_seed=5ad9cc5e-7b3f-4d0c-8d0e-6d6f0a3c5e12"]);
    args.extend(["-d", tree.as_str(), path.as_str()]);
    run("mke2fs", &args);
}

impl TinyRoot {
    /// A filesystem of `len` bytes with some of what a Raspberry Pi OS root
    /// has: an old shadow, links hard and soft, a directory with an index, a
    /// file with attributes too large for its inode.
    pub(crate) fn new(kind: Ext4, len: u64) -> Self {
        static MADE: Stock<(Ext4, u64)> = Stock::new();
        let (dir, base) = temp_dir();
        let path = base.join("root.ext4");
        MADE.put((kind, len), &path, || {
            let built = Self::build(kind, len);
            (Data::of(&built.path), len)
        });
        Self { dir, path }
    }

    fn build(kind: Ext4, len: u64) -> Self {
        let (dir, base) = temp_dir();
        let path = base.join("root.ext4");
        let tree = base.join("tree");
        for name in [
            "etc",
            "usr/bin",
            "usr/share/doc/a",
            "usr/share/big",
            "home/pi",
            "boot",
        ] {
            fs::create_dir_all(tree.join(name)).unwrap();
        }
        fs::write(tree.join("etc/shadow"), OLD_SHADOW).unwrap();
        fs::write(tree.join("etc/hostname"), "raspberrypi\n").unwrap();
        fs::write(tree.join("usr/bin/tool"), vec![b't'; 300_000]).unwrap();
        fs::write(tree.join("usr/share/doc/a/copyright"), "shared text\n").unwrap();
        fs::hard_link(
            tree.join("usr/share/doc/a/copyright"),
            tree.join("usr/share/doc/a/copyright-too"),
        )
        .unwrap();
        symlink("usr/bin", tree.join("bin")).unwrap();
        symlink("x".repeat(200), tree.join("usr/share/long-link")).unwrap();
        for index in 0..700 {
            let name = format!("usr/share/big/a-file-with-a-rather-long-name-{index:05}");
            fs::write(tree.join(name), format!("{index}")).unwrap();
        }
        sized_file(&path, len);
        let small_inodes: &[&str] = match kind {
            Ext4::Ancient => &["-I", "128"],
            _ => &[],
        };
        mke2fs(&path, kind.features(), &tree, small_inodes);
        // Only e2fsck -D makes the index of a large directory outside a kernel.
        let indexed = output("e2fsck", &["-fyD", path.as_str()]);
        assert!(matches!(indexed.status.code(), Some(0 | 1)), "{indexed:?}");
        fs::write(base.join("value"), "v".repeat(3000)).unwrap();
        let set = format!("ea_set -f {base}/value /usr/bin/tool user.large");
        run("debugfs", &["-w", "-R", &set, path.as_str()]);
        fs::remove_dir_all(tree).unwrap();
        let root = Self { dir, path };
        root.judge();
        root
    }

    pub(crate) fn region(&self) -> Region {
        Region::whole(&self.path).unwrap()
    }

    pub(crate) fn scratch(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.dir.path().to_owned()).unwrap()
    }

    /// e2fsck has nothing to say.
    #[track_caller]
    pub(crate) fn judge(&self) {
        run("e2fsck", &["-fn", self.path.as_str()]);
    }

    pub(crate) fn debugfs(&self, command: &str) -> String {
        run("debugfs", &["-R", command, self.path.as_str()])
    }
}

impl TinyBoot {
    /// A filesystem with the files pidoop edits, put there by mtools.
    pub(crate) fn new(kind: Fat) -> Self {
        static MADE: Stock<Fat> = Stock::new();
        let (dir, base) = temp_dir();
        let path = base.join("boot.fat");
        MADE.put(kind, &path, || {
            (Data::of(&Self::build(kind).path), kind.len())
        });
        Self { _dir: dir, path }
    }

    fn build(kind: Fat) -> Self {
        let (dir, base) = temp_dir();
        let path = base.join("boot.fat");
        sized_file(&path, kind.len());
        let [bits, clusters] = kind.options();
        let made = [
            "--invariant",
            bits,
            clusters,
            "-i",
            "1234abcd",
            "-n",
            "bootfs",
            path.as_str(),
        ];
        run("mkfs.vfat", &made);
        let boot = Self { _dir: dir, path };
        for (name, content) in [
            (
                "cmdline.txt",
                "console=tty1 root=PARTUUID=deadbeef-02 rootwait resize\n",
            ),
            ("CONFIG.TXT", "arm_64bit=1\n"),
            ("userconf.txt", "pi:old-secret-hash\n"),
            ("bcm2711-rpi-4-b.dtb", "device tree\n"),
        ] {
            let host = base.join("content");
            fs::write(&host, content).unwrap();
            let target = format!("::/{name}");
            run("mcopy", &["-i", boot.path.as_str(), host.as_str(), &target]);
        }
        run("mmd", &["-i", boot.path.as_str(), "::/overlays"]);
        fs::write(base.join("content"), vec![b'o'; 70_000]).unwrap();
        let host = base.join("content");
        run(
            "mcopy",
            &[
                "-i",
                boot.path.as_str(),
                host.as_str(),
                "::/overlays/README",
            ],
        );
        boot.judge();
        boot
    }

    pub(crate) fn region(&self) -> Region {
        Region::whole(&self.path).unwrap()
    }

    /// fsck.vfat has nothing to say but its own name and a count.
    #[track_caller]
    pub(crate) fn judge(&self) {
        let said = run("fsck.vfat", &["-n", self.path.as_str()]);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines.len(), 2, "{said}");
        assert!(
            lines[0].starts_with("fsck.fat ") && lines[1].contains(" files, "),
            "{said}"
        );
    }

    pub(crate) fn mtype(&self, name: &str) -> String {
        run("mtype", &["-i", self.path.as_str(), &format!("::{name}")])
    }
}

impl TinyImage {
    pub(crate) fn new(table: Table, fat: Fat, ext4: Ext4) -> Self {
        Self::with_root_of(table, fat, &TinyRoot::new(ext4, 64 * MIB))
    }

    pub(crate) fn with_root_of(table: Table, fat: Fat, root: &TinyRoot) -> Self {
        let (dir, base) = temp_dir();
        let path = base.join("tiny.img");
        let boot = TinyBoot::new(fat);
        let root_len = fs::metadata(&root.path).unwrap().len();
        let (start, root_start) = (8 * MIB, 8 * MIB + fat.len());
        let tail = if table == Table::Gpt { MIB } else { 0 };
        sized_file(&path, root_start + root_len + tail);
        let script = match table {
            Table::Mbr => "label: dos\nlabel-id: 0xdeadbeef\n",
            Table::Gpt => "label: gpt\nlabel-id: 5AD9CC5E-7B3F-4D0C-8D0E-6D6F0A3C5E13\n",
        };
        let (fat_type, linux) = match table {
            Table::Mbr => ("c", "83"),
            Table::Gpt => (
                "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7",
                "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
            ),
        };
        let script = format!(
            "{script}start={}, size={}, type={fat_type}\nstart={}, size={}, type={linux}\n",
            start / 512,
            fat.len() / 512,
            root_start / 512,
            root_len / 512
        );
        fs::write(base.join("script"), script).unwrap();
        let command = format!("sfdisk -q '{path}' < '{base}/script'");
        run("sh", &["-c", &command]);
        let image = Self { _dir: dir, path };
        image.place(&boot.path, start);
        image.place(&root.path, root_start);
        image
    }

    pub(crate) fn open(&self) -> PiImage {
        PiImage::open(&self.path).unwrap()
    }

    /// Puts a file's bytes into the image.
    fn place(&self, from: &Utf8Path, at: u64) {
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(&self.path)
            .unwrap();
        file.write_all_at(&fs::read(from).unwrap(), at).unwrap();
    }

    /// sfdisk, e2fsck and fsck.vfat have nothing to say.
    #[track_caller]
    pub(crate) fn judge(&self) {
        let verdict = output("sfdisk", &["--verify", self.path.as_str()]);
        let said = String::from_utf8_lossy(&verdict.stderr);
        let complaints: Vec<&str> = said
            .lines()
            .filter(|line| !line.contains("unallocated"))
            .collect();
        assert!(verdict.status.success() && complaints.is_empty(), "{said}");
        let image = self.open();
        let root = format!("{}?offset={}", self.path, image.root().start);
        run("e2fsck", &["-fn", &root]);
        let (_dir, base) = temp_dir();
        let boot = base.join("boot.fat");
        let bytes = fs::read(&self.path).unwrap();
        let region = image.boot();
        fs::write(&boot, &bytes[region.start as usize..region.end() as usize]).unwrap();
        let said = run("fsck.vfat", &["-n", boot.as_str()]);
        assert_eq!(said.lines().count(), 2, "{said}");
    }
}
