//! Base images, packed or not.

use camino::Utf8Path;
use tempfile::NamedTempFile;

use super::decompress::{stream_error, with_decoded};
use super::digest::Digester;
use super::format::{Format, HEAD, is_partitioned_disk, looks_like};
use super::sparse::SparseWriter;
use super::{Sha256, SourceError};
use crate::progress::Reporter;

/// A raw image that was unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpackedImage {
    /// Its length in bytes, a whole number of sectors.
    pub size: u64,
    /// SHA-256 of the raw bytes: what Raspberry Pi Imager's catalogue calls
    /// `extract_sha256`.
    pub sha256: Sha256,
    /// How it was packed.
    pub format: Format,
}

const NEEDED: &str =
    "a disk image with a partition table is needed, such as Raspberry Pi OS's .img.xz";

/// Unpacks the disk image at `image` (plain, gzip, xz, zstd, or a zip archive
/// with one image in it, whatever its name says) to a sparse file at `dest`;
/// people know it as `name`.
///
/// The file gets its name when it is complete and checked; what was there
/// before is replaced then. It is readable by its owner only, as images of
/// nodes must be. It is not forced onto the disk: it is about to be changed, and
/// whoever keeps the result sees to that once.
pub fn unpack_image(
    image: &Utf8Path,
    name: &str,
    dest: &Utf8Path,
    reporter: &Reporter,
) -> Result<UnpackedImage, SourceError> {
    let dir = match dest.parent() {
        Some(dir) if dir != "" => dir,
        _ => Utf8Path::new("."),
    };
    let partial = NamedTempFile::with_prefix_in(".pidoop-image-", dir)
        .map_err(SourceError::io("writing to", dir))?;
    let file = partial.reopen().map_err(SourceError::io("writing", dest))?;
    let title = format!("unpacking {name}");
    let unpacked = with_decoded(image, &title, reporter, |reader, format| {
        let mut writer = SparseWriter::new(file);
        let mut digester = Digester::new(None);
        let mut head = Vec::new();
        loop {
            let chunk = reader
                .chunk()
                .map_err(|error| stream_error(image, format.name(), error))?;
            let (count, ended) = (chunk.len(), chunk.is_empty());
            // Before the first gigabytes are written, see that it is a disk at all.
            if head.len() < HEAD {
                head.extend_from_slice(&chunk[..count.min(HEAD - head.len())]);
                if head.len() >= HEAD || ended {
                    check_disk(image, &head)?;
                }
            }
            if ended {
                break;
            }
            digester.update(chunk);
            let needed = writer.position() + count as u64;
            writer.write(chunk).map_err(SourceError::io_needing(
                "unpacking to",
                dest,
                Some(needed),
            ))?;
            reader.consume(count);
        }
        writer.finish().map_err(SourceError::io("writing", dest))?;
        let digests = digester.finish();
        Ok(UnpackedImage {
            size: digests.size,
            sha256: digests.sha256,
            format,
        })
    })?;
    if unpacked.size % 512 != 0 {
        return Err(SourceError::Truncated {
            path: image.to_owned(),
            format: "image",
            detail: format!("{} bytes are not a whole number of sectors", unpacked.size),
        });
    }
    partial
        .persist(dest)
        .map_err(|error| SourceError::io("naming", dest)(error.error))?;
    Ok(unpacked)
}

