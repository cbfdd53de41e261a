//! What stock images do by themselves, and how each of it is switched off.
//!
//! Every release of Raspberry Pi OS undoes an offline editor's work in its own
//! way. What is to be done about it is mostly alike: a word leaves the kernel
//! command line, a file leaves the firmware partition, a unit is masked. So it
//! is a table, [`HABITS`], and little code; what needs more than the table can
//! say (the user, the network, the clock) has a file of its own in `node`.

mod table;

pub use table::HABITS;

use super::NodeInputs;
use super::draft::Draft;
use super::{Profile, Release};
use crate::edit::TextEdit;
use crate::edit::text::CmdlineEdit;

/// Something that images do by themselves, at the first boot or at each.
#[derive(Debug)]
pub struct Habit {
    /// Row of `docs/first-boot.md`.
    pub hazard: &'static str,
    /// What it does to a node, if it is let.
    pub does: &'static str,
    /// Releases whose stock images have it. There it is switched off without
    /// looking, so that an update cannot bring it to life.
    pub releases: &'static [Release],
    /// Files and directories that show it is there in another image, beside
    /// `units`; each of them is in [`ROOT_FILES`](super::ROOT_FILES).
    pub signs: &'static [&'static str],
    /// Words of the kernel command line that start it. A star stands for any
    /// end.
    pub words: &'static [&'static str],
    /// Files in the root of the firmware partition that it reads.
    pub seeds: &'static [&'static str],
    /// Units that carry it out. They are masked: a first boot in systemd's
    /// sense enables again what is only disabled (systemd.preset(5)).
    pub units: &'static [&'static str],
    /// Paths of the root partition that start it or that it has left.
    pub gone: &'static [&'static str],
    /// Files that tell it to do nothing, with their text.
    pub files: &'static [(&'static str, &'static str)],
}

impl Habit {
    /// What a row has that says nothing.
    const NOTHING: Self = Self {
        hazard: "",
        does: "",
        releases: &[],
        signs: &[],
        words: &[],
        seeds: &[],
        units: &[],
        gone: &[],
        files: &[],
    };

    /// Whether an image has it.
    pub fn is_in(&self, profile: &Profile) -> bool {
        self.releases.contains(&profile.release)
            || self.signs.iter().any(|sign| profile.has(sign))
            || self.units.iter().any(|unit| profile.has_unit(unit))
    }

    fn switch_off(&self, profile: &Profile, draft: &mut Draft<'_>) {
        // These are cheap to look for, and nothing good comes of them in any
        // image.
        for word in self.words {
            let word = CmdlineEdit::Remove((*word).to_owned());
            draft.boot_edit("cmdline.txt", TextEdit::Cmdline(word));
        }
        for seed in self.seeds {
            draft.boot_remove(seed);
        }
        if !self.is_in(profile) {
            return;
        }
        for path in self.gone {
            draft.remove(path);
        }
        for unit in self.units {
            match self.releases.contains(&profile.release) {
                true => draft.mask(unit),
                false => draft.mask_packaged(unit),
            };
        }
        for (path, text) in self.files {
            draft.file(path, *text);
        }
    }
}

/// Switches off everything in the table.
pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    for habit in HABITS {
        habit.switch_off(inputs.profile, draft);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::ROOT_FILES;

    #[test]
    fn a_row_can_be_found_by_what_it_is_looked_for() {
        for habit in HABITS {
            for sign in habit.signs {
                assert!(ROOT_FILES.contains(sign), "{sign} is never looked for");
            }
            assert!(
                !habit.does.is_empty() && habit.hazard.contains('.'),
                "{habit:?}"
            );
        }
    }

    #[test]
    fn nothing_is_switched_off_twice() {
        let all = |of: fn(&Habit) -> &'static [&'static str]| {
            let mut names: Vec<&str> = HABITS.iter().flat_map(of).copied().collect();
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count, "{names:?}");
        };
        all(|habit| habit.words);
        all(|habit| habit.seeds);
        all(|habit| habit.units);
        all(|habit| habit.gone);
    }
}
