//! Inputs: found, verified, cached, opened.
//!
//! A [`Request`] says what is wanted and where it may be; a [`Fetcher`] gets it
//! from disk, from the [`Cache`], from a [`Mirror`] or from the network and
//! returns it only with the right digest. A [`RawBase`] is a base image unpacked,
//! [`stage`] turns an archive into files that edits can unpack, and [`inspect_java`]
//! and [`inspect_hadoop`] look into the two archives every build needs.
//!
//! Whatever is kept appears under its final name by one rename when it is
//! complete, so a killed or failed run leaves nothing that looks finished.

mod archive;
mod armor;
mod blob;
mod cache;
mod certificates;
mod decompress;
mod digest;
mod download;
pub mod elf;
mod error;
mod failure;
mod fetch;
mod files;
mod format;
mod hadoop;
mod http;
mod image;
mod jar;
mod java;
mod kind;
mod local;
mod location;
mod mirror;
mod mismatch;
mod pace;
mod partial;
mod proxy;
mod publisher;
mod raw_base;
mod read_ahead;
mod redirect;
mod request;
mod retry;
mod sidecar;
mod signature;
mod sparse;
#[cfg(test)]
mod testing;
mod workroom;

pub use archive::{KnownArchive, LooksInto, Needed, StagedArchive, StagedArchives, recall, stage};
pub use cache::Cache;
pub use digest::{Algorithm, Digest, Digester, Digests, Hashing, Sha256, digest_file};
pub use error::{Attempt, SourceError};
pub use fetch::Fetcher;
pub use format::Format;
pub use hadoop::{HadoopArchive, hadoop_looks_into, inspect_hadoop, recall_hadoop};
pub use http::HttpOptions;
pub use image::{UnpackedImage, unpack_image};
pub use java::{JavaArchive, inspect_java, java_looks_into, recall_java};
pub use local::FileIdentity;
pub use location::Location;
pub use mirror::Mirror;
pub use mismatch::check_image;
pub use proxy::Proxies;
pub use publisher::Document;
pub use raw_base::RawBase;
pub use request::{Obtained, Request, Sidecar};
pub use sidecar::digest_for;
pub use signature::{Keys, Signature};
pub use workroom::Workroom;
