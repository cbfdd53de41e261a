//! How much room changes take.

use std::collections::BTreeMap;

use crate::edit::{Changes, FileContent, ImagePath, Target};

/// Room that changes take in an ext4 filesystem, a little rounded up: holes in
/// files and what is removed are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Blocks.
    pub blocks: u64,
    /// Inodes.
    pub inodes: u64,
}

/// Data blocks to one block of extent tree, on a filesystem in pieces: 340
/// extents fit a block of 4 KiB, and pieces are rarely shorter than 32 blocks.
const DATA_TO_TREE: u64 = 10_000;

/// Symlink targets up to this many bytes lie in the inode.
const FAST_LINK: usize = 59;

impl Footprint {
    /// What `changes` take in blocks of `block_size` bytes.
    pub fn of(changes: &Changes, block_size: u64) -> Self {
        let block_size = block_size.max(1);
        let mut footprint = Self::default();
        let mut names: BTreeMap<Option<ImagePath>, u64> = BTreeMap::new();
        for (path, target) in &changes.targets {
            let name = path.file_name().len() as u64;
            // A directory entry: 8 bytes and the name, in steps of 4.
            *names.entry(path.parent()).or_default() += 8 + name.next_multiple_of(4);
            footprint.inodes += 1;
            footprint.blocks += match target {
                Target::Dir { .. } => 1,
                Target::Symlink { target } => u64::from(target.len() > FAST_LINK),
                Target::File { content, .. } => {
                    let blocks = content_len(content).div_ceil(block_size);
                    blocks + blocks.div_ceil(DATA_TO_TREE)
                }
            };
        }
        // Entries do not cross blocks; a quarter more is enough for names of
        // ordinary length.
        let dirs = names
            .values()
            .map(|bytes| (bytes + bytes / 4) / block_size)
            .sum::<u64>();
        footprint.blocks += dirs;
        footprint
    }
}

/// Length of `content` in bytes.
pub(super) fn content_len(content: &FileContent) -> u64 {
    match content {
        FileContent::Inline { bytes, .. } => bytes.len() as u64,
        FileContent::Staged { len, .. } => *len,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{Mode, Owner};

    fn footprint(target: Target) -> Footprint {
        let path = ImagePath::new("/x").unwrap();
        let changes = Changes {
            targets: [(path, target)].into(),
            ..Changes::default()
        };
        Footprint::of(&changes, 4096)
    }

    #[test]
    fn counts_blocks_and_inodes() {
        let file = |len| Target::File {
            content: FileContent::Staged {
                host: "/x".into(),
                len,
                sha256: [0; 32],
            },
            owner: Owner::ROOT,
            mode: Mode::FILE,
        };
        assert_eq!(
            footprint(file(0)),
            Footprint {
                blocks: 0,
                inodes: 1
            }
        );
        assert_eq!(
            footprint(file(4097)),
            Footprint {
                blocks: 3,
                inodes: 1
            }
        );
        let link = |len| Target::Symlink {
            target: "x".repeat(len),
        };
        assert_eq!(footprint(link(59)).blocks, 0);
        assert_eq!(footprint(link(60)).blocks, 1);
    }

    #[test]
    fn many_names_make_a_directory_grow() {
        let link = Target::Symlink {
            target: "x".to_owned(),
        };
        let targets = (0..1000).map(|n| {
            (
                ImagePath::new(&format!("/name-{n:04}")).unwrap(),
                link.clone(),
            )
        });
        let changes = Changes {
            targets: targets.collect(),
            ..Changes::default()
        };
        let blocks = Footprint::of(&changes, 4096).blocks;
        assert!((5..=8).contains(&blocks), "{blocks}");
    }
}
