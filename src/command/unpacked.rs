//! Compressed images, unpacked for as long as they are looked at.

use std::io::{ErrorKind, Read};

use camino::{Utf8Path, Utf8PathBuf};

use super::Failure;
use super::session::Session;
use super::supply::source_failure;
use crate::cli::GlobalArgs;
use crate::source::{Format, Workroom, unpack_image};

/// A raw image: a file as it is, or one unpacked that goes away again.
#[derive(Debug)]
pub(super) enum RawImage {
    /// As it was given.
    Plain(Utf8PathBuf),
    /// Unpacked.
    Unpacked(Unpacked),
}

impl RawImage {
    /// The image that the user named, unpacked if need be.
    pub(super) fn of(image: &Utf8Path, global: &GlobalArgs) -> Result<Self, Failure> {
        match fs_err::metadata(image) {
            Ok(meta) if meta.is_dir() => {
                return Err(Failure::usage(format!(
                    "{image} is a directory, and an image is needed"
                )));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Failure::usage(format!("there is no image {image}")));
            }
            // Devices and pipes are found wanting when they are read.
            _ => {}
        }
        if format_of(image)? == Format::Plain {
            return Ok(Self::Plain(image.to_owned()));
        }
        let session = Session::open(global, false)?;
        Unpacked::of(image, &session).map(Self::Unpacked)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Utf8Path {
        match self {
            Self::Plain(path) => path,
            Self::Unpacked(unpacked) => &unpacked.path,
        }
    }
}

/// An image unpacked for as long as it is looked at.
#[derive(Debug)]
pub(super) struct Unpacked {
    path: Utf8PathBuf,
    _room: Workroom,
}

impl Unpacked {
    fn of(image: &Utf8Path, session: &Session) -> Result<Self, Failure> {
        let room = session.fetcher.cache().workroom();
        let room = room.map_err(source_failure)?;
        let path = room.path().join("image.img");
        let name = image.file_name().unwrap_or(image.as_str());
        unpack_image(image, name, &path, &session.reporter).map_err(source_failure)?;
        Ok(Self { path, _room: room })
    }
}

/// How the image is packed, by its first bytes: names lie.
fn format_of(image: &Utf8Path) -> std::io::Result<Format> {
    let mut head = Vec::new();
    fs_err::File::open(image)?
        .take(1 << 16)
        .read_to_end(&mut head)?;
    Ok(Format::of(&head))
}
