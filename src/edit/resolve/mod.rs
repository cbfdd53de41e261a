//! The meaning of a list of edits.

mod draft;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
pub(super) mod walk;

use draft::Draft;
use walk::LastLink;

use super::read_tree::{below, wrong_kind};
use super::{
    ArchiveId, Archives, Changes, Edit, EditError, EntryKind, FileContent, ImagePath, Mode, Owner,
    ReadTree, Selection, StagedKind, Target, TextEdit, TreeEntry, Unpack,
};

/// The meaning of `edits`, in order, on top of `base`: what differs between
/// `base` and the tree the edits describe.
///
/// Each edit sees what those before it did. Symlinked parents are followed
/// within the image, `..` at its root leads nowhere else. A symbolic link at
/// the path itself is replaced by [`Edit::PutFile`] and [`Edit::Symlink`],
/// taken away by [`Edit::Remove`], and followed by [`Edit::MakeDir`],
/// [`Edit::EditText`], [`Edit::CopyTree`] and [`Edit::UnpackTree`].
///
/// # Errors
/// When an edit does not fit what it meets (a file where a directory must be,
/// a text edit that does not apply, a link to nowhere among the parents), when
/// an archive is missing or has unsafe names, and when `base` cannot be read.
pub fn resolve(
    edits: &[Edit],
    base: &dyn ReadTree,
    archives: &dyn Archives,
) -> Result<Changes, EditError> {
    let mut draft = Draft::new(base);
    for edit in edits {
        match edit {
            Edit::MakeDir { path, owner, mode } => {
                draft.make_dir(path, *owner, *mode, Owner::ROOT)?;
            }
            Edit::PutFile {
                path,
                content,
                owner,
                mode,
            } => {
                let content = FileContent::Inline {
                    bytes: content.bytes().to_vec(),
                    secret: content.is_secret(),
                };
                let file = Target::File {
                    content,
                    owner: *owner,
                    mode: *mode,
                };
                draft.put_leaf(path, file, Owner::ROOT)?;
            }
            Edit::Symlink { path, target } => {
                draft.put_leaf(path, symlink(path, target)?, Owner::ROOT)?;
            }
            Edit::Remove { path } => draft.remove(path)?,
            Edit::EditText { path, edit } => edit_text(&mut draft, path, edit)?,
            Edit::CopyTree {
                from,
                to,
                owner,
                mode,
            } => copy_tree(&mut draft, from, to, *owner, *mode)?,
            Edit::UnpackTree {
                archive,
                into,
                unpack,
            } => unpack_tree(&mut draft, archives, archive, into, unpack)?,
        }
    }
    draft.finish()
}

/// A link target that filesystems and `debugfs` scripts can hold.
fn symlink(path: &ImagePath, target: &str) -> Result<Target, EditError> {
    let reason = if target.is_empty() {
        "its target is empty"
    } else if target.chars().any(|c| c.is_control() || c == '"') {
        "its target has a control character or a double quote"
    } else {
        return Ok(Target::Symlink {
            target: target.to_owned(),
        });
    };
    Err(EditError::Link {
        path: path.clone(),
        reason: reason.to_owned(),
    })
}

fn edit_text(draft: &mut Draft<'_>, path: &ImagePath, edit: &TextEdit) -> Result<(), EditError> {
    let place = draft.place(path, LastLink::Follow)?;
    let Some(entry) = place.entry else {
        return Err(EditError::Missing { path: path.clone() });
    };
    if !matches!(entry.kind, EntryKind::File { .. }) {
        return Err(wrong_kind(&place.path, &entry, "a text file"));
    }
    let does_not_fit = |reason: String| EditError::Text {
        path: place.path.clone(),
        reason,
    };
    let FileContent::Inline { bytes, secret } = draft.content(&place.path, &entry)? else {
        return Err(does_not_fit(
            "it comes from an archive, whose files cannot be edited".to_owned(),
        ));
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        does_not_fit(format!(
            "it is not UTF-8 text from byte {} on",
            error.valid_up_to()
        ))
    })?;
    let text = edit.apply(text).map_err(does_not_fit)?;
    let file = Target::File {
        content: FileContent::Inline {
            bytes: text.into_bytes(),
            secret: secret || edit.is_secret() || !entry.mode.is_world_readable(),
        },
        owner: entry.owner,
        mode: entry.mode,
    };
    draft.replace(place.path, file);
    Ok(())
}

