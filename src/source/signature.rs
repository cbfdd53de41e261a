//! Whether a publisher's signature is right.

use std::fs;

use camino::Utf8Path;

use super::armor::keyring;
use super::{Sha256, SourceError};
use crate::tool::{Call, GPGV, Handover};

/// A signature that a file must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Addresses of the signature, best first.
    pub urls: Vec<String>,
    /// The keys that may have made it.
    pub keys: Keys,
    /// The one key among them that must have, as 40 or 64 hexadecimal digits in
    /// upper case.
    pub fingerprint: Option<String>,
}

/// Public keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// At hand.
    File {
        /// What people call the file.
        name: String,
        /// What is in it: a keyring, or text with keys in armour.
        bytes: Vec<u8>,
    },
    /// Published. Without a fingerprint, whoever owns the server could sign.
    Url(String),
}

/// What gpgv made of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is right; the fingerprint of the key, and what is odd about it.
    Good {
        fingerprint: String,
        remark: Option<&'static str>,
    },
    /// It is not, because of this.
    Bad(String),
}

impl Signature {
    /// Names this demand on the file of this digest, to remember that it was
    /// met.
    pub(super) fn key_of_note(&self, file: &Sha256) -> String {
        let keys = match &self.keys {
            Keys::File { bytes, .. } => Sha256::of(bytes).to_string(),
            Keys::Url(url) => url.clone(),
        };
        let fingerprint = self.fingerprint.as_deref().unwrap_or_default();
        let text = format!("{file}\n{keys}\n{fingerprint}");
        format!("signed-{}", Sha256::of(text.as_bytes()))
    }

    /// Judges the signature of the file at `data`.
    pub(super) fn judge(
        &self,
        gpgv: Call,
        keys: &[u8],
        signature: &[u8],
        data: &Utf8Path,
    ) -> Result<Verdict, SourceError> {
        let ring = match keyring(keys) {
            Ok(ring) => ring,
            Err(reason) => return Ok(Verdict::Bad(format!("{} {reason}", self.keys_name()))),
        };
        let dir = Handover::new().map_err(SourceError::io("making", "a directory".into()))?;
        let place = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).map_err(SourceError::io("writing", &path))?;
            Ok(path)
        };
        let ring = place("keys", &ring)?;
        let signature = place("signature", signature)?;
        let output = gpgv
            .args(["--status-fd", "1", "--homedir", dir.path().as_str()])
            .args(["--keyring", ring.as_str(), "--"])
            .args([signature.as_str(), data.as_str()])
            .run()
            .map_err(|error| SourceError::Tool(Box::new(error)))?;
        let verdict = verdict(&output.stdout_text(), self.fingerprint.as_deref());
        Ok(verdict.unwrap_or_else(|| Verdict::Bad("gpgv found no signature in it".to_owned())))
    }

    /// What people call the keys.
    pub(super) fn keys_name(&self) -> &str {
        match &self.keys {
            Keys::File { name, .. } => name,
            Keys::Url(url) => url,
        }
    }
}

/// What the status lines of gpgv say (GnuPG's doc/DETAILS, "Format of the
/// --status-fd output"); none if they speak of no signature.
fn verdict(status: &str, wanted: Option<&str>) -> Option<Verdict> {
    let mut found = None;
    let mut remark = None;
    for line in status.lines() {
        let Some(words) = line.strip_prefix("[GNUPG:] ") else {
            continue;
        };
        let mut words = words.split(' ');
        let word = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        let whose = || rest.get(1..).unwrap_or_default().join(" ");
        match word {
            // Each signature begins with this; what was odd about the last is over.
            "NEWSIG" => remark = None,
            "BADSIG" => {
                return Some(Verdict::Bad(format!(
                    "the signature of {} is of other bytes",
                    whose()
                )));
            }
            "REVKEYSIG" => {
                return Some(Verdict::Bad(format!(
                    "the key of {} has been revoked",
                    whose()
                )));
            }
            "EXPSIG" => return Some(Verdict::Bad("the signature has expired".to_owned())),
            "EXPKEYSIG" => remark = Some("the key has expired since"),
            "VALIDSIG" => {
                let fingerprint = rest.first().copied().unwrap_or_default();
                // The last word is the primary key's, of which this may be a subkey.
                let primary = rest.last().copied().unwrap_or_default();
                if wanted.is_none_or(|wanted| wanted == fingerprint || wanted == primary) {
                    return Some(Verdict::Good {
                        fingerprint: primary.to_owned(),
                        remark,
                    });
                }
                found = Some(Verdict::Bad(format!(
                    "it is signed by {primary}, and not by the key that the recipe names"
                )));
            }
            "NO_PUBKEY" => {
                let key = rest.first().copied().unwrap_or_default();
                found.get_or_insert(Verdict::Bad(format!(
                    "it is signed by the key {key}, which is not among those of the recipe"
                )));
            }
            "NODATA" => {
                found.get_or_insert(Verdict::Bad("there is no signature in it".to_owned()));
            }
            _ => {}
        }
    }
    found
}

/// A call of gpgv; none if it is not on this machine.
pub(super) fn gpgv() -> Option<Call> {
    GPGV.call().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const PRIMARY: &str = "1A8103F6C31DAA7C8F5D43AD273180B824AC365B";
    const SUBKEY: &str = "BB8103F6C31DAA7C8F5D43AD273180B824AC365B";

    fn valid() -> String {
        format!("[GNUPG:] VALIDSIG {SUBKEY} 2026-11-26 1795693238 0 4 0 22 8 00 {PRIMARY}\n")
    }

    #[rstest]
    #[case::good("[GNUPG:] GOODSIG 24AC365B Me\n", None, Some(None))]
    #[case::subkey("", Some(SUBKEY), Some(None))]
    #[case::primary("", Some(PRIMARY), Some(None))]
    #[case::another("", Some("00"), None)]
    #[case::old(
        "[GNUPG:] EXPKEYSIG 24AC365B Me\n",
        None,
        Some(Some("the key has expired since"))
    )]
    #[case::revoked("[GNUPG:] REVKEYSIG 24AC365B Me\n", None, None)]
    #[case::expired("[GNUPG:] EXPSIG 24AC365B Me\n", None, None)]
    #[case::bad("[GNUPG:] BADSIG 24AC365B Me\n", None, None)]
    #[case::second(
        "[GNUPG:] ERRSIG 1 2\n[GNUPG:] NO_PUBKEY 1\n[GNUPG:] NEWSIG\n",
        None,
        Some(None)
    )]
    fn status_lines_are_understood(
        #[case] before: &str,
        #[case] wanted: Option<&str>,
        #[case] good: Option<Option<&str>>,
    ) {
        let status = format!("[GNUPG:] NEWSIG\n{before}{}", valid());
        match verdict(&status, wanted).unwrap() {
            Verdict::Good {
                fingerprint,
                remark,
            } => {
                assert_eq!(fingerprint, PRIMARY);
                assert_eq!(Some(remark), good);
            }
            Verdict::Bad(reason) => assert_eq!(good, None, "{reason}"),
        }
    }

    #[test]
    fn no_signature_is_no_verdict() {
        assert_eq!(verdict("", None), None);
        let unknown = "[GNUPG:] NEWSIG\n[GNUPG:] NO_PUBKEY 273180B824AC365B\n";
        assert!(matches!(
            verdict(unknown, None),
            Some(Verdict::Bad(reason)) if reason.contains("273180B824AC365B")
        ));
    }
}
