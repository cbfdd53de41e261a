//! Reading a file through whatever compresses it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use camino::Utf8Path;
use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{MtStreamBuilder, Stream};
use zip::ZipArchive;

use super::SourceError;
use super::digest::CHUNK;
use super::format::{Format, HEAD};
use super::read_ahead::{ReadAhead, read_ahead};
use crate::progress::{Reporter, Task};

/// Memory that decoding xz in parallel may take; beyond it fewer threads run, so
/// that a build stays under 200 MiB on machines with many cores, too. Raspberry
/// Pi OS is packed with `xz -6`, whose blocks of 24 MiB need about 60 MiB a
/// thread.
const XZ_THREADING_MEMORY: u64 = 144 << 20;

/// Memory beyond which a file is refused rather than decoded; the largest
/// dictionary `xz -9e` uses needs 65 MiB, the format allows 1.5 GiB.
const XZ_MEMORY: u64 = 2 << 30;

/// Opens the file at `path`, decodes it on a thread of its own and hands the
/// bytes to `consume`, with the format found. Progress counts bytes of the
/// packed file (of a zip archive: unpacked bytes).
///
/// Read errors that `consume` meets become [`SourceError`] through
/// [`stream_error`].
pub(super) fn with_decoded<T>(
    path: &Utf8Path,
    title: &str,
    reporter: &Reporter,
    consume: impl FnOnce(&mut ReadAhead, Format) -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    let head = head_of(path)?;
    let format = Format::of(&head);
    match format {
        Format::Bzip2 | Format::SevenZip => Err(SourceError::WrongContents {
            path: path.to_owned(),
            looks_like: format!("is packed with {}", format.name()),
            needed: "unpack it first, or pack it with xz, gzip or zstd".to_owned(),
        }),
        Format::Zip => with_zip_member(path, title, reporter, |reader| consume(reader, format)),
        Format::Plain | Format::Gzip | Format::Xz | Format::Zstd => {
            let file = File::open(path).map_err(SourceError::io("opening", path))?;
            let len = file
                .metadata()
                .map_err(SourceError::io("reading", path))?
                .len();
            let task = reporter.task(title, Some(len));
            let result = read_ahead(
                |producer| {
                    let packed = BufReader::with_capacity(CHUNK, task.reading(file));
                    match format {
                        Format::Gzip => producer.copy_from(&mut MultiGzDecoder::new(packed)),
                        Format::Xz => producer.copy_from(&mut XzStreams::new(packed)?),
                        Format::Zstd => {
                            producer.copy_from(&mut zstd::Decoder::with_buffer(packed)?)
                        }
                        _ => producer.copy_from(&mut { packed }),
                    }
                },
                |reader| consume(reader, format),
            );
            finish(task, result)
        }
    }
}

fn finish<T>(task: Task, result: Result<T, SourceError>) -> Result<T, SourceError> {
    if result.is_ok() {
        task.finish();
    }
    result
}

/// What a failure to read decoded bytes of the file at `path` means.
pub(super) fn stream_error(path: &Utf8Path, format: &'static str, error: io::Error) -> SourceError {
    let path = path.to_owned();
    let detail = error.to_string();
    match error.kind() {
        io::ErrorKind::UnexpectedEof => SourceError::Truncated {
            path,
            format,
            detail,
        },
        _ if error.raw_os_error().is_some() => SourceError::io("reading", &path)(error),
        _ => SourceError::Damaged {
            path,
            format,
            detail,
        },
    }
}

/// The first bytes of a file.
pub(super) fn head_of(path: &Utf8Path) -> Result<Vec<u8>, SourceError> {
    let file = File::open(path).map_err(SourceError::io("opening", path))?;
    let mut head = Vec::new();
    file.take(HEAD as u64)
        .read_to_end(&mut head)
        .map_err(SourceError::io("reading", path))?;
    Ok(head)
}

