//! Changes to text files, each a pure function from the old text to the new.
//!
//! Every one is idempotent: applied to its own result it changes nothing.

mod account;
mod cmdline;
mod config_txt;
mod fstab;
mod lines;
mod word;

use std::fmt;

use serde::Serialize;

/// One change to a text file.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
pub enum TextEdit {
    /// In a colon-separated account file (`passwd`, `shadow`, `group`,
    /// `gshadow`, `subuid`, `subgid`): the line whose first field is `key` is
    /// `line`; appended if there is none.
    SetEntry {
        /// First field.
        key: String,
        /// The whole line, without a line end.
        line: String,
        /// Whether the line must not be shown.
        secret: bool,
    },
    /// In an account file: no line has this first field.
    RemoveEntry {
        /// First field.
        key: String,
    },
    /// In `group` or `gshadow`: the last field of the line `group` lists
    /// `user`. A group that does not exist is left out silently: the groups of
    /// Raspberry Pi OS (`gpio`, `spi`, …) are missing on plain Debian.
    AddMember {
        /// Group name.
        group: String,
        /// User name.
        user: String,
    },
    /// In `group` or `gshadow`: no member list has this user.
    RemoveMember {
        /// User name.
        user: String,
    },
    /// In `cmdline.txt`: one change to the kernel command line, which stays
    /// one line.
    Cmdline(CmdlineEdit),
    /// In `config.txt`: `line` stands in a `[all]` section (or before any
    /// section). Inserted under a final `[all]` if it is nowhere in one.
    ConfigLine {
        /// Such as `dtoverlay=disable-wifi`.
        line: String,
    },
    /// The line stands in the file; appended if it does not.
    EnsureLine {
        /// The line, without its end.
        line: String,
    },
    /// No line whose text, after trimming, begins with one of `prefixes`
    /// remains.
    RemoveLines {
        /// Beginnings of lines.
        prefixes: Vec<String>,
    },
    /// Every occurrence of `from` as a whole word (bounded by neither letters,
    /// digits nor `_`) becomes `to`; no occurrence is no error.
    ReplaceWord {
        /// The word as it is.
        from: String,
        /// The word as it should be.
        to: String,
    },
    /// In `fstab`: the mount point's options contain `add` and not `remove`.
    /// An absent mount point is no error.
    FstabOptions {
        /// Mount point, second field.
        mount_point: String,
        /// Options to have.
        add: Vec<String>,
        /// Options not to have.
        remove: Vec<String>,
    },
}

/// One change to a kernel command line, by whole tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum CmdlineEdit {
    /// The token stands in the line; appended if it does not.
    Ensure(String),
    /// `key=value` stands in the line once, in place of any `key=…`.
    Set {
        /// Part before `=`.
        key: String,
        /// Part behind it.
        value: String,
    },
    /// No token equals this text, nor, if it ends in `*`, begins with what
    /// comes before the star.
    Remove(String),
}

/// One phrase for people; secrets stay out.
impl fmt::Display for TextEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetEntry {
                key, secret: true, ..
            } => write!(f, "set entry {key} (secret)"),
            Self::SetEntry { line, .. } => write!(f, "set entry {line}"),
            Self::RemoveEntry { key } => write!(f, "remove entry {key}"),
            Self::AddMember { group, user } => write!(f, "add {user} to group {group}"),
            Self::RemoveMember { user } => write!(f, "remove {user} from all groups"),
            Self::Cmdline(CmdlineEdit::Ensure(token)) => write!(f, "have {token}"),
            Self::Cmdline(CmdlineEdit::Set { key, value }) => write!(f, "set {key}={value}"),
            Self::Cmdline(CmdlineEdit::Remove(token)) => write!(f, "drop {token}"),
            Self::ConfigLine { line } | Self::EnsureLine { line } => write!(f, "have {line}"),
            Self::RemoveLines { prefixes } => {
                write!(f, "drop lines beginning {}", prefixes.join(" or "))
            }
            Self::ReplaceWord { from, to } => write!(f, "replace {from} by {to}"),
            Self::FstabOptions {
                mount_point,
                add,
                remove,
            } => write!(
                f,
                "mount {mount_point} with +[{}] -[{}]",
                add.join(","),
                remove.join(",")
            ),
        }
    }
}

