//! A view of a region as if it were a file.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use fs_err::os::unix::fs::FileExt;
use fs_err::{File, OpenOptions};

use super::{DiskError, Piece, Region, expect_scattered, sparse};

/// Size of a page in bytes. FAT access is many tiny reads and writes in three
/// places (two copies of the table, data); pages keep those in memory.
const PAGE: u64 = 64 * 1024;

/// Pages held at most: 32 MiB. A full house is written back and left.
const PAGES: usize = 512;

/// A [`Read`], [`Write`] and [`Seek`] view of a [`Region`] that cannot leave
/// it. Reading behind the end gives nothing, writing there is an error.
///
/// Writes stay in memory until [`Write::flush`] or [`Window::finish`]; a
/// window that goes away without either loses them.
#[derive(Debug)]
pub struct Window {
    file: File,
    start: u64,
    len: u64,
    at: u64,
    mode: Mode,
    pages: BTreeMap<u64, Page>,
}

/// What becomes of writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// They are refused.
    Read,
    /// They reach the file.
    Write,
    /// They stay in memory, for [`Window::into_pieces`].
    Rehearse,
}

#[derive(Debug)]
struct Page {
    bytes: Vec<u8>,
    dirty: bool,
}

impl Window {
    /// A view for reading.
    ///
    /// # Errors
    /// If the file cannot be opened, or ends before the region does.
    pub fn read_only(region: &Region) -> Result<Self, DiskError> {
        Self::open(region, Mode::Read)
    }

    /// A view for reading and writing.
    ///
    /// # Errors
    /// If the file cannot be opened, or ends before the region does.
    pub fn read_write(region: &Region) -> Result<Self, DiskError> {
        Self::open(region, Mode::Write)
    }

    /// A view that can be written to without the file being changed: what is
    /// written stays in memory, however much it is.
    ///
    /// # Errors
    /// If the file cannot be opened, or ends before the region does.
    pub fn rehearse(region: &Region) -> Result<Self, DiskError> {
        Self::open(region, Mode::Rehearse)
    }

    fn open(region: &Region, mode: Mode) -> Result<Self, DiskError> {
        let fail = |e| DiskError::io("opening", &region.file, e);
        let file = OpenOptions::new()
            .read(true)
            .write(mode == Mode::Write)
            .open(&region.file)
            .map_err(fail)?;
        expect_scattered(&file);
        let len = file.metadata().map_err(fail)?.len();
        if len < region.end() {
            return Err(match region.partition {
                Some(partition) => DiskError::Truncated {
                    file: region.file.clone(),
                    partition,
                    end: region.end(),
                    len,
                },
                None => DiskError::filesystem(region, format!("ends at byte {len}")),
            });
        }
        let (start, len) = (region.start, region.len);
        Ok(Self {
            file,
            start,
            len,
            at: 0,
            mode,
            pages: BTreeMap::new(),
        })
    }

