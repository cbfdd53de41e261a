//! An image as a card in a node's slot: copied, grown and mounted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use super::interrupt::{self, NotYet};
use super::program::Program;

/// Size of the cards. Files have holes, so it costs nothing.
const CARD_BYTES: u64 = 6 * 1024 * 1024 * 1024;

/// `EXT4_IOC_SHUTDOWN` (kernel, fs/ext4/ext4.h: `_IOR('X', 125, __u32)`).
const EXT4_IOC_SHUTDOWN: u32 = 0x8004_587d;

/// `EXT4_GOING_FLAGS_NOLOGFLUSH`: what is not on the card is lost.
const WITHOUT_FLUSHING: u32 = 2;

/// A card; its root filesystem is mounted while this lives.
pub(crate) struct Card {
    file: PathBuf,
    /// Its second partition.
    p2: Partition,
    mount: PathBuf,
    mounted: bool,
}

impl Card {
    /// Copies `image` to a card named `name` in `directory`, lets p2 reach to
    /// the card's end as it does after a Pi's first boot, and mounts it.
    pub(crate) fn insert(image: &Path, directory: &Path, name: &str) -> Result<Self> {
        let file = directory.join(format!("{name}.card"));
        let mount = directory.join(name);
        fs_err::create_dir_all(&mount)?;
        Program::new("cp")
            .args(["--sparse=always", "--reflink=auto"])
            .args([image, &file])
            .seconds(180)
            .output()?;
        let p2 = Partition::second_of(&file)?;
        let mut card = Self {
            file,
            p2,
            mount,
            mounted: false,
        };
        card.check().context("as it was built")?;
        let file = fs_err::OpenOptions::new().write(true).open(&card.file)?;
        if file.metadata()?.len() < CARD_BYTES {
            file.set_len(CARD_BYTES)?;
        }
        card.grow()?;
        card.mount()?;
        Ok(card)
    }

    /// The root directory of the card's root filesystem.
    pub(crate) fn root(&self) -> &Path {
        &self.mount
    }

    /// The device the mounted root filesystem is on, and the PARTUUID a Pi
    /// would know it by.
    pub(crate) fn device(&self) -> Result<(String, &str)> {
        let device = Program::new("findmnt")
            .args(["-n", "-o", "SOURCE"])
            .arg(&self.mount)
            .text()?;
        Ok((device, &self.p2.uuid))
    }

    /// e2fsck finds nothing wrong. The card must not be mounted.
    pub(crate) fn check(&self) -> Result<()> {
        let place = format!("{}?offset={}", self.file.display(), self.p2.offset);
        Program::new("e2fsck")
            .args(["-f", "-n", &place])
            .seconds(180)
            .output()
            .map(drop)
    }

    pub(crate) fn mount(&mut self) -> Result<()> {
        // "loop" makes a loop device that goes away with the mount.
        let options = format!("loop,offset={}", self.p2.offset);
        Program::new("mount")
            .args(["-t", "ext4", "-o", &options])
            .args([&self.file, &self.mount])
            .output()
            .context("mounting p2")?;
        self.mounted = true;
        Ok(())
    }

    /// Unmounts it, and waits until the kernel is done with it: what a container
    /// had mounted goes away a moment after its end.
    pub(crate) fn unmount(&mut self) -> Result<()> {
        Program::new("umount")
            .arg(&self.mount)
            .seconds(180)
            .output()
            .context("unmounting p2")?;
        self.mounted = false;
        let what = format!("{} to be free", self.file.display());
        interrupt::until_done(&what, Duration::from_secs(20), || {
            let loops = Program::new("losetup")
                .arg("--associated")
                .arg(&self.file)
                .text()?;
            if loops.is_empty() {
                Ok(())
            } else {
                Err(NotYet::Wait(anyhow!("{loops}")))
            }
        })
    }

    /// Lets the filesystem fill p2, which ends with the card. A Pi does this
    /// while it runs; a container has no partitions for its units to grow, and
    /// not every sandbox may resize a mounted filesystem (`CAP_SYS_RESOURCE`).
    fn grow(&self) -> Result<()> {
        let device = Program::new("losetup")
            .args(["--find", "--show", "--offset", &self.p2.offset.to_string()])
            .arg(&self.file)
            .text()?;
        let grown = Program::new("e2fsck")
            .args(["-f", "-p", &device])
            .seconds(180)
            .output()
            .and_then(|_| Program::new("resize2fs").arg(&device).seconds(180).output())
            .context("growing p2");
        Program::new("losetup")
            .args(["--detach", &device])
            .output()?;
        grown.map(drop)
    }

    /// What pulling the plug does to the filesystem: from now on nothing is
    /// written, and what was only in memory is gone.
    pub(crate) fn cut_power(&self) -> Result<()> {
        let script = format!(
            r#"open my $root, "<", shift or die "$!"; my $how = pack "L", {WITHOUT_FLUSHING};
               ioctl $root, {EXT4_IOC_SHUTDOWN}, $how or die "$!""#
        );
        Program::new("perl")
            .args(["-e", &script])
            .arg(&self.mount)
            .output()
            .map(drop)
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        if self.mounted {
            self.unmount().ok();
        }
    }
}

/// A partition as sfdisk sees it.
struct Partition {
    /// Where it begins, in bytes.
    offset: u64,
    /// Its PARTUUID, as in fstab and on the kernel's command line.
    uuid: String,
}

impl Partition {
    fn second_of(image: &Path) -> Result<Self> {
        let table = Program::new("sfdisk").arg("--json").arg(image).output()?;
        let table: Value = serde_json::from_slice(&table)?;
        let table = &table["partitiontable"];
        let Some([_boot, root]) = table["partitions"].as_array().map(Vec::as_slice) else {
            bail!("{} has not two partitions: {table:#}", image.display());
        };
        let start = root["start"].as_u64().context("p2 has no start")?;
        let offset = start * table["sectorsize"].as_u64().unwrap_or(512);
        let uuid = match (root["uuid"].as_str(), table["id"].as_str()) {
            (Some(uuid), _) => uuid.to_lowercase(),
            // An MBR's partitions are known by the disk's id and their number.
            (None, Some(disk)) => format!("{}-02", disk.trim_start_matches("0x")),
            (None, None) => bail!("{} has no disk id: {table:#}", image.display()),
        };
        Ok(Self { offset, uuid })
    }
}