impl fmt::Debug for TextEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextEdit({self})")
    }
}

impl TextEdit {
    /// The text after this change.
    ///
    /// # Errors
    /// A phrase saying what in `text` did not fit.
    pub fn apply(&self, text: &str) -> Result<String, String> {
        match self {
            Self::SetEntry {
                key,
                line,
                secret: _,
            } => account::set_entry(text, key, line),
            Self::RemoveEntry { key } => account::remove_entry(text, key),
            Self::AddMember { group, user } => account::add_member(text, group, user),
            Self::RemoveMember { user } => account::remove_member(text, user),
            Self::Cmdline(edit) => cmdline::apply(text, edit),
            Self::ConfigLine { line } => config_txt::ensure(text, line),
            Self::EnsureLine { line } => lines::ensure(text, line),
            Self::RemoveLines { prefixes } => lines::remove(text, prefixes),
            Self::ReplaceWord { from, to } => word::replace(text, from, to),
            Self::FstabOptions {
                mount_point,
                add,
                remove,
            } => fstab::set_options(text, mount_point, add, remove),
        }
    }

    /// Whether what this edit puts into the text must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::SetEntry { secret: true, .. })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owned(text: &str) -> String {
        text.to_owned()
    }

    /// Short texts of the characters that mean something to one of the edits.
    fn text() -> impl Strategy<Value = String> {
        "([ab1_:,#=\"\\[\\] \t./-]|\n|\r\n|all|\\[all\\]|/ |ro|root:|a=|--){0,40}"
    }

    fn word() -> impl Strategy<Value = String> {
        "[ab1=_.,:*\"/-]{0,4}"
    }

    pub(crate) fn any_text_edit() -> impl Strategy<Value = TextEdit> {
        let list = || proptest::collection::vec(word(), 0..3);
        prop_oneof![
            (word(), word(), any::<bool>()).prop_map(|(key, rest, secret)| TextEdit::SetEntry {
                line: format!("{key}:{rest}"),
                key,
                secret,
            }),
            word().prop_map(|key| TextEdit::RemoveEntry { key }),
            (word(), word()).prop_map(|(group, user)| TextEdit::AddMember { group, user }),
            word().prop_map(|user| TextEdit::RemoveMember { user }),
            word().prop_map(|token| TextEdit::Cmdline(CmdlineEdit::Ensure(token))),
            (word(), word())
                .prop_map(|(key, value)| TextEdit::Cmdline(CmdlineEdit::Set { key, value })),
            word().prop_map(|token| TextEdit::Cmdline(CmdlineEdit::Remove(token))),
            word().prop_map(|line| TextEdit::ConfigLine { line }),
            word().prop_map(|line| TextEdit::EnsureLine { line }),
            list().prop_map(|prefixes| TextEdit::RemoveLines { prefixes }),
            (word(), word()).prop_map(|(from, to)| TextEdit::ReplaceWord { from, to }),
            (prop_oneof![Just(owned("/")), word()], list(), list()).prop_map(
                |(mount_point, add, remove)| TextEdit::FstabOptions {
                    mount_point,
                    add,
                    remove
                }
            ),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn every_edit_is_idempotent(edit in any_text_edit(), text in text()) {
            if let Ok(once) = edit.apply(&text) {
                prop_assert_eq!(edit.apply(&once), Ok(once.clone()), "{} on {:?}", edit, text);
            }
        }

        #[test]
        fn a_command_line_stays_one_line(
            token in word(),
            value in word(),
            text in text(),
        ) {
            for edit in [
                CmdlineEdit::Ensure(token.clone()),
                CmdlineEdit::Set { key: token.clone(), value: value.clone() },
                CmdlineEdit::Remove(token.clone()),
            ] {
                if let Ok(line) = TextEdit::Cmdline(edit).apply(&text) {
                    prop_assert!(line.ends_with('\n'));
                    prop_assert_eq!(line.lines().count(), 1);
                    prop_assert!(!line.contains('\r'));
                }
            }
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let edit = TextEdit::SetEntry {
            key: owned("pi"),
            line: owned("pi:$6$salt$hash:20200:0:99999:7:::"),
            secret: true,
        };
        assert!(edit.is_secret());
        assert!(!format!("{edit} {edit:?}").contains("$6$"));
    }
}
