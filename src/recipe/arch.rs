//! Processor architectures.

use std::fmt;

use serde::Serialize;

/// An architecture images are built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arch {
    /// 64-bit ARM: every board that can be a node.
    Arm64,
    /// 64-bit x86: images to try a cluster on a computer.
    Amd64,
}

impl Arch {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Arm64, Self::Amd64];

    /// The name Debian gives it (`dpkg --print-architecture`), also used in
    /// recipes.
    pub fn debian(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::Amd64 => "amd64",
        }
    }

    /// The architecture of this name in Debian's terms.
    pub fn from_debian(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.debian() == name)
    }

    /// The name the kernel gives it (`uname -m`), which a Java runtime repeats
    /// as `OS_ARCH` in its `release` file.
    pub fn kernel(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64",
            Self::Amd64 => "x86_64",
        }
    }

    /// The word in the names of Temurin's archives.
    pub fn temurin(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64",
            Self::Amd64 => "x64",
        }
    }

    /// `e_machine` in the header of an ELF file (ELF specification,
    /// `EM_AARCH64`, `EM_X86_64`).
    pub fn elf_machine(self) -> u16 {
        match self {
            Self::Arm64 => 183,
            Self::Amd64 => 62,
        }
    }

    /// The architecture of an ELF file for this `e_machine`.
    pub fn from_elf_machine(machine: u16) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|arch| arch.elf_machine() == machine)
    }

    /// The dynamic loader of programs linked with glibc: without it in the
    /// image, running one says "No such file or directory".
    pub fn glibc_loader(self) -> &'static str {
        match self {
            Self::Arm64 => "/lib/ld-linux-aarch64.so.1",
            Self::Amd64 => "/lib64/ld-linux-x86-64.so.2",
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.debian())
    }
}
