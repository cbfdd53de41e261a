//! Changes as a `debugfs` script: a pure function.

use std::collections::{BTreeMap, BTreeSet};

use super::debugfs::quote;
use super::leftovers::Leftovers;
use crate::disk::standing::Standing;
use crate::edit::{Changes, ImagePath, Mode, Owner, Target};

/// File type bits of `i_mode` (sys/stat.h, octal).
const TYPE_DIR: u32 = 0o040_000;
const TYPE_FILE: u32 = 0o100_000;

/// Longest name in a directory; `debugfs` would cut a longer one short.
const LONGEST_NAME: usize = 255;

/// All that goes into a script.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// What is to become of the filesystem.
    pub(super) changes: &'a Changes,
    /// Which names go, and which directories are there.
    pub(super) standing: &'a Standing,
    /// What goes with the names.
    pub(super) leftovers: &'a Leftovers,
    /// For each file target, what its bytes are written from.
    pub(super) hosts: &'a BTreeMap<ImagePath, Host>,
    /// An empty file on the host.
    pub(super) empty: &'a str,
    /// The time everything gets, in seconds since 1970.
    pub(super) epoch: u64,
}

/// A file for debugfs to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// Where it is.
    pub(super) path: String,
    /// Its mode, which `write` gives to what it writes; none if not known.
    pub(super) mode: Option<Mode>,
    /// For a file that only gets room for its content, which comes later.
    pub(super) room: Option<Room>,
}

/// Room in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Blocks, at least one.
    pub(super) blocks: u64,
    /// Length of the content in bytes.
    pub(super) len: u64,
}

/// Lines that make two runs at different times give the same superblock: the
/// clock stands still, and the count of kilobytes ever written is 0, which
/// libext2fs then leaves alone (lib/ext2fs/closefs.c).
pub(super) fn normalise(epoch: u64) -> Vec<String> {
    vec![
        format!("set_current_time @{epoch}"),
        "ssv kbytes_written 0".to_owned(),
    ]
}

impl Plan<'_> {
    /// The script: first all that goes, then the blocks so freed are zeroed,
    /// then what comes. New inodes have all their times from the clock, belong
    /// to root, and a file has the mode of what it is written from
    /// (misc/create_inode.c, `do_write_internal`). What is to be otherwise is
    /// set, and no more than that: each line looks its path up anew.
    ///
    /// Paths are absolute, since `cd` would make each line mean something only
    /// after the ones before it.
    ///
    /// # Errors
    /// A path that cannot be put into a script, and why.
    pub(super) fn compile(&self) -> Result<Vec<String>, (ImagePath, String)> {
        let mut lines = normalise(self.epoch);
        for name in &self.standing.obsolete {
            let verb = if name.is_dir { "rmdir" } else { "rm" };
            lines.push(format!("{verb} {}", quote(name.path.as_str())));
        }
        self.free_attributes(&mut lines);
        let freed: BTreeSet<u64> = self
            .leftovers
            .blocks
            .iter()
            .flat_map(|(first, last)| *first..=*last)
            .collect();
        lines.extend(freed.into_iter().map(|block| format!("zap_block {block}")));
        for (path, target) in &self.changes.targets {
            check_name(path)?;
            self.put(path, target, &mut lines)?;
        }
        Ok(lines)
    }

    /// The one way to free a block with all counts right is to remove a file
    /// that has it: blocks of attributes become the content of one for a moment.
    fn free_attributes(&self, lines: &mut Vec<String>) {
        if self.leftovers.attributes.is_empty() {
            return;
        }
        let carrier = quote("/.pidoop-attributes");
        lines.push(format!("write {} {carrier}", quote(self.empty)));
        for (index, block) in self.leftovers.attributes.iter().enumerate() {
            lines.push(format!("bmap {carrier} {index} {block}"));
        }
        lines.push(format!("rm {carrier}"));
    }

    fn put(
        &self,
        path: &ImagePath,
        target: &Target,
        lines: &mut Vec<String>,
    ) -> Result<(), (ImagePath, String)> {
        let quoted = quote(path.as_str());
        match target {
            Target::Dir { owner, mode } => match self.standing.dirs.get(path) {
                Some(true) => {}
                Some(false) => {
                    set_owner(lines, &quoted, *owner);
                    set_mode(lines, &quoted, TYPE_DIR, *mode);
                    lines.push(format!("sif {quoted} ctime @{}", self.epoch));
                }
                None => {
                    lines.push(format!("mkdir {quoted}"));
                    set_new_owner(lines, &quoted, *owner);
                    set_mode(lines, &quoted, TYPE_DIR, *mode);
                }
            },
            Target::File { owner, mode, .. } => {
                let host = self.hosts.get(path);
                let host = host.ok_or_else(|| (path.clone(), "its content is lost".to_owned()))?;
                lines.push(format!("write {} {quoted}", quote(&host.path)));
                set_new_owner(lines, &quoted, *owner);
                if host.mode != Some(*mode) {
                    set_mode(lines, &quoted, TYPE_FILE, *mode);
                }
                if let Some(Room { blocks, len }) = host.room {
                    let last = blocks.saturating_sub(1);
                    lines.push(format!("fallocate {quoted} 0 {last}"));
                    lines.push(format!("sif {quoted} size {len}"));
                }
            }
            Target::Symlink { target } => {
                if target.is_empty() || target.chars().any(char::is_control) {
                    let reason = "the link's target is empty or has control characters";
                    return Err((path.clone(), reason.to_owned()));
                }
                // Links are root:root 0777 as they are made.
                lines.push(format!("symlink {quoted} {}", quote(target)));
            }
        }
        Ok(())
    }
}