/// Decodes the one image in a zip archive.
fn with_zip_member<T>(
    path: &Utf8Path,
    title: &str,
    reporter: &Reporter,
    consume: impl FnOnce(&mut ReadAhead) -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    let file = File::open(path).map_err(SourceError::io("opening", path))?;
    let mut archive = ZipArchive::new(BufReader::with_capacity(CHUNK, file))
        .map_err(|error| unreadable_zip(path, &error))?;
    let index = image_member(path, &archive)?;
    let size = archive
        .by_index_raw(index)
        .map_err(|error| unreadable_zip(path, &error))?
        .size();
    let task = reporter.task(title, Some(size));
    let result = read_ahead(
        |producer| {
            let member = archive.by_index(index).map_err(io::Error::other)?;
            producer.copy_from(&mut task.reading(member))
        },
        consume,
    );
    finish(task, result)
}

/// Which member of a zip archive is the image: the only one with an image's
/// name, or else the only file there is.
fn image_member<R>(path: &Utf8Path, archive: &ZipArchive<R>) -> Result<usize, SourceError>
where
    R: io::Read + io::Seek,
{
    // Members whose name cannot be told are not what anyone means.
    let names = archive
        .file_names()
        .map(|name| name.unwrap_or_default().into_owned());
    let files: Vec<(usize, String)> = names
        .enumerate()
        .filter(|(_, name)| !name.is_empty() && !name.ends_with('/'))
        .collect();
    let is_image = |name: &str| {
        let name = name.to_ascii_lowercase();
        [".img", ".raw", ".wic"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
    };
    let images: Vec<&(usize, String)> = files.iter().filter(|(_, name)| is_image(name)).collect();
    match (&images[..], &files[..]) {
        ([(index, _)], _) | ([], [(index, _)]) => return Ok(*index),
        _ => {}
    }
    let (kind, shown) = match images.len() {
        0 => ("without a disk image", files.iter().take(6).collect()),
        _ => ("with several disk images", images),
    };
    let shown: Vec<&str> = shown.into_iter().map(|(_, name)| name.as_str()).collect();
    Err(SourceError::WrongContents {
        path: path.to_owned(),
        looks_like: format!("is a zip archive {kind} ({})", shown.join(", ")),
        needed: "a zip archive with exactly one .img file is needed; unpack the right one yourself"
            .to_owned(),
    })
}

fn unreadable_zip(path: &Utf8Path, error: &zip::result::ZipError) -> SourceError {
    // The table of contents is at the end, so what misses it was mostly cut.
    let (path, format, detail) = (path.to_owned(), Format::Zip.name(), error.to_string());
    match error {
        zip::result::ZipError::InvalidArchive(_) => SourceError::Truncated {
            path,
            format,
            detail,
        },
        _ => SourceError::Damaged {
            path,
            format,
            detail,
        },
    }
}

/// Decodes all streams of an xz file, each in parallel where its blocks allow.
/// The parallel decoder itself stops behind the first stream, but tools such as
/// `pixz` or plain `cat` write several.
struct XzStreams<R> {
    // None only while one decoder is replaced by the next.
    decoder: Option<XzDecoder<R>>,
}

impl<R: BufRead> XzStreams<R> {
    fn new(packed: R) -> io::Result<Self> {
        Ok(Self {
            decoder: Some(XzDecoder::new_stream(packed, xz_stream()?)),
        })
    }
}

fn xz_stream() -> io::Result<Stream> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    MtStreamBuilder::new()
        .threads(u32::try_from(threads).unwrap_or(1))
        .memlimit_threading(XZ_THREADING_MEMORY)
        .memlimit_stop(XZ_MEMORY)
        .decoder()
        .map_err(io::Error::from)
}

impl<R: BufRead> Read for XzStreams<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(decoder) = &mut self.decoder else {
                return Ok(0);
            };
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(finished) = self.decoder.take() else {
                return Ok(0);
            };
            let mut packed = finished.into_inner();
            if skip_stream_padding(&mut packed)? {
                self.decoder = Some(XzDecoder::new_stream(packed, xz_stream()?));
            }
        }
    }
}