    /// Length of the region in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the region has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills `bytes` from position `at`.
    ///
    /// # Errors
    /// What the system said; `UnexpectedEof` if the region ends before.
    pub fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.at = at;
        if (bytes.len() as u64) < PAGE {
            return self.read_exact(bytes);
        }
        // A table of allocations: by way of pages it would be copied twice.
        let end = at.saturating_add(bytes.len() as u64);
        if end > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.file.read_exact_at(bytes, self.start + at)?;
        for (index, page) in self.pages.range(at / PAGE..end.div_ceil(PAGE)) {
            let begin = index * PAGE;
            let (from, to) = (begin.max(at), (begin + page.bytes.len() as u64).min(end));
            let source = &page.bytes[(from - begin) as usize..(to - begin) as usize];
            bytes[(from - at) as usize..(to - at) as usize].copy_from_slice(source);
        }
        self.at = end;
        Ok(())
    }

    /// Whether the `len` bytes from position `at` on are known to be zero without
    /// being read: a hole in the file, to which nothing was written here.
    pub(super) fn is_hole(&self, at: u64, len: u64) -> bool {
        let (from, to) = (self.start + at, self.start + at.saturating_add(len));
        let mut written = self
            .pages
            .range(at / PAGE..at.saturating_add(len).div_ceil(PAGE));
        let is_written = written.any(|(_, page)| page.dirty);
        !is_written && sparse::is_hole(&self.file, from, to)
    }

    /// Writes `bytes` to position `at`.
    ///
    /// # Errors
    /// What the system said; an error if the region ends before.
    pub fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.at = at;
        self.write_all(bytes)
    }

    /// Writes everything back and closes the file.
    ///
    /// # Errors
    /// What the system said.
    pub fn finish(mut self) -> io::Result<()> {
        self.flush()
    }

    /// The pages that were written to since the last flush, with their place in
    /// the region.
    pub(super) fn into_pieces(self) -> Vec<Piece> {
        self.pages
            .into_iter()
            .filter(|(_, page)| page.dirty)
            .map(|(index, page)| Piece {
                at: index * PAGE,
                bytes: page.bytes,
            })
            .collect()
    }

    /// The page that holds byte `at`, read if it is not in memory.
    fn page(&mut self, at: u64) -> io::Result<&mut Page> {
        let index = at / PAGE;
        if !self.pages.contains_key(&index) {
            if self.pages.len() >= PAGES {
                self.flush()?;
                self.pages.retain(|_, page| page.dirty);
            }
            let begin = index * PAGE;
            let size = PAGE.min(self.len - begin);
            let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
            self.file.read_exact_at(&mut bytes, self.start + begin)?;
            self.pages.insert(
                index,
                Page {
                    bytes,
                    dirty: false,
                },
            );
        }
        self.pages
            .get_mut(&index)
            .ok_or_else(|| io::Error::other("page went missing"))
    }

    /// How much of `wanted` bytes lies in the page of the current position.
    fn within_page(&self, wanted: usize) -> usize {
        let left = (PAGE - self.at % PAGE).min(self.len.saturating_sub(self.at));
        wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
    }
}

/// Offset of `at` in its page.
fn offset(at: u64) -> usize {
    // A page is far smaller than any usize.
    (at % PAGE) as usize
}

impl Read for Window {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.within_page(buf.len());
        if count > 0 {
            let from = offset(self.at);
            let page = self.page(self.at)?;
            buf[..count].copy_from_slice(&page.bytes[from..from + count]);
            self.at += count as u64;
        }
        Ok(count)
    }
}

impl Write for Window {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.mode == Mode::Read {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "opened for reading",
            ));
        }
        let count = self.within_page(buf.len());
        if count > 0 {
            let from = offset(self.at);
            let page = self.page(self.at)?;
            page.bytes[from..from + count].copy_from_slice(&buf[..count]);
            page.dirty = true;
            self.at += count as u64;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.mode == Mode::Rehearse {
            return Ok(());
        }
        for (index, page) in self.pages.iter_mut().filter(|(_, page)| page.dirty) {
            self.file
                .write_all_at(&page.bytes, self.start + index * PAGE)?;
            page.dirty = false;
        }
        Ok(())
    }
}

impl Seek for Window {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        let target = match pos {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;
    use proptest::prelude::*;

    fn file_with(bytes: &[u8]) -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let file = Utf8PathBuf::from_path_buf(dir.path().join("disk")).unwrap();
        fs_err::write(&file, bytes).unwrap();
        (dir, file)
    }

