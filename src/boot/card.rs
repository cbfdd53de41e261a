//! Cards: throw-away copies of images, with the room a real card has.

use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::BootError;
use crate::disk::copy_file;
use crate::progress::Reporter;
use crate::source::{Format, unpack_image};

/// Room behind the image that a card has at least, in bytes, so that growing
/// into it is rehearsed.
const ROOM: u64 = 256 << 20;

/// How large a card is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardSize {
    /// The next power of two that leaves room to grow.
    Next,
    /// So many bytes.
    Bytes(u64),
}

/// A file that stands for an SD card. It is a copy of an image, so the image
/// is never written; blocks are shared with it where the filesystem can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    path: Utf8PathBuf,
    bytes: u64,
}

impl Card {
    /// Copies the image at `image`, unpacking it if it is compressed, to the
    /// new card `path`, readable by its owner only.
    ///
    /// # Errors
    /// If the image does not fit on a card of this size, or something cannot
    /// be read or written.
    pub fn make(
        image: &Utf8Path,
        path: &Utf8Path,
        size: CardSize,
        reporter: &Reporter,
    ) -> Result<Self, BootError> {
        if is_packed(image)? {
            let name = image.file_name().unwrap_or(image.as_str());
            unpack_image(image, name, path, reporter)?;
        } else {
            copy_file(image, path)?;
        }
        let len = fs::metadata(path)
            .map_err(BootError::io("reading", path))?
            .len();
        let bytes = size.for_image(len).map_err(|reason| {
            // A card of the wrong size is no card.
            let _ = fs::remove_file(path);
            BootError::CardSize(format!("{image}: {reason}"))
        })?;
        fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|file| file.set_len(bytes))
            .map_err(BootError::io("growing", path))?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
        })
    }

    /// The card at `path`, as an earlier run left it.
    ///
    /// # Errors
    /// If there is none.
    pub fn insert(path: &Utf8Path) -> Result<Self, BootError> {
        let bytes = fs::metadata(path)
            .map_err(BootError::io("opening", path))?
            .len();
        Ok(Self {
            path: path.to_owned(),
            bytes,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether its size is one of SD cards, which QEMU insists on.
    pub fn is_sd_size(&self) -> bool {
        self.bytes.is_power_of_two()
    }
}

impl CardSize {
    /// The size of a card for an image of `len` bytes; the error says why
    /// there is none.
    fn for_image(self, len: u64) -> Result<u64, String> {
        match self {
            Self::Next => len
                .checked_add(ROOM)
                .and_then(u64::checked_next_power_of_two)
                .ok_or_else(|| "it is larger than any card".to_owned()),
            Self::Bytes(bytes) if bytes < len => Err(format!(
                "it has {} MiB, which do not fit on a card of {}",
                len.div_ceil(1 << 20),
                self
            )),
            Self::Bytes(bytes) => Ok(bytes),
        }
    }
}

impl FromStr for CardSize {
    type Err = String;

    /// Reads `8G`, `4096M`: a number and a unit of 1024.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a size such as 8G or 4096M");
        let split = text.len().saturating_sub(1);
        let (number, shift) = match text.get(split..) {
            Some("M" | "m") => (&text[..split], 20),
            Some("G" | "g") => (&text[..split], 30),
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        // A QEMU raw file may be sparse, but a card of 2 PiB is a slip.
        match number.checked_mul(1 << shift) {
            Some(bytes) if (1..=2 << 40).contains(&bytes) => Ok(Self::Bytes(bytes)),
            _ => Err(format!("{text}: cards have up to 2048G")),
        }
    }
}

impl fmt::Display for CardSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Next => f.write_str("the next power of two"),
            Self::Bytes(bytes) if bytes.is_multiple_of(1 << 30) => write!(f, "{}G", bytes >> 30),
            Self::Bytes(bytes) => write!(f, "{}M", bytes >> 20),
        }
    }
}

fn is_packed(image: &Utf8Path) -> Result<bool, BootError> {
    use std::io::Read;
    let mut head = Vec::new();
    fs::File::open(image)
        .and_then(|file| file.take(16).read_to_end(&mut head))
        .map_err(BootError::io("reading", image))?;
    Ok(Format::of(&head) != Format::Plain)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const MIB: u64 = 1 << 20;

    #[rstest]
    #[case(2192, 4096)]
    #[case(1024 - 256, 1024)]
    #[case(1024 - 255, 2048)]
    #[case(1, 512)]
    fn a_card_leaves_room(#[case] image_mib: u64, #[case] card_mib: u64) {
        assert_eq!(
            CardSize::Next.for_image(image_mib * MIB),
            Ok(card_mib * MIB)
        );
    }

    #[rstest]
    #[case("8G", 8 << 30)]
    #[case("4096M", 4 << 30)]
    #[case("100m", 100 << 20)]
    fn sizes_are_read(#[case] text: &str, #[case] bytes: u64) {
        assert_eq!(text.parse(), Ok(CardSize::Bytes(bytes)));
    }

    #[rstest]
    #[case("")]
    #[case("8")]
    #[case("G")]
    #[case("-1G")]
    #[case("8GiB")]
    #[case("0M")]
    #[case("2049G")]
    #[case("99999999999999999999G")]
    #[case("8€")]
    fn slips_are_told(#[case] text: &str) {
        assert!(text.parse::<CardSize>().is_err());
    }

    #[test]
    fn an_image_must_fit() {
        let error = CardSize::Bytes(1 << 30).for_image(2 << 30).unwrap_err();
        assert!(
            error.contains("2048 MiB") && error.contains("1G"),
            "{error}"
        );
    }

    #[test]
    fn a_card_is_a_copy_with_room() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let image = dir.join("a.img");
        let mut bytes = vec![7; 3 << 20];
        bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
        fs::write(&image, &bytes).unwrap();
        let reporter = Reporter::silent();
        let size = CardSize::Bytes(64 << 20);
        let card = Card::make(&image, &dir.join("a.card"), size, &reporter).unwrap();
        assert!(card.is_sd_size());
        let copy = fs::read(card.path()).unwrap();
        assert_eq!(copy.len(), 64 << 20);
        assert!(copy[..bytes.len()] == bytes);
        assert_eq!(Card::insert(card.path()).unwrap(), card);

        let small = CardSize::Bytes(1 << 20);
        let path = dir.join("b.card");
        assert!(Card::make(&image, &path, small, &reporter).is_err());
        assert!(!path.exists());
    }
}
