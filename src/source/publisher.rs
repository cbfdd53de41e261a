//! Small files of a publisher: checksums, signatures, lists.

use camino::Utf8Path;

use super::error::Attempt;
use super::failure::Failure;
use super::location::{file_name_in, without_password};
use super::mirror::Held;
use super::sidecar::digest_for;
use super::signature::{Keys, Verdict, gpgv};
use super::{Digest, Fetcher, Request, Sha256, Signature, SourceError};
use crate::progress::Reporter;

/// Most that a small file may have: the keys of all who ever signed a release
/// of a large project are a few MiB.
const MOST: u64 = 16 << 20;

/// Something of a publisher's, or in words why nobody gave it; outside that,
/// what this machine could not do.
pub(super) type Answered<T> = Result<Result<T, String>, SourceError>;

/// Keys and a signature, as files.
type KeysAndSignature = (Vec<u8>, Vec<u8>);

/// What stands in a small file, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where they came from, for people.
    pub place: String,
}

impl Fetcher {
    /// The small file that is published at any of `urls`, from a mirror or from
    /// there. The inner error tells who did not give it, and why.
    ///
    /// # Errors
    /// What this machine could not do.
    pub fn document(
        &self,
        urls: &[String],
        reporter: &Reporter,
    ) -> Result<Result<Document, Vec<Attempt>>, SourceError> {
        let published = urls.iter().map(|url| Held::Url(url.clone()));
        let places = self
            .copies(urls.iter().map(String::as_str))
            .into_iter()
            .chain(published.filter(|_| !self.offline));
        let mut attempts = Vec::new();
        for place in places {
            let found = match &place {
                Held::File(path) => {
                    std::fs::read(path).map_err(|error| Failure::lasting(error.to_string()))
                }
                Held::Url(url) => self.client.bytes(url, MOST, reporter),
            };
            match found {
                Ok(bytes) => {
                    return Ok(Ok(Document {
                        bytes,
                        place: place.to_string(),
                    }));
                }
                Err(Failure::Remote { reason, .. }) => attempts.push(Attempt {
                    place: place.to_string(),
                    reason,
                }),
                Err(Failure::Local(error)) => return Err(error),
            }
        }
        if self.offline {
            attempts.extend(urls.iter().map(|url| Attempt {
                place: without_password(url),
                reason: "it is in no mirror directory, and this is offline".to_owned(),
            }));
        }
        Ok(Err(attempts))
    }

    /// What a file has to be: as the request says, or else the publisher's
    /// checksum file. The inner error says why that could not be had.
    pub(super) fn expected(
        &self,
        request: &Request,
        reporter: &Reporter,
    ) -> Answered<Option<Digest>> {
        let (None, Some(sidecar)) = (request.digest, &request.sidecar) else {
            return Ok(Ok(request.digest));
        };
        let name = request.urls().next().map(file_name_in).unwrap_or_default();
        let mut reasons = Vec::new();
        // One after the other: a file that is there may be no checksum file.
        for url in &sidecar.urls {
            match self.document(std::slice::from_ref(url), reporter)? {
                Ok(Document { bytes, place }) => {
                    let text = String::from_utf8_lossy(&bytes);
                    match digest_for(&text, sidecar.algorithm, &name, &place) {
                        Ok(digest) => return Ok(Ok(Some(digest))),
                        Err(error) => reasons.push(error.to_string()),
                    }
                }
                Err(attempts) => reasons.push(in_words(&attempts)),
            }
        }
        Ok(Err(format!(
            "it was not fetched, for its published checksum is missing ({}); if you have it from \
             elsewhere, give it as sha256",
            reasons.join("; ")
        )))
    }

    /// Checks the signature that a request wants of the file at `data`, unless
    /// that was done before. The inner error says what is wrong with it.
    ///
    /// Where it cannot be checked, because gpgv is not here or this is offline,
    /// that is said and the digest decides alone.
    pub(super) fn check_signature(
        &self,
        request: &Request,
        sha256: &Sha256,
        data: &Utf8Path,
        reporter: &Reporter,
    ) -> Answered<()> {
        let Some(signature) = &request.signature else {
            return Ok(Ok(()));
        };
        let note = signature.key_of_note(sha256);
        if self.cache.note::<String>(&note)?.is_some() {
            return Ok(Ok(()));
        }
        let by_digest = |why: &str| {
            reporter.note(format!(
                "{}: its signature was not checked, because {why}; its digest was",
                request.name
            ));
            Ok(Ok(()))
        };
        let Some(gpgv) = gpgv() else {
            return by_digest("gpgv is not on this machine (apt install gpgv)");
        };
        let (keys, signed) = match self.what_to_check_with(signature, reporter)? {
            Ok(found) => found,
            Err(_) if self.offline => return by_digest("this is offline"),
            Err(reason) => return Ok(Err(reason)),
        };
        match signature.judge(gpgv, &keys, &signed, data)? {
            Verdict::Bad(reason) => Ok(Err(format!(
                "its signature is not right: {reason} (keys: {})",
                signature.keys_name()
            ))),
            Verdict::Good {
                fingerprint,
                remark,
            } => {
                let remark = remark.map(|remark| format!(" ({remark})"));
                reporter.note(format!(
                    "{}: signed by {fingerprint}{}",
                    request.name,
                    remark.unwrap_or_default()
                ));
                self.cache.keep_note(&note, &fingerprint)?;
                Ok(Ok(()))
            }
        }
    }

    /// The keys and the signature, or why one of them could not be had.
    fn what_to_check_with(
        &self,
        signature: &Signature,
        reporter: &Reporter,
    ) -> Answered<KeysAndSignature> {
        let keys = match &signature.keys {
            Keys::File { bytes, .. } => bytes.clone(),
            Keys::Url(url) => match self.document(std::slice::from_ref(url), reporter)? {
                Ok(found) => found.bytes,
                Err(attempts) => {
                    let reasons = in_words(&attempts);
                    return Ok(Err(format!("its keys could not be had ({reasons})")));
                }
            },
        };
        match self.document(&signature.urls, reporter)? {
            Ok(found) => Ok(Ok((keys, found.bytes))),
            Err(attempts) => {
                let reasons = in_words(&attempts);
                Ok(Err(format!("its signature could not be had ({reasons})")))
            }
        }
    }
}

fn in_words(attempts: &[Attempt]) -> String {
    let words: Vec<String> = attempts
        .iter()
        .map(|attempt| format!("{}: {}", attempt.place, attempt.reason))
        .collect();
    words.join("; ")
}
