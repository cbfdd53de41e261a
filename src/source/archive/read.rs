//! Reading a tar stream member by member.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use camino::Utf8Path;
use tar::{Archive, Entry, EntryType};

use super::limits::{HEADER_BYTES, MEMBER_BYTES, MEMBERS, TOTAL_BYTES};
use super::member::{clean_name, clean_target, shown};
use crate::edit::Mode;
use crate::progress::Reporter;
use crate::source::SourceError;
use crate::source::decompress::{head_of, stream_error, with_decoded};
use crate::source::format::{Format, HEAD, is_tar, looks_like};
use crate::source::read_ahead::ReadAhead;

/// What a member is.
pub(super) enum Body<'a> {
    /// A directory.
    Dir,
    /// A regular file with so many bytes; exactly those are in the reader.
    File(u64, &'a mut dyn Read),
    /// A symbolic link to this.
    Symlink(String),
    /// Another name of the file under this name.
    HardLink(String),
}

/// One member.
pub(super) struct Member<'a> {
    pub(super) name: String,
    pub(super) mode: Mode,
    pub(super) body: Body<'a>,
}

/// Why reading stopped.
pub(super) enum Stop {
    /// The archive could not be read any further.
    Read(io::Error),
    /// The member does not belong in an archive to be unpacked.
    Unsafe(String),
    /// Something other than the archive failed.
    Other(SourceError),
}

