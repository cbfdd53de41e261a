//! The systems that are baked, as `scripts/inputs/release-image` makes them.

/// A kind of base image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Bullseye,
    Bookworm,
    Trixie,
    Debian,
}

impl Profile {
    pub(crate) const ALL: [Self; 4] = [Self::Bullseye, Self::Bookworm, Self::Trixie, Self::Debian];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bullseye => "bullseye",
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
            Self::Debian => "debian",
        }
    }

    /// The base image among the inputs.
    pub(crate) fn base(self) -> String {
        format!("stock-{}-amd64.img.zst", self.name())
    }

    /// What `root=` and fstab name the root partition of a disk with this id.
    pub(crate) fn root(self, disk_id: &str) -> String {
        match self {
            Self::Debian => "LABEL=RASPIROOT".to_owned(),
            _ => format!("PARTUUID={disk_id}-02"),
        }
    }

    /// The Java runtime among the inputs; Bullseye's C library is too old for
    /// the usual one.
    pub(crate) fn java(self) -> &'static str {
        match self {
            Self::Bullseye => "java-17-bullseye-amd64.tar.gz",
            _ => "java-17-amd64.tar.gz",
        }
    }

    /// Whether it has a first boot of its own, with a wizard.
    pub(crate) fn is_raspberry_pi_os(self) -> bool {
        self != Self::Debian
    }

    /// Whether cloud-init is there, and on as released.
    pub(crate) fn has_cloud_init(self) -> bool {
        self == Self::Trixie
    }
}
