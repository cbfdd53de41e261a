//! Copies that cost what the content costs, not what the file's length says.

use std::io;
use std::num::NonZeroU64;

use camino::Utf8Path;
use fs_err::os::unix::fs::{FileExt, OpenOptionsExt};
use fs_err::{File, OpenOptions};
use rustix::fs::{Advice, FallocateFlags, SeekFrom, fadvise, fallocate, ioctl_ficlone, seek};
use rustix::io::Errno;

use super::sharing::Sharing;
use super::{DiskError, Region};

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// Granularity of holes: the block size of the filesystems images lie on.
pub(super) const BLOCK: usize = 4096;

/// How a file was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyMethod {
    /// The filesystem shares the blocks until one side changes them.
    Shared,
    /// Data was copied, holes and zeros became holes.
    Sparse,
}

/// Makes `to` a copy of the file `from`, readable by its owner only. `to` must
/// not exist. The blocks are shared where the filesystem can (btrfs, XFS),
/// else only data is copied.
///
/// # Errors
/// What the system said about either file.
pub fn copy_file(from: &Utf8Path, to: &Utf8Path) -> Result<CopyMethod, DiskError> {
    let source = Region::whole(from)?;
    let reader = File::open(from).map_err(|e| DiskError::io("opening", from, e))?;
    let writer = create(to)?;
    if ioctl_ficlone(writer.file(), reader.file()).is_ok() {
        return Ok(CopyMethod::Shared);
    }
    let fail = |e| DiskError::io("writing", to, e);
    writer.set_len(source.len).map_err(fail)?;
    copy_data(&reader, &source, &writer, 0).map_err(fail)?;
    Ok(CopyMethod::Sparse)
}

/// Makes `to` a file that holds just the bytes of the region `from`, readable
/// by its owner only. `to` must not exist.
///
/// # Errors
/// What the system said about either file.
pub fn copy_range(from: &Region, to: &Utf8Path) -> Result<(), DiskError> {
    let reader = File::open(&from.file).map_err(|e| DiskError::io("opening", &from.file, e))?;
    let writer = create(to)?;
    let fail = |e| DiskError::io("writing", to, e);
    writer.set_len(from.len).map_err(fail)?;
    copy_data(&reader, from, &writer, 0).map_err(fail)
}

/// Puts the whole file `from` over the bytes of `to` from byte `at` on; `to`
/// grows if it is shorter. Where `from` has zeros, `to` has holes afterwards.
///
/// # Errors
/// What the system said about either file.
pub fn splice_range(from: &Utf8Path, to: &Utf8Path, at: u64) -> Result<(), DiskError> {
    let source = Region::whole(from)?;
    let reader = File::open(from).map_err(|e| DiskError::io("opening", from, e))?;
    let fail = |e| DiskError::io("writing", to, e);
    let writer = OpenOptions::new()
        .read(true)
        .write(true)
        .open(to)
        .map_err(fail)?;
    let end = at + source.len;
    if writer.metadata().map_err(fail)?.len() < end {
        writer.set_len(end).map_err(fail)?;
    }
    punch(&writer, at, source.len).map_err(fail)?;
    copy_data(&reader, &source, &writer, at).map_err(fail)
}

/// Gives blocks of zeros in the file at `path` back to the filesystem; its
/// content stays what it is.
///
/// # Errors
/// What the system said.
pub fn punch_zeros(path: &Utf8Path) -> Result<(), DiskError> {
    let fail = |e| DiskError::io("writing", path, e);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(fail)?;
    let region = Region::whole(path)?;
    each_data_range(&file, &region, |at, bytes| {
        for (from, to, zero) in runs(at, bytes) {
            if zero {
                punch(&file, at + from as u64, (to - from) as u64)?;
            }
        }
        Ok(())
    })
    .map_err(fail)
}

fn create(path: &Utf8Path) -> Result<File, DiskError> {
    let mut options = OpenOptions::new();
    // Images hold keys and password hashes.
    options.read(true).write(true).create_new(true).mode(0o600);
    options
        .open(path)
        .map_err(|e| DiskError::io("creating", path, e))
}