/// Reads the archive at `path` to its very end, handing each member to `visit`
/// in order.
///
/// Packed data is always decoded completely, also behind the end of the
/// archive, so that its check sums are looked at.
pub(super) fn read_members(
    path: &Utf8Path,
    title: &str,
    reporter: &Reporter,
    mut visit: impl FnMut(Member<'_>) -> Result<(), Stop>,
) -> Result<(), SourceError> {
    refuse_other_formats(path)?;
    with_decoded(path, title, reporter, |reader, format| {
        let (head, reader) = head(path, format, reader)?;
        if !is_tar(&head) {
            return Err(not_an_archive(path, &head));
        }
        let meter = Rc::new(Meter::default());
        let stream = Metered {
            inner: io::Cursor::new(head).chain(reader),
            meter: meter.clone(),
        };
        let mut name = String::new();
        let result = each_member(Archive::new(stream), &meter, &mut name, &mut visit);
        result.map_err(|stop| match stop {
            Stop::Read(error) => {
                let cut = meter.ended.get() && error.kind() != io::ErrorKind::InvalidData;
                let kind = if cut {
                    io::ErrorKind::UnexpectedEof
                } else {
                    error.kind()
                };
                let detail = match name.as_str() {
                    "" => error.to_string(),
                    name => format!("at or behind {name:?}: {error}"),
                };
                let keeps_code = error.raw_os_error().is_some();
                let error = if keeps_code {
                    error
                } else {
                    io::Error::new(kind, detail)
                };
                stream_error(path, tar_name(format), error)
            }
            Stop::Unsafe(reason) => SourceError::UnsafeMember {
                path: path.to_owned(),
                member: name.clone(),
                reason,
            },
            Stop::Other(error) => error,
        })
    })
}

fn each_member<R: Read>(
    mut archive: Archive<Metered<R>>,
    meter: &Rc<Meter>,
    name: &mut String,
    visit: &mut impl FnMut(Member<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut total: u64 = 0;
    let mut end: u64 = 0;
    let mut entries = archive.entries().map_err(Stop::Read)?;
    for count in 0.. {
        meter.budget.set(HEADER_BYTES);
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(Stop::Read)?;
        *name = shown(&entry.path_bytes());
        total = total.saturating_add(entry.size());
        if count >= MEMBERS || entry.size() > MEMBER_BYTES || total > TOTAL_BYTES {
            return Err(Stop::Unsafe(format!(
                "makes the archive larger than an SD card ({count} members, {total} bytes)"
            )));
        }
        end = entry
            .raw_file_position()
            .saturating_add(entry.size().next_multiple_of(512));
        meter.budget.set(u64::MAX);
        one_member(&mut entry, visit)?;
    }
    // Whatever follows the end mark is read for the sake of the check sums.
    meter.budget.set(u64::MAX);
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(Stop::Read)?;
    // A cut between two members looks like an end, but the end mark (at least
    // one block of zeros behind the last member) is missing.
    if meter.position.get() < end + 512 {
        let error = io::Error::new(io::ErrorKind::UnexpectedEof, "the end mark is missing");
        return Err(Stop::Read(error));
    }
    Ok(())
}

fn one_member<R: Read>(
    entry: &mut Entry<'_, R>,
    visit: &mut impl FnMut(Member<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let kind = entry.header().entry_type();
    if kind.is_pax_global_extensions() {
        return Ok(());
    }
    if is_sparse(entry)? {
        return Err(Stop::Unsafe(
            "is stored as a sparse file, which is not read".to_owned(),
        ));
    }
    let raw_name = entry.path_bytes().into_owned();
    let name = clean_name(&raw_name).map_err(Stop::Unsafe)?;
    let mode = entry.header().mode().map_err(Stop::Read)?;
    // Only the lowest twelve bits are permissions; some writers store the type above.
    let mode = Mode::new((mode & 0o7777) as u16);
    let link = entry
        .link_name_bytes()
        .map(|link| link.into_owned())
        .unwrap_or_default();
    let size = entry.size();
    let body = match kind {
        EntryType::Directory => Body::Dir,
        // Writers before POSIX mark directories by their name alone.
        EntryType::Regular if raw_name.ends_with(b"/") => Body::Dir,
        EntryType::Regular | EntryType::Continuous => Body::File(size, entry),
        EntryType::Symlink => Body::Symlink(clean_target(&link).map_err(Stop::Unsafe)?),
        EntryType::Link => {
            let to = clean_name(&link).map_err(|_| {
                Stop::Unsafe(format!(
                    "is a hard link to {:?}, outside the archive",
                    shown(&link)
                ))
            })?;
            Body::HardLink(to)
        }
        EntryType::Char | EntryType::Block => {
            return Err(Stop::Unsafe("is a device node".to_owned()));
        }
        EntryType::Fifo => return Err(Stop::Unsafe("is a named pipe".to_owned())),
        other => {
            let byte = char::from(other.as_byte());
            return Err(Stop::Unsafe(format!(
                "is of a kind not read here ({byte:?})"
            )));
        }
    };
    visit(Member { name, mode, body })
}

/// Whether a member is a sparse file in one of GNU's ways. They are for disk
/// images; in the newer ones the data begins with a map that would be taken for
/// content.
fn is_sparse<R: Read>(entry: &mut Entry<'_, R>) -> Result<bool, Stop> {
    if entry.header().entry_type().is_gnu_sparse() {
        return Ok(true);
    }
    let Some(extensions) = entry.pax_extensions().map_err(Stop::Read)? else {
        return Ok(false);
    };
    for extension in extensions {
        let extension = extension.map_err(Stop::Read)?;
        if extension.key_bytes().starts_with(b"GNU.sparse") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first bytes of the decoded stream, and the stream still holding what is
/// behind them.
fn head<'a>(
    path: &Utf8Path,
    format: Format,
    reader: &'a mut ReadAhead,
) -> Result<(Vec<u8>, &'a mut ReadAhead), SourceError> {
    let mut head = Vec::new();
    while head.len() < HEAD {
        let chunk = reader
            .chunk()
            .map_err(|error| stream_error(path, format.name(), error))?;
        let count = chunk.len().min(HEAD - head.len());
        if count == 0 {
            break;
        }
        head.extend_from_slice(&chunk[..count]);
        reader.consume(count);
    }
    Ok((head, reader))
}

const NEEDED: &str = "a tar archive for Linux (.tar.gz, .tar.xz or .tar.zst) is needed";

fn refuse_other_formats(path: &Utf8Path) -> Result<(), SourceError> {
    let head = head_of(path)?;
    match Format::of(&head) {
        Format::Zip => Err(not_an_archive(path, &head)),
        _ => Ok(()),
    }
}

fn not_an_archive(path: &Utf8Path, head: &[u8]) -> SourceError {
    SourceError::WrongContents {
        path: path.to_owned(),
        looks_like: looks_like(head),
        needed: NEEDED.to_owned(),
    }
}

/// What a read error is about: for a plain archive the tar data itself.
fn tar_name(format: Format) -> &'static str {
    match format {
        Format::Plain => "tar",
        other => other.name(),
    }
}

/// How far a stream was read.
#[derive(Default)]
struct Meter {
    position: Cell<u64>,
    /// Bytes that may still be read before the next limit is set.
    budget: Cell<u64>,
    ended: Cell<bool>,
}

/// Counts a stream, and stops it where headers are longer than any honest one:
/// the tar reader would keep them in memory.
struct Metered<R> {
    inner: R,
    meter: Rc<Meter>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let budget = self.meter.budget.get();
        if budget == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a header is absurdly long",
            ));
        }
        let most = usize::try_from(budget)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.inner.read(&mut buffer[..most])?;
        if read == 0 && most > 0 {
            self.meter.ended.set(true);
        }
        self.meter
            .position
            .set(self.meter.position.get() + read as u64);
        self.meter.budget.set(budget - read as u64);
        Ok(read)
    }
}
