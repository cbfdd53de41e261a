//! Where an input can be had.

use serde::Serialize;

use super::{Arch, ImageList};

/// One file for one architecture, at one or more addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecipeSource {
    /// What the file is for.
    pub arch: Arch,
    /// Version of this file where it is not the recipe's.
    pub version: Option<String>,
    /// Addresses of the same bytes, tried in order; none where `list` says.
    pub urls: Vec<String>,
    /// A list that says which file is the newest, and where it is.
    pub list: Option<ImageList>,
    /// SHA-256 of the file as it is downloaded, lower-case hex.
    pub sha256: Option<String>,
    /// SHA-512 of the file as it is downloaded, lower-case hex.
    pub sha512: Option<String>,
    /// Length in bytes as it is downloaded.
    pub size: Option<u64>,
    /// A digest published beside the file. Where the recipe has a digest of its
    /// own, that one decides.
    pub sidecar: Option<Sidecar>,
    /// A signature published beside the file, which it must have besides its
    /// digest.
    pub signature: Option<SignatureRule>,
    /// For a compressed base image, SHA-256 of the image itself.
    pub unpacked_sha256: Option<String>,
}

/// A small file beside the download that holds its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sidecar {
    /// What is put behind the download's address, such as `.sha512`.
    pub suffix: String,
    /// Which digest it holds.
    pub kind: SidecarKind,
}

/// A publisher's signature of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignatureRule {
    /// What is put behind the download's address, such as `.asc`.
    pub suffix: String,
    /// Who may have signed it.
    pub key: SigningKey,
    /// The one key that must have, as hexadecimal digits in upper case.
    pub fingerprint: Option<String>,
}

/// Where the keys of a signature are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SigningKey {
    /// A file beside the recipes, such as `keys/thing.asc`.
    File(String),
    /// An address; then the fingerprint decides.
    Url(String),
}

/// Which digest a sidecar holds.
///
/// The layouts differ (coreutils: digest, two blanks, name; BSD: `SHA512 (name)
/// = digest`), and Apache's files have named another file than the one they
/// are beside. The last word of the right length is the digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SidecarKind {
    /// 64 hexadecimal digits.
    Sha256,
    /// 128 hexadecimal digits.
    Sha512,
}
