//! Edits of one node, as its concerns write them down.

use super::{NodeError, Profile};
use crate::edit::{Content, Edit, Edits, ImagePath, Mode, Owner, TextEdit};

/// Directory of the units and links an administrator makes (systemd.unit(5)).
const ADMIN_UNITS: &str = "/etc/systemd/system";

/// Collects edits by literal paths. The first text that is no path is kept and
/// told at the end.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    profile: &'a Profile,
    edits: Edits,
    error: Option<NodeError>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(profile: &'a Profile) -> Self {
        Self {
            profile,
            edits: Edits::default(),
            error: None,
        }
    }

    /// All edits.
    pub(super) fn finish(self) -> Result<Edits, NodeError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.edits),
        }
    }

    /// Calls `make` with the checked path, unless it is none.
    fn with(&mut self, path: &str, make: impl FnOnce(ImagePath) -> Edit) -> &mut Self {
        match ImagePath::new(path) {
            Ok(path) => self.edits.root.push(make(path)),
            Err(error) => {
                self.error.get_or_insert(NodeError::Path(error));
            }
        }
        self
    }

    /// A directory.
    pub(super) fn dir(&mut self, path: &str, owner: Owner, mode: Mode) -> &mut Self {
        self.with(path, |path| Edit::MakeDir { path, owner, mode })
    }

    /// A text file of root that all may read.
    pub(super) fn file(&mut self, path: &str, text: impl Into<String>) -> &mut Self {
        self.content(path, Content::text(text), Owner::ROOT, Mode::FILE)
    }

    /// A file.
    pub(super) fn content(
        &mut self,
        path: &str,
        content: Content,
        owner: Owner,
        mode: Mode,
    ) -> &mut Self {
        self.with(path, |path| Edit::PutFile {
            path,
            content,
            owner,
            mode,
        })
    }

    /// A symbolic link.
    pub(super) fn link(&mut self, path: &str, target: &str) -> &mut Self {
        let target = target.to_owned();
        self.with(path, |path| Edit::Symlink { path, target })
    }

    /// Nothing at the path nor below.
    pub(super) fn remove(&mut self, path: &str) -> &mut Self {
        self.with(path, |path| Edit::Remove { path })
    }

    /// A copy of a directory.
    pub(super) fn copy(&mut self, from: &str, to: &str, owner: Owner, mode: Mode) -> &mut Self {
        match ImagePath::new(from) {
            Ok(from) => self.with(to, |to| Edit::CopyTree {
                from,
                to,
                owner,
                mode,
            }),
            Err(_) => self.with(from, |path| Edit::Remove { path }),
        }
    }

    /// A change to an existing text file of the root partition.
    pub(super) fn edit(&mut self, path: &str, edit: TextEdit) -> &mut Self {
        self.with(path, |path| Edit::EditText { path, edit })
    }

    /// A change to a file of the firmware partition, if the base has it.
    pub(super) fn boot_edit(&mut self, name: &str, edit: TextEdit) -> &mut Self {
        self.on_boot(name, |path| Edit::EditText { path, edit })
    }

    /// Nothing of this name in the firmware partition.
    pub(super) fn boot_remove(&mut self, name: &str) -> &mut Self {
        self.on_boot(name, |path| Edit::Remove { path })
    }

    /// Calls `make` with the path of a file that the base has. FAT finds it
    /// under its name in any case, and so do the scripts that look for it.
    fn on_boot(&mut self, name: &str, make: impl FnOnce(ImagePath) -> Edit) -> &mut Self {
        let mut names = self.profile.boot_files.iter();
        if let Some(there) = names.find(|there| there.eq_ignore_ascii_case(name)) {
            match ImagePath::root().join(there) {
                Ok(path) => self.edits.boot.push(make(path)),
                Err(error) => {
                    self.error.get_or_insert(NodeError::Path(error));
                }
            }
        }
        self
    }

    /// `unit` starts with `target`.
    pub(super) fn enable_in(&mut self, unit: &str, target: &str) -> &mut Self {
        let source = self.unit_path(unit);
        self.link(&format!("{ADMIN_UNITS}/{target}.wants/{unit}"), &source)
    }

    /// `unit` starts at boot, with the target units of its kind belong to.
    pub(super) fn enable(&mut self, unit: &str) -> &mut Self {
        let target = match unit.rsplit('.').next() {
            Some("timer") => "timers.target",
            Some("socket") => "sockets.target",
            Some("path") => "paths.target",
            _ => "multi-user.target",
        };
        self.enable_in(unit, target)
    }

    /// `unit` is started by nothing, presets and dependencies included.
    pub(super) fn mask(&mut self, unit: &str) -> &mut Self {
        self.link(&format!("{ADMIN_UNITS}/{unit}"), "/dev/null")
    }

    /// Masks `unit` if it is packaged.
    pub(super) fn mask_packaged(&mut self, unit: &str) -> &mut Self {
        if self.profile.has_unit(unit) {
            self.mask(unit);
        }
        self
    }

    /// A drop-in of `unit`.
    pub(super) fn drop_in(&mut self, unit: &str, text: &str) -> &mut Self {
        self.file(&format!("{ADMIN_UNITS}/{unit}.d/10-pidoop.conf"), text)
    }

    /// Where `unit` is: with the packaged ones, or among those overlays bring.
    /// `getty@tty1.service` is where `getty@.service` is.
    pub(super) fn unit_path(&self, unit: &str) -> String {
        let template = match (unit.split_once('@'), unit.rsplit_once('.')) {
            (Some((name, _)), Some((_, kind))) => format!("{name}@.{kind}"),
            _ => unit.to_owned(),
        };
        match self.profile.has_unit(&template) {
            true => format!("{}/{template}", self.profile.unit_dir),
            false => format!("{ADMIN_UNITS}/{template}"),
        }
    }
}
