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

mod encoder;

pub(super) use encoder::Encoder;

use super::text::CmdlineEdit;
use super::{Edit, Edits, TextEdit, Unpack};

/// Begins every encoding. A change of the encoding changes the version, and
/// with it every cache key.
const DOMAIN: &str = "pidoop edits 1";

/// SHA-256 over the canonical encoding of `edits`, in order.
pub fn digest(edits: &[Edit]) -> [u8; 32] {
    let mut encoder = Encoder::new(DOMAIN);
    encoder.edits(edits);
    encoder.finish()
}

/// SHA-256 over `fields`, each behind its length: the key of something that
/// follows from them.
pub fn cache_key(fields: &[&[u8]]) -> [u8; 32] {
    let mut encoder = Encoder::bare();
    for field in fields {
        encoder.bytes(field);
    }
    encoder.finish()
}

impl Edits {
    /// SHA-256 over the canonical encoding of both lists.
    pub fn digest(&self) -> [u8; 32] {
        let Self { boot, root } = self;
        let mut encoder = Encoder::new(DOMAIN);
        encoder.edits(boot);
        encoder.edits(root);
        encoder.finish()
    }
}

/// Every pattern names all fields, so a new field cannot be forgotten here.
impl Encoder {
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
}

#[cfg(test)]
mod tests;
