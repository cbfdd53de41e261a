//! The secret of a Wi-Fi network.

use std::fmt;

use thiserror::Error;

/// Lengths a passphrase may have (IEEE 802.11, annex J.4).
const LENGTHS: std::ops::RangeInclusive<usize> = 8..=63;

/// Hex digits of a key, which is what a passphrase becomes.
const KEY_DIGITS: usize = 64;

/// Why a text is no passphrase; none of them repeats it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PassphraseError {
    /// Nothing there.
    #[error("there is no passphrase in it")]
    Empty,
    /// Several lines.
    #[error("a passphrase is one line, and this has more")]
    Lines,
    /// Too short or too long.
    #[error("a passphrase has 8 to 63 characters, or is a key of 64 hex digits; this has {0}")]
    Length(usize),
    /// Letters that are not in ASCII, or no letters at all.
    #[error(
        "a passphrase has only characters of ASCII; what another letter means, access points do not agree on"
    )]
    Characters,
}

/// A passphrase, or the key that is made from one and the network's name.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(String);

impl Passphrase {
    /// Reads the text of a passphrase file. The end of its line is not part of
    /// it; blanks are.
    ///
    /// # Errors
    /// A [`PassphraseError`].
    pub fn from_text(text: &str) -> Result<Self, PassphraseError> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Err(PassphraseError::Empty);
        }
        if line.contains(['\n', '\r']) {
            return Err(PassphraseError::Lines);
        }
        if !line.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(PassphraseError::Characters);
        }
        let passphrase = Self(line.to_owned());
        if LENGTHS.contains(&line.len()) || passphrase.is_key() {
            Ok(passphrase)
        } else {
            Err(PassphraseError::Length(line.len()))
        }
    }

    /// The text, for a secret file and nowhere else.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }

    /// Whether this is the key itself.
    pub(super) fn is_key(&self) -> bool {
        self.0.len() == KEY_DIGITS && self.0.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("eight888", false)]
    #[case(" with blanks ", false)]
    #[case("back\\slash \"quote\" #;=", false)]
    #[case(
        "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCD",
        true
    )]
    #[case(
        "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABC",
        false
    )]
    fn right_ones_come_back_as_they_were(#[case] text: &str, #[case] key: bool) {
        for end in ["", "\n", "\r\n"] {
            let passphrase = Passphrase::from_text(&format!("{text}{end}")).unwrap();
            assert_eq!((passphrase.secret(), passphrase.is_key()), (text, key));
            assert!(!format!("{passphrase:?}").contains(text));
        }
    }

    #[rstest]
    #[case("", "no passphrase")]
    #[case("\n", "no passphrase")]
    #[case("seven77\n", "this has 7")]
    #[case(
        "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCg",
        "this has 64"
    )]
    #[case(
        "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCDE",
        "this has 65"
    )]
    #[case("eight888\nnine99999\n", "one line")]
    #[case("Größe888", "only characters of ASCII")]
    #[case("eight88\u{7f}", "only characters of ASCII")]
    fn others_are_refused_and_not_repeated(#[case] text: &str, #[case] words: &str) {
        let said = Passphrase::from_text(text).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
        assert!(
            text.trim().is_empty() || !said.contains(text.trim()),
            "{said}"
        );
    }
}