/// Copies the data of `from` into `to`, whose bytes there are zero already.
fn copy_data(reader: &File, from: &Region, writer: &File, at: u64) -> io::Result<()> {
    let mut sharing = Sharing::between(reader, writer);
    let mut buffer = vec![0; CHUNK];
    for (start, end) in data_ranges(reader, from)? {
        let target = at + (start - from.start);
        if !sharing.share(start, target, end - start) {
            each_piece(reader, start, end, &mut buffer, &mut |place, bytes| {
                for (first, last, zero) in runs(place, bytes) {
                    if !zero {
                        let to = at + (place - from.start) + first as u64;
                        writer.write_all_at(&bytes[first..last], to)?;
                    }
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Opens the file at `path` for reading here and there: the system is not to
/// read on beyond what is asked for. In a sparse file that would fill memory
/// with zeros, which takes longer than what was asked for.
///
/// # Errors
/// What the system said.
pub fn open_scattered(path: &Utf8Path) -> io::Result<File> {
    let file = File::open(path)?;
    expect_scattered(&file);
    Ok(file)
}

/// Tells the system that `file`, which is open already, will be read here and
/// there.
pub fn expect_scattered(file: &File) {
    // Nothing but time depends on it.
    let _ = fadvise(file.file(), 0, None, Advice::Random);
}

/// Tells the system that these bytes of `file` will be read at once: it can have
/// the disk bring all of them meanwhile.
pub(super) fn expect_soon(file: &File, at: u64, len: u64) {
    // Nothing but time depends on it.
    let _ = fadvise(file.file(), at, NonZeroU64::new(len), Advice::WillNeed);
}

/// Whether the file has no data from byte `from` to before `to`, all of which are
/// within it: they are zero then. Not every filesystem keeps account of that.
pub(super) fn is_hole(file: &File, from: u64, to: u64) -> bool {
    match seek(file.file(), SeekFrom::Data(from)) {
        Ok(data) => data >= to,
        Err(error) => error == Errno::NXIO,
    }
}

/// Ranges of `region` that are not holes, as absolute first and last bytes.
pub(super) fn data_ranges(file: &File, region: &Region) -> io::Result<Vec<(u64, u64)>> {
    let mut ranges = Vec::new();
    let mut at = region.start;
    while at < region.end() {
        let data = match seek(file.file(), SeekFrom::Data(at)) {
            Ok(data) if data < region.end() => data,
            // No data behind this place.
            Ok(_) | Err(Errno::NXIO) => break,
            // A filesystem that keeps no account of holes: all is data.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => {
                ranges.push((at, region.end()));
                break;
            }
            Err(error) => return Err(error.into()),
        };
        let hole = seek(file.file(), SeekFrom::Hole(data))?.min(region.end());
        ranges.push((data, hole));
        at = hole;
    }
    Ok(ranges)
}

/// Calls `act` with each piece of data in `region` and its absolute place.
fn each_data_range(
    file: &File,
    region: &Region,
    mut act: impl FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    for (start, end) in data_ranges(file, region)? {
        each_piece(file, start, end, &mut buffer, &mut act)?;
    }
    Ok(())
}

/// The same for the bytes from `at` to `end`, holes or not, no more at a time than
/// `buffer` takes.
pub(super) fn each_piece(
    file: &File,
    mut at: u64,
    end: u64,
    buffer: &mut [u8],
    act: &mut impl FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    while at < end {
        let wish = (end - at).min(buffer.len() as u64) as usize;
        file.read_exact_at(&mut buffer[..wish], at)?;
        act(at, &buffer[..wish])?;
        at += wish as u64;
    }
    Ok(())
}

/// Puts `bytes` at `at` in `file`. Blocks of zeros become holes.
pub(super) fn put(file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
    for (first, last, zero) in runs(at, bytes) {
        let to = at + first as u64;
        match zero {
            true => punch(file, to, (last - first) as u64)?,
            false => file.write_all_at(&bytes[first..last], to)?,
        }
    }
    Ok(())
}

/// Splits `bytes`, which begin at absolute place `at`, into runs of whole zero
/// blocks and of everything else: first, one behind last, whether zero.
fn runs(at: u64, bytes: &[u8]) -> Vec<(usize, usize, bool)> {
    let mut runs: Vec<(usize, usize, bool)> = Vec::new();
    let mut from = 0;
    while from < bytes.len() {
        // Blocks are counted from the start of the file, not of the piece.
        let to_edge = BLOCK - ((at + from as u64) % BLOCK as u64) as usize;
        let to = (from + to_edge).min(bytes.len());
        let zero = is_zero(&bytes[from..to]);
        match runs.last_mut() {
            Some(last) if last.2 == zero => last.1 = to,
            _ => runs.push((from, to, zero)),
        }
        from = to;
    }
    runs
}

pub(super) fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|b| *b == 0)
}

/// Makes a range of `file` zero, as a hole where the filesystem can.
pub(super) fn punch(file: &File, at: u64, len: u64) -> io::Result<()> {
    if len == 0 {
        return Ok(());
    }
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    if fallocate(file.file(), flags, at, len).is_ok() {
        return Ok(());
    }
    let zeros = vec![0; CHUNK];
    let mut done = 0;
    while done < len {
        let count = usize::try_from(len - done).unwrap_or(CHUNK).min(CHUNK);
        file.write_all_at(&zeros[..count], at + done)?;
        done += count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;
    use proptest::prelude::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    struct Bench {
        _dir: tempfile::TempDir,
        dir: Utf8PathBuf,
    }

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
            Self {
                _dir: dir,
                dir: path,
            }
        }

        fn file(&self, name: &str, bytes: &[u8]) -> Utf8PathBuf {
            let path = self.dir.join(name);
            fs_err::write(&path, bytes).unwrap();
            path
        }
    }

    fn bytes_on_disk(path: &Utf8Path) -> u64 {
        fs_err::metadata(path).unwrap().blocks() * 512
    }

    /// A megabyte of data, eight of zeros, a bit of data.
    fn mostly_zero() -> Vec<u8> {
        let mut bytes = vec![7; 1 << 20];
        bytes.resize(9 << 20, 0);
        bytes.extend_from_slice(b"the end");
        bytes
    }

    #[test]
    fn a_copy_is_private_and_its_zeros_are_holes() {
        let bench = Bench::new();
        let from = bench.file("from", &mostly_zero());
        let to = bench.dir.join("to");
        if copy_file(&from, &to).unwrap() == CopyMethod::Sparse {
            assert!(
                bytes_on_disk(&to) < 2 << 20,
                "{} bytes on disk",
                bytes_on_disk(&to)
            );
        }
        assert!(fs_err::read(&to).unwrap() == mostly_zero());
        assert_eq!(
            fs_err::metadata(&to).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(
            copy_file(&from, &to).is_err(),
            "an existing file was replaced"
        );
    }

    #[test]
    fn punching_keeps_the_content() {
        let bench = Bench::new();
        let path = bench.file("dense", &mostly_zero());
        punch_zeros(&path).unwrap();
        assert!(fs_err::read(&path).unwrap() == mostly_zero());
        assert!(
            bytes_on_disk(&path) < 2 << 20,
            "{} bytes on disk",
            bytes_on_disk(&path)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn taking_out_and_putting_back_changes_nothing(
            pieces in prop::collection::vec((any::<bool>(), 1usize..30_000), 1..12),
            cut in (0usize..9000, 0usize..9000),
        ) {
            let bench = Bench::new();
            let mut bytes = Vec::new();
            for (index, (zero, len)) in pieces.iter().enumerate() {
                let fill = if *zero { 0 } else { index as u8 + 1 };
                bytes.resize(bytes.len() + len, fill);
            }
            let path = bench.file("disk", &bytes);
            punch_zeros(&path).unwrap();
            let start = cut.0.min(bytes.len());
            let len = bytes.len().saturating_sub(start + cut.1);
            let (start, len) = (start as u64, len as u64);
            let region = Region { file: path.clone(), start, len, partition: None };
            let part = bench.dir.join("part");
            copy_range(&region, &part).unwrap();
            let inside = start as usize..(start + len) as usize;
            prop_assert!(fs_err::read(&part).unwrap() == bytes[inside.clone()]);
            // Over other bytes, so that what must become zero shows.
            let mut other = bytes.clone();
            other[inside].fill(0xee);
            fs_err::write(&path, &other).unwrap();
            splice_range(&part, &path, start).unwrap();
            prop_assert!(fs_err::read(&path).unwrap() == bytes);
        }
    }
}