/// Skips the zeros that may follow a stream, and tells whether another stream
/// follows them.
fn skip_stream_padding(packed: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = packed.fill_buf()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let more = zeros < bytes.len();
        packed.consume(zeros);
        if more {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use rstest::rstest;

    use super::super::testing::scratch;
    use super::*;

    /// `bytes` through a command line tool of the system.
    fn packed(tool: &str, args: &[&str], bytes: &[u8]) -> Vec<u8> {
        let mut child = Command::new(tool)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = bytes.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success());
        output.stdout
    }

    fn sample() -> Vec<u8> {
        (0..900_000_u32)
            .flat_map(|n| ((n / 7).wrapping_mul(2_654_435_761) % 1021).to_le_bytes())
            .collect()
    }

    fn decode(bytes: &[u8]) -> Result<(Vec<u8>, Format), SourceError> {
        let (_dir, root) = scratch();
        let path = root.join("file");
        std::fs::write(&path, bytes).unwrap();
        with_decoded(&path, "reading", &Reporter::silent(), |reader, format| {
            let mut all = Vec::new();
            reader
                .read_to_end(&mut all)
                .map_err(|error| stream_error(&path, format.name(), error))?;
            Ok((all, format))
        })
    }

    #[rstest]
    #[case("gzip", &["-c"], Format::Gzip)]
    #[case("xz", &["-c", "-T1"], Format::Xz)]
    #[case("xz", &["-c", "-T2", "--block-size=262144"], Format::Xz)]
    #[case("zstd", &["-c", "-q"], Format::Zstd)]
    #[case("cat", &[], Format::Plain)]
    fn what_tools_pack_is_read(#[case] tool: &str, #[case] args: &[&str], #[case] format: Format) {
        let once = packed(tool, args, &sample());
        assert_eq!(decode(&once).unwrap(), (sample(), format));
        // Two packed files behind each other are the two files behind each other.
        let twice = decode(&[&once[..], &once[..]].concat()).unwrap().0;
        assert_eq!(twice, [sample(), sample()].concat());
    }

    #[rstest]
    #[case("gzip", &["-c"])]
    #[case("xz", &["-c", "-T1"])]
    #[case("xz", &["-c", "-T2", "--block-size=262144"])]
    #[case("zstd", &["-c", "-q", "--check"])]
    fn cuts_and_damage_are_told_apart(#[case] tool: &str, #[case] args: &[&str]) {
        let whole = packed(tool, args, &sample());
        for keep in [7, 20, whole.len() / 2, whole.len() - 13, whole.len() - 1] {
            let error = decode(&whole[..keep]).unwrap_err();
            assert!(
                matches!(error, SourceError::Truncated { .. }),
                "{keep}: {error}"
            );
        }
        for at in [whole.len() / 3, whole.len() / 2] {
            let mut bad = whole.clone();
            bad[at..at + 8].iter_mut().for_each(|byte| *byte ^= 0x55);
            let error = decode(&bad).unwrap_err();
            assert!(
                matches!(error, SourceError::Damaged { .. }),
                "{at}: {error}"
            );
        }
    }

    #[test]
    fn xz_padding_between_streams_is_skipped() {
        let one = packed("xz", &["-c"], b"one");
        let padded = [&one[..], &[0; 8], &one[..], &[0; 4]].concat();
        assert_eq!(decode(&padded).unwrap().0, b"oneone");
        let error = decode(&[&one[..], b"rubbish behind"].concat()).unwrap_err();
        assert!(matches!(error, SourceError::Damaged { .. }), "{error}");
    }

    #[test]
    fn what_cannot_be_read_says_what_can() {
        let error = decode(b"BZh91AY&SY").unwrap_err().to_string();
        assert!(
            error.contains("bzip2") && error.contains("xz, gzip or zstd"),
            "{error}"
        );
    }
}