    #[test]
    fn stays_inside_its_region() {
        let (_dir, file) = file_with(b"aaaaBBBBcccc");
        let region = Region {
            file: file.clone(),
            start: 4,
            len: 4,
            partition: Some(1),
        };
        let mut window = Window::read_write(&region).unwrap();
        let mut all = Vec::new();
        window.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"BBBB");
        assert!(window.write_at(2, b"xyz").is_err());
        window.finish().unwrap();
        assert_eq!(fs_err::read(&file).unwrap()[8..], b"cccc"[..]);
    }

    #[test]
    fn a_region_beyond_the_file_is_called_truncated() {
        let (_dir, file) = file_with(&[0; 10]);
        let region = Region {
            file,
            start: 4,
            len: 7,
            partition: Some(2),
        };
        let message = Window::read_only(&region).unwrap_err().to_string();
        assert!(
            message.contains("partition 2 ends at byte 11, but the file has 10"),
            "{message}"
        );
    }

    #[test]
    fn a_window_for_reading_takes_no_writes() {
        let (_dir, file) = file_with(&[0; 10]);
        let mut window = Window::read_only(&Region::whole(&file).unwrap()).unwrap();
        let error = window.write(b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn what_was_written_is_no_hole() {
        let (_dir, file) = file_with(&[7; 10]);
        let sparse = fs_err::OpenOptions::new().write(true).open(&file).unwrap();
        sparse.set_len(1 << 20).unwrap();
        let region = Region {
            file,
            start: 0,
            len: 1 << 20,
            partition: Some(1),
        };
        let mut window = Window::rehearse(&region).unwrap();
        assert!(!window.is_hole(0, 20));
        // Whether the rest is one is for the filesystem to say.
        let was = window.is_hole(500_000, 100_000);
        window.read_at(500_000, &mut [0; 10]).unwrap();
        assert_eq!(window.is_hole(500_000, 100_000), was);
        window.write_at(550_000, b"x").unwrap();
        assert!(!window.is_hole(500_000, 100_000));
        assert_eq!(window.is_hole(700_000, 100_000), was);
    }

    #[test]
    fn a_rehearsal_leaves_the_file_and_tells_what_was_written() {
        let (_dir, file) = file_with(&[7; 300_000]);
        let region = Region {
            file: file.clone(),
            start: 100,
            len: 200_000,
            partition: Some(1),
        };
        let mut window = Window::rehearse(&region).unwrap();
        window.write_at(70_000, b"new").unwrap();
        window.flush().unwrap();
        let mut seen = [0; 4];
        window.read_at(70_000, &mut seen).unwrap();
        assert_eq!(&seen, b"new\x07");
        let pieces = window.into_pieces();
        assert!(fs_err::read(&file).unwrap() == [7; 300_000]);
        let [piece] = &pieces[..] else {
            panic!("{} pieces", pieces.len());
        };
        assert_eq!((piece.at, piece.bytes.len() as u64), (PAGE, PAGE));
        let at = (70_000 - piece.at) as usize;
        assert_eq!(&piece.bytes[at..at + 3], b"new");
        assert!(piece.bytes[..at].iter().all(|byte| *byte == 7));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// Whatever is written in whatever order reads back as from memory,
        /// also when there are more pages than are kept.
        #[test]
        fn behaves_like_memory(
            writes in prop::collection::vec((0u64..40_000_000, 1usize..200_000, any::<u8>()), 1..24)
        ) {
            const LEN: usize = 40_000_123;
            let (_dir, file) = file_with(&[]);
            fs_err::OpenOptions::new().write(true).open(&file).unwrap()
                .set_len(LEN as u64 + 99).unwrap();
            let region = Region { file: file.clone(), start: 77, len: LEN as u64, partition: None };
            let mut window = Window::read_write(&region).unwrap();
            let mut memory = vec![0u8; LEN];
            for (at, len, byte) in writes {
                let len = len.min(LEN - at as usize);
                window.write_at(at, &vec![byte; len]).unwrap();
                memory[at as usize..at as usize + len].fill(byte);
            }
            let mut seen = vec![0; LEN];
            window.read_at(0, &mut seen).unwrap();
            prop_assert!(seen == memory, "through the window");
            window.finish().unwrap();
            prop_assert!(fs_err::read(&file).unwrap()[77..77 + LEN] == memory, "in the file");
        }
    }
}
