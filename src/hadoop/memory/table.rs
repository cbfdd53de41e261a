//! Sizes for each class of board.
//!
//! The classes are those boards are sold in; nothing lies between them. Heaps
//! come from what guides for Pi clusters settled on, checked against resident
//! sizes: Hadoop 3.5.0 on Java 17 (x86-64) with the options pidoop writes, after
//! two small jobs.
//!
//! | MiB | NameNode | ResourceManager | DataNode | NodeManager |
//! |---|---|---|---|---|
//! | 1 GB: counted | 238 | 270 | 190 | 206 |
//! | 1 GB: seen | 168 | 205 | 131 | 189 |
//! | 2 GB: counted | 366 | 366 | 238 | 270 |
//! | 2 GB: seen | 200 | 244 | 131 | 227 |
//!
//! In containers of 256 MiB an ApplicationMaster came to 204 and a task to 208.
//! On emulated arm64 nodes with the sizes of 4 GB, after one small job: NameNode
//! 218 of 622, ResourceManager 252 of 622, DataNode 181 of 366, NodeManager 219 of
//! 366. No board was measured.

use std::fmt;

use serde::Serialize;

use crate::hadoop::Daemon;

/// Memory class of a board, by what Linux sees of the memory on the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum MemoryClass {
    /// 1 GB.
    #[serde(rename = "1GB")]
    One,
    /// 2 GB.
    #[serde(rename = "2GB")]
    Two,
    /// 4 GB.
    #[serde(rename = "4GB")]
    Four,
    /// 8 GB.
    #[serde(rename = "8GB")]
    Eight,
    /// 16 GB.
    #[serde(rename = "16GB")]
    Sixteen,
}

/// What a worker of one class has.
#[derive(Clone, Copy, Debug)]
pub(super) struct WorkerSizes {
    /// Memory for containers.
    pub(super) containers_mib: u32,
    /// Containers its processor can carry.
    pub(super) vcores: u32,
    /// Smallest container, when this is the smallest worker of its cluster.
    pub(super) minimum_mib: u32,
    /// Container of an ApplicationMaster.
    pub(super) master_mib: u32,
    /// Container of a map task.
    pub(super) map_mib: u32,
    /// Container of a reduce task.
    pub(super) reduce_mib: u32,
    /// Sort buffer of a map task.
    pub(super) sort_mib: u32,
}

impl MemoryClass {
    /// All classes, smallest first.
    pub const ALL: [Self; 5] = [Self::One, Self::Two, Self::Four, Self::Eight, Self::Sixteen];

    /// The largest class whose boards show Linux at most `visible_mib`; none
    /// for a board below 1 GB, which cannot carry a daemon and a container.
    pub fn of(visible_mib: u32) -> Option<Self> {
        Self::ALL
            .into_iter()
            .rev()
            .find(|class| class.visible_mib() <= visible_mib)
    }

    /// What Linux sees of a board of this class at least, after the firmware
    /// took its share.
    pub const fn visible_mib(self) -> u32 {
        match self {
            Self::One => 900,
            Self::Two => 1850,
            Self::Four => 3790,
            Self::Eight => 7800,
            Self::Sixteen => 16000,
        }
    }

    /// What Raspberry Pi OS Lite takes without a screen, and what is kept back
    /// for it under load.
    pub const fn os_mib(self) -> u32 {
        match self {
            Self::One => 200,
            Self::Two => 300,
            Self::Four => 400,
            Self::Eight => 600,
            Self::Sixteen => 800,
        }
    }

    /// Heap of a daemon on a board of this class; none where it does not fit.
    pub(super) const fn heap_mib(self, daemon: Daemon) -> Option<u32> {
        let by_class = match daemon {
            Daemon::NameNode => [128, 256, 512, 1024, 2048],
            Daemon::SecondaryNameNode => [0, 160, 384, 768, 1536],
            Daemon::ResourceManager => [160, 256, 512, 768, 1024],
            Daemon::JobHistoryServer => [0, 128, 256, 512, 768],
            Daemon::DataNode => [80, 128, 256, 384, 512],
            Daemon::NodeManager => [96, 160, 256, 384, 512],
        };
        match by_class[self as usize] {
            0 => None,
            heap_mib => Some(heap_mib),
        }
    }

    /// Heap of a command someone runs on a board of this class.
    pub(super) const fn client_heap_mib(self) -> u32 {
        [128, 256, 256, 512, 512][self as usize]
    }

    /// What a worker of this class has.
    pub(super) const fn worker(self) -> WorkerSizes {
        match self {
            // 384 MiB of containers would need 80 MiB more than the board has
            // beside its two daemons, and could not hold a second container
            // of 256 MiB anyway.
            Self::One => WorkerSizes {
                containers_mib: 256,
                vcores: 2,
                minimum_mib: 128,
                master_mib: 256,
                map_mib: 256,
                reduce_mib: 256,
                sort_mib: 48,
            },
            Self::Two => WorkerSizes {
                containers_mib: 1024,
                vcores: 3,
                minimum_mib: 128,
                master_mib: 384,
                map_mib: 256,
                reduce_mib: 384,
                sort_mib: 48,
            },
            Self::Four => WorkerSizes {
                containers_mib: 2560,
                vcores: 4,
                minimum_mib: 256,
                master_mib: 512,
                map_mib: 512,
                reduce_mib: 768,
                sort_mib: 128,
            },
            Self::Eight => WorkerSizes {
                containers_mib: 6144,
                vcores: 4,
                minimum_mib: 512,
                master_mib: 1024,
                map_mib: 1024,
                reduce_mib: 1536,
                sort_mib: 256,
            },
            Self::Sixteen => WorkerSizes {
                containers_mib: 13312,
                vcores: 4,
                minimum_mib: 1024,
                master_mib: 1536,
                map_mib: 2048,
                reduce_mib: 3072,
                sort_mib: 512,
            },
        }
    }
}

impl fmt::Display for MemoryClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::One => "1 GB",
            Self::Two => "2 GB",
            Self::Four => "4 GB",
            Self::Eight => "8 GB",
            Self::Sixteen => "16 GB",
        })
    }
}
