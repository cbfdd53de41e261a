//! What a binary is built for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Instruction set a binary is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arch {
    /// 64-bit ARM: Raspberry Pi OS 64-bit.
    Aarch64,
    /// 32-bit ARM: Raspberry Pi OS 32-bit.
    Arm,
    /// 32-bit Intel.
    X86,
    /// 64-bit Intel and AMD.
    X86_64,
    /// Anything else; nothing pidoop builds runs it.
    Other,
}

impl Arch {
    /// From `e_machine` of an ELF header (System V ABI: `EM_386` 3, `EM_ARM`
    /// 40, `EM_X86_64` 62, `EM_AARCH64` 183).
    pub const fn from_elf_machine(machine: u16) -> Self {
        match machine {
            3 => Self::X86,
            40 => Self::Arm,
            62 => Self::X86_64,
            183 => Self::Aarch64,
            _ => Self::Other,
        }
    }

    /// Width of a pointer; 64 for an architecture not known.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Arm | Self::X86 => 32,
            Self::Aarch64 | Self::X86_64 | Self::Other => 64,
        }
    }

    /// The word vendors of Java runtimes and Hadoop put into file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aarch64 => "aarch64",
            Self::Arm => "arm",
            Self::X86 => "x86",
            Self::X86_64 => "x64",
            Self::Other => "another architecture",
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The C library a runtime is built against, by `LIBC` in its `release` file
/// or by its loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Libc {
    /// The GNU C library, as in Debian and Raspberry Pi OS.
    Gnu,
    /// musl, as in Alpine.
    Musl,
    /// Not said; runtimes before Java 16 do not.
    Unknown,
}

/// A version of the GNU C library, such as 2.36.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GlibcVersion {
    /// The number before the dot.
    pub major: u32,
    /// The number behind the dot.
    pub minor: u32,
}

impl GlibcVersion {
    /// The version `major.minor`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }
}

impl fmt::Display for GlibcVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for GlibcVersion {
    type Err = String;

    /// Reads `2.36`, `GLIBC_2.36`, `2.2.5` (the third number is dropped) and
    /// Debian's package versions such as `2.36-9+deb12u10`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("{text:?} is not a version of glibc such as 2.36");
        let numbers = text.strip_prefix("GLIBC_").unwrap_or(text);
        let mut parts = numbers.split(|c: char| !c.is_ascii_digit());
        let mut next = || {
            parts
                .next()
                .and_then(|part| part.parse().ok())
                .ok_or_else(wrong)
        };
        Ok(Self {
            major: next()?,
            minor: next()?,
        })
    }
}

impl TryFrom<String> for GlibcVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<GlibcVersion> for String {
    fn from(version: GlibcVersion) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glibc_versions_are_read_wherever_they_are_written() {
        for (text, major, minor) in [
            ("2.36", 2, 36),
            ("GLIBC_2.17", 2, 17),
            ("2.2.5", 2, 2),
            ("2.41-12", 2, 41),
            ("2.36-9+rpt2+deb12u10", 2, 36),
        ] {
            assert_eq!(text.parse(), Ok(GlibcVersion::new(major, minor)), "{text}");
        }
        for bad in ["", "GLIBC_PRIVATE", "2", "two.three", ".5"] {
            assert!(bad.parse::<GlibcVersion>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn glibc_versions_compare_as_numbers() {
        assert!(GlibcVersion::new(2, 9) < GlibcVersion::new(2, 36));
    }
}
