//! Files that get their blocks first and their content later.
//!
//! debugfs writes one block at a time, one file after the other, and in the file
//! of the filesystem only. But it can give a file blocks that nothing was written
//! to (`fallocate`), marked so that they read as zeros. Here it is asked which
//! they are, and told to take the mark away (`replace_node` of its commands on
//! extents). What is to be in them can then be written by anybody, at any time,
//! on as many processors as there are.

use camino::Utf8PathBuf;
use fs_err::File;
use fs_err::os::unix::fs::FileExt;

use super::debugfs::{Reply, ask, change, quote};
use super::script::normalise;
use crate::disk::sharing::Sharing;
use crate::disk::sparse::put;
use crate::disk::{DiskError, Region};
use crate::edit::ImagePath;

/// Shorter files are not worth it, in bytes.
pub(super) const LONG: u64 = 128 << 10;

/// Bytes read at a time; a multiple of every block size.
const CHUNK: usize = 1 << 20;

/// A file that is to get its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) path: ImagePath,
    /// Where its content is.
    pub(super) host: Utf8PathBuf,
    /// In bytes.
    pub(super) len: u64,
}

/// A file that has its blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    host: Utf8PathBuf,
    len: u64,
    block_size: u64,
    /// In the order of the file, which they cover.
    runs: Vec<Run>,
}

/// Blocks in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// The first one's number in the file.
    logical: u64,
    /// The first one's number in the filesystem.
    physical: u64,
    count: u64,
}

/// Finds the blocks of files that were given some, in the filesystem in `region`,
/// and marks them as having content.
///
/// # Errors
/// If debugfs fails, or a file has not all the blocks that it needs.
pub(super) fn place(
    region: &Region,
    files: Vec<Wanted>,
    block_size: u64,
    epoch: u64,
) -> Result<Vec<Placed>, DiskError> {
    let questions: Vec<String> = files
        .iter()
        .map(|file| format!("stat {}", quote(file.path.as_str())))
        .collect();
    let mut script = normalise(epoch);
    let mut placed = Vec::with_capacity(files.len());
    for (file, reply) in files.into_iter().zip(ask(region, &questions)?) {
        let runs = whole(runs_of(&reply), file.len.div_ceil(block_size)).ok_or_else(|| {
            DiskError::path(region, &file.path, "debugfs did not give it its blocks")
        })?;
        script.push(format!("extent_open {}", quote(file.path.as_str())));
        for Run {
            logical,
            physical,
            count,
        } in &runs
        {
            script.push(format!("goto_block {logical}"));
            script.push(format!("replace_node {logical} {count} {physical}"));
        }
        script.push("extent_close".to_owned());
        placed.push(Placed {
            host: file.host,
            len: file.len,
            block_size,
            runs,
        });
    }
    change(region, &script, epoch)?;
    Ok(placed)
}

/// What `stat` says of a file's extents.
fn runs_of(reply: &Reply<'_>) -> Vec<Run> {
    let mut lines = reply.said.iter();
    lines.find(|line| *line == "EXTENTS:");
    let pieces = lines.flat_map(|line| line.split(", "));
    pieces.filter_map(Run::parse).collect()
}

/// The runs, if they are all of a file of so many blocks.
fn whole(runs: Vec<Run>, blocks: u64) -> Option<Vec<Run>> {
    let mut next = 0;
    for run in &runs {
        if run.logical != next {
            return None;
        }
        next = next.checked_add(run.count)?;
    }
    (next == blocks).then_some(runs)
}

impl Run {
    /// `(0-11[u]):1024-1035` or `(12[u]):77`; blocks of the tree itself, as
    /// `(ETB0):33794`, are none.
    fn parse(piece: &str) -> Option<Self> {
        let (logical, physical) = piece.trim().strip_prefix('(')?.split_once("):")?;
        let range = |text: &str| {
            let text = text.trim_end_matches("[u]");
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            Some((first, last.checked_sub(first)?.checked_add(1)?))
        };
        let ((logical, count), (physical, same)) = (range(logical)?, range(physical)?);
        (count == same).then_some(Self {
            logical,
            physical,
            count,
        })
    }
}

impl Placed {
    /// Writes the content into the filesystem that begins at byte `start` of
    /// `file`. Blocks of zeros become holes, and blocks are shared where the
    /// host's filesystem can.
    ///
    /// # Errors
    /// What the system said; if the content is shorter than it was.
    pub(super) fn fill(&self, file: &File, start: u64) -> std::io::Result<()> {
        let host = File::open(&self.host)?;
        let mut sharing = Sharing::between(&host, file);
        let mut buffer = Vec::new();
        for run in &self.runs {
            let mut from = run.logical * self.block_size;
            let end = (from + run.count * self.block_size).min(self.len);
            let mut to = start + run.physical * self.block_size;
            let whole = end - end % self.block_size;
            if whole > from && sharing.share(from, to, whole - from) {
                to += whole - from;
                from = whole;
            }
            while from < end {
                let count = (end - from).min(CHUNK as u64) as usize;
                // What is behind the end of a file in its last block is zero.
                buffer.resize(count.next_multiple_of(self.block_size as usize), 0);
                buffer[count..].fill(0);
                host.read_exact_at(&mut buffer[..count], from)?;
                put(file, to, &buffer)?;
                from += count as u64;
                to += count as u64;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs_in(said: &[&str]) -> Vec<Run> {
        let said = said.iter().map(|line| (*line).to_owned()).collect();
        runs_of(&Reply {
            command: "stat",
            said,
        })
    }

    #[test]
    fn reads_where_the_blocks_are() {
        let said = [
            "Size: (1-2):3-4",
            "EXTENTS:",
            "(ETB0):70, (0-11[u]):1024-1035, (12[u]):77",
        ];
        let run = |logical, physical, count| Run {
            logical,
            physical,
            count,
        };
        assert_eq!(runs_in(&said), [run(0, 1024, 12), run(12, 77, 1)]);
        assert_eq!(whole(runs_in(&said), 13), Some(runs_in(&said)));
        for blocks in [12, 14] {
            assert_eq!(whole(runs_in(&said), blocks), None);
        }
        assert_eq!(whole(runs_in(&["EXTENTS:", "(1-2):3-4"]), 2), None);
        for wrong in [
            "(0-3):7-9",
            "(3-0):9-6",
            "0-3:7-10",
            "(x):1",
            "(0-18446744073709551615):0-1",
        ] {
            assert_eq!(Run::parse(wrong), None, "{wrong}");
        }
    }
}
