//! The boards a node can be.

use std::fmt;

use serde::Serialize;

/// Speed of a board's wired link, which decides Hadoop's traffic limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum LinkSpeed {
    /// 100 Mbit/s: Pi 3B; Wi-Fi counts as this.
    #[serde(rename = "100M")]
    Fast,
    /// About 300 Mbit/s: gigabit Ethernet behind USB 2 on the Pi 3B+.
    #[serde(rename = "300M")]
    UsbGigabit,
    /// 1 Gbit/s: Pi 4 and Pi 5.
    #[serde(rename = "1G")]
    Gigabit,
}

/// A board by model and memory, such as `pi4-4gb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Board {
    /// Name used in cluster files.
    pub name: &'static str,
    /// Model as people call it.
    pub model: &'static str,
    /// Memory on the label, in MiB.
    pub label_mib: u32,
    /// Memory Linux has to share out, in MiB.
    pub visible_mib: u32,
    /// CPU cores.
    pub cores: u32,
    /// Wired link.
    pub link: LinkSpeed,
}

impl Board {
    /// Every board that can be a node.
    pub const ALL: &'static [Self] = &[
        Self::new(
            "pi3-1gb",
            "Raspberry Pi 3 Model B",
            1024,
            900,
            LinkSpeed::Fast,
        ),
        Self::new(
            "pi3plus-1gb",
            "Raspberry Pi 3 Model B+",
            1024,
            900,
            LinkSpeed::UsbGigabit,
        ),
        Self::new(
            "pi4-1gb",
            "Raspberry Pi 4 Model B",
            1024,
            900,
            LinkSpeed::Gigabit,
        ),
        Self::new(
            "pi4-2gb",
            "Raspberry Pi 4 Model B",
            2048,
            1850,
            LinkSpeed::Gigabit,
        ),
        Self::new(
            "pi4-4gb",
            "Raspberry Pi 4 Model B",
            4096,
            3790,
            LinkSpeed::Gigabit,
        ),
        Self::new(
            "pi4-8gb",
            "Raspberry Pi 4 Model B",
            8192,
            7800,
            LinkSpeed::Gigabit,
        ),
        Self::new("pi5-1gb", "Raspberry Pi 5", 1024, 900, LinkSpeed::Gigabit),
        Self::new("pi5-2gb", "Raspberry Pi 5", 2048, 1850, LinkSpeed::Gigabit),
        Self::new("pi5-4gb", "Raspberry Pi 5", 4096, 3790, LinkSpeed::Gigabit),
        Self::new("pi5-8gb", "Raspberry Pi 5", 8192, 7800, LinkSpeed::Gigabit),
        Self::new(
            "pi5-16gb",
            "Raspberry Pi 5",
            16384,
            16000,
            LinkSpeed::Gigabit,
        ),
    ];

    const fn new(
        name: &'static str,
        model: &'static str,
        label_mib: u32,
        visible_mib: u32,
        link: LinkSpeed,
    ) -> Self {
        Self {
            name,
            model,
            label_mib,
            visible_mib,
            cores: 4,
            link,
        }
    }

    /// The board of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|board| board.name == name).copied()
    }
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