fn copy_tree(
    draft: &mut Draft<'_>,
    from: &ImagePath,
    to: &ImagePath,
    owner: Owner,
    mode: Mode,
) -> Result<(), EditError> {
    let source = draft.place(from, LastLink::Follow)?;
    match &source.entry {
        None => return Err(EditError::Missing { path: from.clone() }),
        Some(entry) if entry.kind == EntryKind::Dir => {}
        Some(entry) => return Err(wrong_kind(&source.path, entry, "a directory")),
    }
    let copy = draft.place(to, LastLink::Follow)?.path;
    if copy.is_within(&source.path) {
        return Err(EditError::Copy {
            from: from.clone(),
            to: to.clone(),
            reason: "the copy would lie in what is copied".to_owned(),
        });
    }
    // Taken down before anything is put, so that the copy cannot change what
    // is still to be copied.
    let mut members = Vec::new();
    list_tree(draft, &source.path, "", owner, &mut members)?;

    let copy = draft.make_dir(to, owner, mode, Owner::ROOT)?;
    for (name, target) in members {
        put_member(draft, &below(&copy, &name)?, target, owner)?;
    }
    Ok(())
}

/// Everything below `dir`, parents first, as targets for `owner`; names are
/// relative to the directory that is copied.
fn list_tree(
    draft: &Draft<'_>,
    dir: &ImagePath,
    prefix: &str,
    owner: Owner,
    members: &mut Vec<(String, Target)>,
) -> Result<(), EditError> {
    for name in draft.children(dir)? {
        let path = below(dir, &name)?;
        let relative = format!("{prefix}{name}");
        let Some(entry) = draft.look(&path)? else {
            continue;
        };
        let TreeEntry { kind, mode, .. } = &entry;
        let mode = *mode;
        match kind {
            EntryKind::Dir => {
                members.push((relative.clone(), Target::Dir { owner, mode }));
                list_tree(draft, &path, &(relative + "/"), owner, members)?;
            }
            EntryKind::File { .. } => {
                let content = draft.content(&path, &entry)?;
                let file = Target::File {
                    content,
                    owner,
                    mode,
                };
                members.push((relative, file));
            }
            EntryKind::Symlink { target } => {
                members.push((relative, symlink(&path, target)?));
            }
            EntryKind::Special => {
                return Err(wrong_kind(
                    &path,
                    &entry,
                    "something that can be copied: a file, a directory or a symbolic link",
                ));
            }
        }
    }
    Ok(())
}

fn unpack_tree(
    draft: &mut Draft<'_>,
    archives: &dyn Archives,
    archive: &ArchiveId,
    into: &ImagePath,
    unpack: &Unpack,
) -> Result<(), EditError> {
    let unsafe_member = |reason: String| EditError::Unpack {
        into: into.clone(),
        reason,
    };
    let selection = Selection::new(unpack.strip, &unpack.drop).map_err(unsafe_member)?;
    let mut members = Vec::new();
    for member in archives.members(archive)? {
        let name = selection.name_of(&member.name).map_err(unsafe_member)?;
        members.extend(name.map(|name| (name, member)));
    }

    let root = draft.place(into, LastLink::Follow)?;
    let into = match root.entry {
        Some(entry) => draft.make_dir(into, entry.owner, entry.mode, Owner::ROOT)?,
        None => draft.make_dir(into, Owner::ROOT, Mode::EXECUTABLE, Owner::ROOT)?,
    };
    let owner = unpack.owner;
    for (name, member) in members {
        let path = into
            .join(&name)
            .map_err(|error| unsafe_member(error.to_string()))?;
        let mode = member.mode;
        let target = match &member.kind {
            StagedKind::Dir => Target::Dir { owner, mode },
            StagedKind::File { host, len, sha256 } => Target::File {
                content: FileContent::Staged {
                    host: host.clone(),
                    len: *len,
                    sha256: *sha256,
                },
                owner,
                mode,
            },
            StagedKind::LeftOut { .. } => {
                return Err(unsafe_member(format!(
                    "the content of {:?} was left out when the archive was read",
                    member.name
                )));
            }
            StagedKind::Symlink { target } => symlink(&path, target)?,
        };
        put_member(draft, &path, target, owner)?;
    }
    Ok(())
}

/// Puts one member of a copied or unpacked tree; parents that the tree does
/// not list belong to the owner of the rest.
fn put_member(
    draft: &mut Draft<'_>,
    path: &ImagePath,
    target: Target,
    owner: Owner,
) -> Result<(), EditError> {
    match target {
        Target::Dir { mode, .. } => draft.make_dir(path, owner, mode, owner).map(drop),
        leaf => draft.put_leaf(path, leaf, owner),
    }
}
