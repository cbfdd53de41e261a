//! A card as the usual tools see it, while no machine uses it.

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::program::{Output, Program};

/// A card or image, looked into with sfdisk, debugfs and mtools.
pub(crate) struct Disk {
    file: Utf8PathBuf,
    /// The id in the partition table, eight hex digits.
    pub(crate) id: String,
    /// Where the partitions begin, in bytes.
    boot: u64,
    root: u64,
    /// Where the root partition ends, in bytes.
    end: u64,
}

impl Disk {
    pub(crate) fn open(file: &Utf8Path) -> Result<Self> {
        let table = Program::new("sfdisk").arg("--json").arg(file).output()?;
        let table: Value = serde_json::from_slice(&table)?;
        let table = &table["partitiontable"];
        let id = table["id"].as_str().context("no disk id")?;
        let Some([boot, root]) = table["partitions"].as_array().map(Vec::as_slice) else {
            bail!("{file} has not two partitions: {table:#}");
        };
        let bytes = |sectors: &Value| sectors.as_u64().map(|sectors| sectors * 512);
        let start = bytes(&root["start"]).context("p2 has no start")?;
        Ok(Self {
            file: file.to_owned(),
            id: id.trim_start_matches("0x").to_owned(),
            boot: bytes(&boot["start"]).context("p1 has no start")?,
            root: start,
            end: start + bytes(&root["size"]).context("p2 has no size")?,
        })
    }

    /// Where the root partition begins and ends, in bytes.
    pub(crate) fn root_range(&self) -> std::ops::Range<u64> {
        self.root..self.end
    }

    /// p2 by the name e2fsprogs has for a part of a file.
    fn root(&self) -> String {
        format!("{}?offset={}", self.file, self.root)
    }

    fn boot(&self) -> String {
        format!("{}@@{}", self.file, self.boot)
    }

    /// A text file of the root filesystem; `None` if there is none.
    pub(crate) fn text(&self, path: &str) -> Result<Option<String>> {
        let output = Program::new("debugfs")
            .args(["-R", &format!("cat {path}"), &self.root()])
            .run()?;
        // It succeeds whatever happens, and says what went wrong.
        let words = String::from_utf8_lossy(&output.stderr);
        if words.contains("File not found") {
            return Ok(None);
        }
        let text =
            String::from_utf8(output.stdout).with_context(|| format!("{path} is no text"))?;
        Ok(Some(text))
    }

    /// As [`Disk::text`], of a file that must be there.
    pub(crate) fn needed(&self, path: &str) -> Result<String> {
        self.text(path)?
            .with_context(|| format!("there is no {path} in {}", self.file))
    }

    /// Whether something is at `path` in the root filesystem.
    pub(crate) fn exists(&self, path: &str) -> Result<bool> {
        let output = Program::new("debugfs")
            .args(["-R", &format!("stat {path}"), &self.root()])
            .run()?;
        Ok(!String::from_utf8_lossy(&output.stderr).contains("File not found"))
    }

    /// A text file of the boot partition.
    pub(crate) fn boot_text(&self, name: &str) -> Result<String> {
        Program::new("mtype")
            .args(["-i", &self.boot(), &format!("::{name}")])
            .output()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Runs commands of debugfs that write.
    pub(crate) fn write(&self, commands: &str) -> Result<()> {
        let output = Program::new("debugfs")
            .args(["-w", "-f", "-", &self.root()])
            .input(commands)
            .run()?;
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        // Its first line is its version; anything behind it is a complaint.
        let complaint: Vec<_> = words
            .lines()
            .skip(1)
            .filter(|line| !line.trim().is_empty())
            .collect();
        if !output.status.success() || !complaint.is_empty() {
            bail!("debugfs on {}: {}", self.file, complaint.join("; "));
        }
        Ok(())
    }

    /// Writes a text file of the boot partition.
    pub(crate) fn write_boot_text(&self, name: &str, text: &str) -> Result<()> {
        Program::new("mcopy")
            .args(["-o", "-i", &self.boot(), "-", &format!("::{name}")])
            .input(text)
            .output()
            .map(drop)
    }

    /// What fsck finds wrong with either filesystem, which must not be in use;
    /// nothing if both are clean. A journal that was not replayed is wrong, too,
    /// but on a card whose power was cut.
    pub(crate) fn faults(&self, left: Left) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        // On copies: the card is left as the machine will find it, and fsck.vfat
        // knows no offsets.
        for (part, mend, check) in [
            (
                self.boot..self.root,
                &["fsck.vfat", "-a"],
                &["fsck.vfat", "-n"][..],
            ),
            (
                self.root_range(),
                // Replays the journal, and no more unless that was not enough.
                &["e2fsck", "-p"],
                &["e2fsck", "-f", "-n"],
            ),
        ] {
            let copy = self.copy(part)?;
            if left == Left::Cut {
                let mended = fsck(mend, copy.path())?;
                // 1 means that something was mended.
                if mended.status.code().is_none_or(|code| code > 1) {
                    faults.push(format!("{}: {}", mend.join(" "), mended.words()));
                }
                if mend[0] == "e2fsck" {
                    take_orphan_mark(copy.path())?;
                }
            }
            let checked = fsck(check, copy.path())?;
            if !checked.status.success() {
                faults.push(format!("{}: {}", check.join(" "), checked.words()));
            }
        }
        Ok(faults)
    }

    /// A copy of bytes of the card.
    fn copy(&self, bytes: std::ops::Range<u64>) -> Result<tempfile::NamedTempFile> {
        let copy = tempfile::NamedTempFile::new_in("/var/tmp")?;
        copy.as_file().set_len(bytes.end - bytes.start)?;
        Program::new("dd")
            .arg(format!("if={}", self.file))
            .arg(format!("of={}", copy.path().display()))
            .args([
                "bs=1M",
                "iflag=skip_bytes,count_bytes",
                "conv=sparse,notrunc",
            ])
            .arg(format!("skip={}", bytes.start))
            .arg(format!("count={}", bytes.end - bytes.start))
            .seconds(300)
            .output()?;
        Ok(copy)
    }
}

/// Takes away the mark that a mounted filesystem may have orphans, if it has it.
/// Linux clears it when it mounts or unmounts; e2fsck 1.47.0 leaves it where it
/// has only replayed the journal, and then calls it an error. Orphans that are
/// really there stay one.
fn take_orphan_mark(file: &std::path::Path) -> Result<()> {
    Program::new("debugfs")
        .args(["-w", "-R", "feature -orphan_present"])
        .arg(file)
        .output()
        .map(drop)
}

/// How a machine left its card.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// It shut down.
    ShutDown,
    /// Its power was cut.
    Cut,
}

fn fsck(words: &[&str], file: &std::path::Path) -> Result<Output> {
    let (name, options) = words.split_first().context("no program")?;
    Program::new(name)
        .args(options)
        .arg(file)
        .seconds(300)
        .run()
}
