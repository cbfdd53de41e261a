//! What each system would do to a baked node, and that it does not: one test
//! for each hazard of docs/first-boot.md, on whole images of every system, seen
//! through other people's eyes.

mod access;
mod boot;
mod document;
mod services;
mod wifi;

use crate::support::world::{Flavour, Image, world};

/// A node of the tiny world and the system it was baked on.
struct Node {
    flavour: Flavour,
    image: Image,
}

impl Node {
    fn worker(flavour: Flavour) -> Self {
        Self::open(flavour, "worker1")
    }

    fn master(flavour: Flavour) -> Self {
        Self::open(flavour, "master")
    }

    fn open(flavour: Flavour, name: &str) -> Self {
        let path = world().built(flavour).join(format!("tiny-{name}.img"));
        let image = Image::open(&path);
        Self { flavour, image }
    }

    fn wireless(flavour: Flavour) -> Self {
        let path = world().built_wireless(flavour).join("tiny-worker1.img");
        let image = Image::open(&path);
        Self { flavour, image }
    }

    /// Words of the kernel command line.
    fn words(&self) -> Vec<String> {
        let line = self.image.boot_text("cmdline.txt");
        line.split_whitespace().map(str::to_owned).collect()
    }

    /// Whether a unit is masked.
    fn is_masked(&self, unit: &str) -> bool {
        let path = format!("/etc/systemd/system/{unit}");
        self.image.link(&path).as_deref() == Some("/dev/null")
    }

    /// Whether a unit starts with a target.
    fn starts(&self, target: &str, unit: &str) -> bool {
        let link = format!("/etc/systemd/system/{target}.wants/{unit}");
        self.image.link(&link).is_some() && !self.is_masked(unit)
    }

    /// Fails if one of these is packaged and not masked; tells how many are.
    #[track_caller]
    fn masked_where_packaged(&self, units: &[&str]) -> usize {
        let packaged = |unit: &&&str| {
            self.image
                .exists(&format!("/usr/lib/systemd/system/{unit}"))
        };
        let units: Vec<&&str> = units.iter().filter(packaged).collect();
        for unit in &units {
            assert!(
                self.is_masked(unit),
                "{:?}: {unit} would start",
                self.flavour
            );
        }
        units.len()
    }
}
