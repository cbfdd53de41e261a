//! The binary form of a public key.

use super::KeyError;

/// Standard base64 with padding (RFC 4648).
pub(super) fn decode_base64(text: &str) -> Result<Vec<u8>, &'static str> {
    if !text.len().is_multiple_of(4) {
        return Err("its length is not a multiple of four, as if the end were missing");
    }
    let digits = text.trim_end_matches('=');
    if text.len() - digits.len() > 2 {
        return Err("it has more than two = at its end");
    }
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut held) = (0u32, 0);
    for c in digits.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err("it has a character that does not belong there"),
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    Ok(bytes)
}

/// Fields of a key blob: strings with their length in front (RFC 4251,
/// section 5).
struct Wire<'a> {
    kind: &'static str,
    rest: &'a [u8],
}

impl<'a> Wire<'a> {
    fn damaged(&self, reason: &'static str) -> KeyError {
        KeyError::Damaged {
            kind: self.kind.to_owned(),
            reason,
        }
    }

    fn string(&mut self) -> Result<&'a [u8], KeyError> {
        let short = self.damaged("it ends too early");
        let Some((len, rest)) = self.rest.split_first_chunk::<4>() else {
            return Err(short);
        };
        let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
        match rest.split_at_checked(len) {
            Some((field, rest)) => {
                self.rest = rest;
                Ok(field)
            }
            None => Err(short),
        }
    }

    fn sized(&mut self, len: usize) -> Result<(), KeyError> {
        match self.string()?.len() == len {
            true => Ok(()),
            false => Err(self.damaged("a part of it has the wrong length")),
        }
    }

    /// A curve's name and a point on it, uncompressed (RFC 5656, section 3.1).
    fn point(&mut self, curve: &str, len: usize) -> Result<(), KeyError> {
        if self.string()? != curve.as_bytes() {
            return Err(self.damaged("it names another curve"));
        }
        self.sized(len)
    }
}

/// Checks that `bytes` are one key of this type and nothing else.
pub(super) fn check_blob(kind: &'static str, bytes: &[u8]) -> Result<(), KeyError> {
    let mut wire = Wire { kind, rest: bytes };
    if wire.string()? != kind.as_bytes() {
        return Err(wire.damaged("inside it says it is of another type"));
    }
    match kind {
        "ssh-ed25519" => wire.sized(32)?,
        "ecdsa-sha2-nistp256" => wire.point("nistp256", 65)?,
        "ecdsa-sha2-nistp384" => wire.point("nistp384", 97)?,
        "ecdsa-sha2-nistp521" => wire.point("nistp521", 133)?,
        "sk-ssh-ed25519@openssh.com" => {
            wire.sized(32)?;
            wire.string()?;
        }
        "sk-ecdsa-sha2-nistp256@openssh.com" => {
            wire.point("nistp256", 65)?;
            wire.string()?;
        }
        _ => {
            wire.string()?;
            let modulus = wire.string()?;
            let digits: &[u8] = match modulus {
                [0, digits @ ..] => digits,
                digits => digits,
            };
            let leading = digits
                .first()
                .map_or(0, |byte| byte.leading_zeros() as usize);
            let bits = digits.len() * 8 - leading;
            if bits < 1024 {
                return Err(KeyError::ShortRsa(bits));
            }
        }
    }
    if wire.rest.is_empty() {
        Ok(())
    } else {
        Err(wire.damaged("something follows it"))
    }
}