fn check_disk(image: &Utf8Path, head: &[u8]) -> Result<(), SourceError> {
    if is_partitioned_disk(head) {
        return Ok(());
    }
    Err(SourceError::WrongContents {
        path: image.to_owned(),
        looks_like: looks_like(head),
        needed: NEEDED.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::process::Command;

    use camino::Utf8PathBuf;
    use rstest::rstest;

    use super::super::testing::scratch;
    use super::*;
    use crate::progress::{Event, Recorded};

    /// A disk of 6 MiB with a signature, a little data and much nothing.
    fn disk() -> Vec<u8> {
        let mut disk = vec![0; 6 << 20];
        disk[510..512].copy_from_slice(&[0x55, 0xaa]);
        for (at, byte) in disk[3 << 20..(3 << 20) + 300_000].iter_mut().enumerate() {
            *byte = (at * 7 % 253) as u8;
        }
        disk
    }

    /// The disk packed by a command, under a name that says nothing.
    fn packed(root: &Utf8Path, command: &[&str]) -> Utf8PathBuf {
        let raw = root.join("disk.img");
        fs::write(&raw, disk()).unwrap();
        let status = Command::new(command[0])
            .args(&command[1..])
            .current_dir(root)
            .status()
            .unwrap();
        assert!(status.success());
        root.join("packed")
    }

    fn names(dir: &Utf8Path) -> Vec<String> {
        let listing = dir.read_dir_utf8().unwrap();
        listing
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect()
    }

    #[rstest]
    #[case(&["sh", "-c", "xz -T2 --block-size=1MiB -c disk.img > packed"], Format::Xz)]
    #[case(&["sh", "-c", "gzip -c disk.img > packed"], Format::Gzip)]
    #[case(&["sh", "-c", "zstd -q -c disk.img > packed"], Format::Zstd)]
    #[case(&["cp", "disk.img", "packed"], Format::Plain)]
    fn images_come_out_whole_and_sparse(#[case] command: &[&str], #[case] format: Format) {
        let (_dir, root) = scratch();
        let image = packed(&root, command);
        let out = root.join("out");
        fs::create_dir(&out).unwrap();
        let dest = out.join("base.img");
        let (reporter, events) = Recorded::reporter();
        let unpacked = unpack_image(&image, "image", &dest, &reporter).unwrap();
        assert!(fs::read(&dest).unwrap() == disk());
        let meta = fs::metadata(&dest).unwrap();
        assert!(
            meta.blocks() * 512 < 1 << 20,
            "{} sectors are not sparse",
            meta.blocks()
        );
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
        assert_eq!(
            unpacked,
            UnpackedImage {
                size: 6 << 20,
                sha256: Sha256::of(&disk()),
                format
            }
        );
        assert_eq!(names(&out), ["base.img"]);
        let size = fs::metadata(&image).unwrap().len();
        assert!(
            matches!(events.all().last(), Some(Event::TaskFinished { done, .. }) if *done == size)
        );
    }

    fn zip(path: &Utf8Path, members: &[(&str, &[u8])]) {
        let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
        for (name, bytes) in members {
            zip.start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
    }

    #[test]
    fn a_zip_archive_holds_one_image() {
        let (_dir, root) = scratch();
        let (image, dest) = (root.join("x.zip"), root.join("base.img"));
        let unpack = || unpack_image(&image, "image", &dest, &Reporter::silent());
        zip(
            &image,
            &[("README", b"hello"), ("2021-raspios.img", &disk())],
        );
        assert_eq!(unpack().unwrap().sha256, Sha256::of(&disk()));
        zip(&image, &[("a.img", &disk()), ("b.IMG", &disk())]);
        let error = unpack().unwrap_err().to_string();
        assert!(
            error.contains("several disk images (a.img, b.IMG)"),
            "{error}"
        );
        zip(&image, &[("a", b"x"), ("b", b"y")]);
        assert!(
            unpack()
                .unwrap_err()
                .to_string()
                .contains("without a disk image (a, b)")
        );
        zip(&image, &[("2021-raspios.img", &disk())]);
        let whole = fs::read(&image).unwrap();
        fs::write(&image, &whole[..whole.len() / 2]).unwrap();
        assert!(matches!(unpack(), Err(SourceError::Truncated { .. })));
        let mut bad = whole.clone();
        bad[whole.len() / 2] ^= 0xff;
        fs::write(&image, &bad).unwrap();
        assert!(matches!(unpack(), Err(SourceError::Damaged { .. })));
    }

    #[test]
    fn a_cut_image_leaves_nothing_and_keeps_what_was_there() {
        let (_dir, root) = scratch();
        let image = packed(&root, &["sh", "-c", "xz -c disk.img > packed"]);
        let whole = fs::read(&image).unwrap();
        let out = root.join("out");
        fs::create_dir(&out).unwrap();
        fs::write(out.join("base.img"), b"before").unwrap();
        for keep in [0, 100, whole.len() / 2, whole.len() - 1] {
            fs::write(&image, &whole[..keep]).unwrap();
            let error = unpack_image(&image, "image", &out.join("base.img"), &Reporter::silent());
            let message = error.unwrap_err().to_string();
            assert!(message.contains("packed"), "{message}");
            assert_eq!(names(&out), ["base.img"]);
            assert_eq!(fs::read(out.join("base.img")).unwrap(), b"before");
        }
    }

    #[rstest]
    #[case(b"<!DOCTYPE html><title>Sign in</title>".to_vec(), "a web page")]
    #[case(vec![0; 1 << 20], "no kind known")]
    #[case(vec![], "is empty")]
    #[case(disk()[..(1 << 20) + 100].to_vec(), "whole number of sectors")]
    fn what_is_no_disk_is_refused(#[case] bytes: Vec<u8>, #[case] words: &str) {
        let (_dir, root) = scratch();
        let image = root.join("thing.img");
        fs::write(&image, bytes).unwrap();
        let error = unpack_image(&image, "image", &root.join("out.img"), &Reporter::silent());
        let message = error.unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
        assert!(!root.join("out.img").exists());
    }
}
