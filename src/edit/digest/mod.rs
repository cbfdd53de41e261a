//! The canonical digest of edits, for cache keys.
//!
//! Edits are written as bytes and hashed with SHA-256. The encoding, version 1:
//!
//! - an integer is 8 bytes, little-endian; a boolean or tag is one byte;
//! - text and bytes are their length as an integer, then themselves;
//! - a list is its length as an integer, then its items;
//! - an edit is its tag, then all of its fields in the order below.
//!
//! Lengths come ahead of what they measure and tags tell what follows, so no
//! two different lists have the same encoding. Secret content is part of it.

use sha2::{Digest, Sha256};

use super::text::CmdlineEdit;
use super::{Content, Edit, Edits, Mode, Owner, TextEdit, Unpack};

/// Begins every encoding. A change of the encoding changes the version, and
/// with it every cache key.
const DOMAIN: &str = "pidoop edits 1";

/// SHA-256 over the canonical encoding of `edits`, in order.
pub fn digest(edits: &[Edit]) -> [u8; 32] {
    let mut encoder = Encoder::new();
    encoder.edits(edits);
    encoder.finish()
}

impl Edits {
    /// SHA-256 over the canonical encoding of both lists.
    pub fn digest(&self) -> [u8; 32] {
        let Self { boot, root } = self;
        let mut encoder = Encoder::new();
        encoder.edits(boot);
        encoder.edits(root);
        encoder.finish()
    }
}

/// Writes the encoding into the hash. Every pattern names all fields, so a
/// new field cannot be forgotten here.
struct Encoder(Sha256);

impl Encoder {
    fn new() -> Self {
        let mut encoder = Self(Sha256::new());
        encoder.text(DOMAIN);
        encoder
    }

    fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    fn edits(&mut self, edits: &[Edit]) {
        self.length(edits.len());
        for edit in edits {
            self.edit(edit);
        }
    }

    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::MakeDir { path, owner, mode } => {
                self.tag(1).text(path.as_str()).owner(*owner).mode(*mode);
            }
            Edit::PutFile {
                path,
                content,
                owner,
                mode,
            } => {
                self.tag(2)
                    .text(path.as_str())
                    .content(content)
                    .owner(*owner)
                    .mode(*mode);
            }
            Edit::Symlink { path, target } => {
                self.tag(3).text(path.as_str()).text(target);
            }
            Edit::Remove { path } => {
                self.tag(4).text(path.as_str());
            }
            Edit::EditText { path, edit } => {
                self.tag(5).text(path.as_str()).text_edit(edit);
            }
            Edit::CopyTree {
                from,
                to,
                owner,
                mode,
            } => {
                self.tag(6)
                    .text(from.as_str())
                    .text(to.as_str())
                    .owner(*owner)
                    .mode(*mode);
            }
            Edit::UnpackTree {
                archive,
                into,
                unpack,
            } => {
                let Unpack { strip, drop, owner } = unpack;
                self.tag(7).text(&archive.0).text(into.as_str());
                self.length(*strip).list(drop).owner(*owner);
            }
        }
    }

    fn text_edit(&mut self, edit: &TextEdit) {
        match edit {
            TextEdit::SetEntry { key, line, secret } => {
                self.tag(1).text(key).text(line).flag(*secret);
            }
            TextEdit::RemoveEntry { key } => {
                self.tag(2).text(key);
            }
            TextEdit::AddMember { group, user } => {
                self.tag(3).text(group).text(user);
            }
            TextEdit::RemoveMember { user } => {
                self.tag(4).text(user);
            }
            TextEdit::Cmdline(CmdlineEdit::Ensure(token)) => {
                self.tag(5).text(token);
            }
            TextEdit::Cmdline(CmdlineEdit::Set { key, value }) => {
                self.tag(6).text(key).text(value);
            }
            TextEdit::Cmdline(CmdlineEdit::Remove(token)) => {
                self.tag(7).text(token);
            }
            TextEdit::ConfigLine { line } => {
                self.tag(8).text(line);
            }
            TextEdit::EnsureLine { line } => {
                self.tag(9).text(line);
            }
            TextEdit::RemoveLines { prefixes } => {
                self.tag(10).list(prefixes);
            }
            TextEdit::ReplaceWord { from, to } => {
                self.tag(11).text(from).text(to);
            }
            TextEdit::FstabOptions {
                mount_point,
                add,
                remove,
            } => {
                self.tag(12).text(mount_point).list(add).list(remove);
            }
        }
    }

    fn tag(&mut self, tag: u8) -> &mut Self {
        self.0.update([tag]);
        self
    }

    fn flag(&mut self, flag: bool) -> &mut Self {
        self.tag(u8::from(flag))
    }

    fn integer(&mut self, value: u64) -> &mut Self {
        self.0.update(value.to_le_bytes());
        self
    }

    fn length(&mut self, length: usize) -> &mut Self {
        self.integer(length as u64)
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.length(bytes.len());
        self.0.update(bytes);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    fn list(&mut self, items: &[String]) -> &mut Self {
        self.length(items.len());
        for item in items {
            self.text(item);
        }
        self
    }

    fn content(&mut self, content: &Content) -> &mut Self {
        self.flag(content.is_secret()).bytes(content.bytes())
    }

    fn owner(&mut self, owner: Owner) -> &mut Self {
        let Owner { uid, gid } = owner;
        self.integer(u64::from(uid)).integer(u64::from(gid))
    }

    fn mode(&mut self, mode: Mode) -> &mut Self {
        self.integer(u64::from(mode.bits()))
    }
}

#[cfg(test)]
mod tests;