fn set_owner(lines: &mut Vec<String>, quoted: &str, owner: Owner) {
    lines.push(format!("sif {quoted} uid {}", owner.uid));
    lines.push(format!("sif {quoted} gid {}", owner.gid));
}

/// The same for an inode just made, which is root's.
fn set_new_owner(lines: &mut Vec<String>, quoted: &str, owner: Owner) {
    if owner.uid != 0 {
        lines.push(format!("sif {quoted} uid {}", owner.uid));
    }
    if owner.gid != 0 {
        lines.push(format!("sif {quoted} gid {}", owner.gid));
    }
}

fn set_mode(lines: &mut Vec<String>, quoted: &str, kind: u32, mode: Mode) {
    let bits = kind | u32::from(mode.bits());
    lines.push(format!("sif {quoted} mode 0{bits:o}"));
}

fn check_name(path: &ImagePath) -> Result<(), (ImagePath, String)> {
    if path.components().any(|name| name.len() > LONGEST_NAME) {
        return Err((
            path.clone(),
            format!("a name has more than {LONGEST_NAME} bytes"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::standing::Obsolete;
    use crate::edit::FileContent;
    use insta::assert_snapshot;

    fn path(text: &str) -> ImagePath {
        ImagePath::new(text).unwrap()
    }

    fn file(owner: Owner, mode: Mode) -> Target {
        let content = FileContent::Inline {
            bytes: b"x".to_vec(),
            secret: false,
        };
        Target::File {
            content,
            owner,
            mode,
        }
    }

    fn host(path: &str, mode: Option<Mode>) -> Host {
        let path = path.to_owned();
        let room = None;
        Host { path, mode, room }
    }

    #[test]
    fn goes_zeroes_comes() {
        let hadoop = Owner::new(901, 70_000);
        let changes = Changes {
            removed: [path("/old")].into(),
            targets: BTreeMap::from([
                (path("/etc/motd"), file(Owner::ROOT, Mode::FILE)),
                (
                    path("/etc/shadow"),
                    file(Owner::new(0, 42), Mode::new(0o640)),
                ),
                (
                    path("/etc/a b"),
                    Target::Symlink {
                        target: "../\"q\"".to_owned(),
                    },
                ),
                (
                    path("/srv"),
                    Target::Dir {
                        owner: hadoop,
                        mode: Mode::new(0o2750),
                    },
                ),
                (
                    path("/opt"),
                    Target::Dir {
                        owner: Owner::ROOT,
                        mode: Mode::EXECUTABLE,
                    },
                ),
                (
                    path("/etc"),
                    Target::Dir {
                        owner: Owner::ROOT,
                        mode: Mode::EXECUTABLE,
                    },
                ),
            ]),
        };
        let plan = Plan {
            changes: &changes,
            standing: &Standing {
                obsolete: vec![
                    Obsolete {
                        path: path("/old/f"),
                        is_dir: false,
                        replaced: false,
                    },
                    Obsolete {
                        path: path("/old"),
                        is_dir: true,
                        replaced: false,
                    },
                    Obsolete {
                        path: path("/etc/shadow"),
                        is_dir: false,
                        replaced: false,
                    },
                ],
                dirs: BTreeMap::from([(path("/etc"), true), (path("/opt"), false)]),
            },
            leftovers: &Leftovers {
                blocks: vec![(7, 8), (99, 99)],
                attributes: vec![99],
                shared: false,
            },
            hosts: &BTreeMap::from([
                (path("/etc/motd"), host("/tmp/1", Some(Mode::FILE))),
                (path("/etc/shadow"), host("/tmp/s t/0", None)),
            ]),
            empty: "/tmp/empty",
            epoch: 1_700_000_000,
        };
        assert_snapshot!(plan.compile().unwrap().join("\n"), @r#"
        set_current_time @1700000000
        ssv kbytes_written 0
        rm "/old/f"
        rmdir "/old"
        rm "/etc/shadow"
        write "/tmp/empty" "/.pidoop-attributes"
        bmap "/.pidoop-attributes" 0 99
        rm "/.pidoop-attributes"
        zap_block 7
        zap_block 8
        zap_block 99
        symlink "/etc/a b" "../""q"""
        write "/tmp/1" "/etc/motd"
        write "/tmp/s t/0" "/etc/shadow"
        sif "/etc/shadow" gid 42
        sif "/etc/shadow" mode 0100640
        sif "/opt" uid 0
        sif "/opt" gid 0
        sif "/opt" mode 040755
        sif "/opt" ctime @1700000000
        mkdir "/srv"
        sif "/srv" uid 901
        sif "/srv" gid 70000
        sif "/srv" mode 042750
        "#);
    }

    #[test]
    fn what_a_script_cannot_say_is_refused() {
        let refused = |name: &str, target: Target| {
            let changes = Changes {
                targets: [(path(name), target)].into(),
                ..Changes::default()
            };
            let plan = Plan {
                changes: &changes,
                standing: &Standing::default(),
                leftovers: &Leftovers::default(),
                hosts: &BTreeMap::new(),
                empty: "",
                epoch: 0,
            };
            plan.compile().unwrap_err().1
        };
        let link = |target: &str| Target::Symlink {
            target: target.to_owned(),
        };
        assert!(refused("/l", link("a\nrm /etc")).contains("control characters"));
        assert!(refused("/l", link("")).contains("empty"));
        assert!(refused(&format!("/{}", "n".repeat(256)), link("x")).contains("255 bytes"));
    }
}
