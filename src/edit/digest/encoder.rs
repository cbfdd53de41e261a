//! Values as bytes, in a hash.

use sha2::{Digest, Sha256};

use crate::edit::{Content, Mode, Owner};

/// Writes the encoding into the hash.
pub(in crate::edit) struct Encoder(Sha256);

impl Encoder {
    /// An encoding that begins with what it is one of.
    pub(in crate::edit) fn new(domain: &str) -> Self {
        let mut encoder = Self::bare();
        encoder.text(domain);
        encoder
    }

    /// One that begins with nothing.
    pub(super) fn bare() -> Self {
        Self(Sha256::new())
    }

    pub(in crate::edit) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    pub(in crate::edit) fn tag(&mut self, tag: u8) -> &mut Self {
        self.0.update([tag]);
        self
    }

    pub(in crate::edit) fn flag(&mut self, flag: bool) -> &mut Self {
        self.tag(u8::from(flag))
    }

    pub(in crate::edit) fn integer(&mut self, value: u64) -> &mut Self {
        self.0.update(value.to_le_bytes());
        self
    }

    pub(in crate::edit) fn length(&mut self, length: usize) -> &mut Self {
        self.integer(length as u64)
    }

    pub(in crate::edit) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.length(bytes.len());
        self.0.update(bytes);
        self
    }

    pub(in crate::edit) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub(in crate::edit) fn list(&mut self, items: &[String]) -> &mut Self {
        self.length(items.len());
        for item in items {
            self.text(item);
        }
        self
    }

    pub(in crate::edit) fn content(&mut self, content: &Content) -> &mut Self {
        self.flag(content.is_secret()).bytes(content.bytes())
    }

    pub(in crate::edit) fn owner(&mut self, owner: Owner) -> &mut Self {
        let Owner { uid, gid } = owner;
        self.integer(u64::from(uid)).integer(u64::from(gid))
    }

    pub(in crate::edit) fn mode(&mut self, mode: Mode) -> &mut Self {
        self.integer(u64::from(mode.bits()))
    }
}
