//! Judging a finished image.

use camino::Utf8Path;

use super::difference::{SeenImage, Stock, compare_node};
use super::survey::edit_error;
use super::{BakeError, ImageDifference};
use crate::cluster::{Cluster, Node};
use crate::disk::ext4::{self, Ext4Volume, Verdict};
use crate::disk::fat::FatVolume;
use crate::disk::{DiskError, Partition, PiImage, TableKind};
use crate::edit::compare::Look;
use crate::node::{Mount, mounts, prove};
use crate::plan::{NodePlan, Plan};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What, such as `root filesystem`.
    pub what: &'static str,
    /// What came of it.
    pub result: CheckResult,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// All is well; what was found.
    Passed(String),
    /// What is wrong, each a sentence without a full stop.
    Failed(Vec<String>),
    /// It could not be done; why.
    NotDone(String),
}

/// Who an image should be.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The node of it.
    pub node: &'a Node,
    /// What all of it should be, or why that is not known.
    pub planned: Result<Planned<'a>, &'a str>,
}

/// What an image should be from end to end.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The node of it.
    pub node: &'a NodePlan,
    /// What its image is made from.
    pub stock: &'a Stock<'a>,
}

/// At most this many differing paths are named.
const NAMED: usize = 12;

/// Judges the raw image at `path`, with readers that did not write it. Without
/// an identity nothing is known of what should be in it, and why is said.
///
/// # Errors
/// When the machine cannot do it; whatever is wrong with the image is a failed
/// check.
pub fn judge(
    path: &Utf8Path,
    identity: Result<Identity<'_>, &str>,
) -> Result<Vec<Check>, BakeError> {
    let mut checks = Checks(Vec::new());
    let Some(disk) = checks.opened("partition table", PiImage::open(path), table_words)? else {
        return Ok(checks.0);
    };
    let boot = checks.opened(
        "firmware filesystem",
        FatVolume::open(&disk.boot()),
        |boot| format!("FAT {}, sound", boot.id()),
    )?;
    let root = root_filesystem(&disk, &mut checks)?;
    let (Some(boot), Some(root)) = (boot, root) else {
        return Ok(checks.0);
    };
    let found = mounts(&root, &boot).map_err(|source| edit_error(path.as_str(), "root", source))?;
    checks.add("disk id", disk_id(&disk, &root, &boot, &found));
    match identity {
        Err(why) => {
            checks.add("cluster file", CheckResult::NotDone(why.to_owned()));
            checks.add("access", CheckResult::NotDone(why.to_owned()));
        }
        Ok(identity) => {
            let planned = match identity.planned {
                Ok(planned) => as_planned(path, planned)?,
                Err(why) => CheckResult::NotDone(why.to_owned()),
            };
            checks.add("cluster file", planned);
            let access = match prove(&root, &boot, identity.cluster, identity.node) {
                Ok(proof) => CheckResult::Passed(proof.to_string()),
                Err(obstacles) => CheckResult::Failed(obstacles),
            };
            checks.add("access", access);
        }
    }
    Ok(checks.0)
}

/// Checks as they are made.
struct Checks(Vec<Check>);

impl Checks {
    fn add(&mut self, what: &'static str, result: CheckResult) {
        self.0.push(Check { what, result });
    }

    /// Adds whether something could be opened. What the machine could not do
    /// is an error, what is wrong with the image is not.
    fn opened<T>(
        &mut self,
        what: &'static str,
        opened: Result<T, DiskError>,
        words: impl FnOnce(&T) -> String,
    ) -> Result<Option<T>, BakeError> {
        match opened {
            Ok(opened) => {
                self.add(what, CheckResult::Passed(words(&opened)));
                Ok(Some(opened))
            }
            Err(error @ (DiskError::Io { .. } | DiskError::Tool { .. })) => Err(error.into()),
            Err(error) => {
                self.add(what, CheckResult::Failed(vec![error.to_string()]));
                Ok(None)
            }
        }
    }
}

fn table_words(disk: &PiImage) -> String {
    let kind = match disk.table().kind {
        TableKind::Mbr { disk_id } => format!("MBR, disk {disk_id:08x}"),
        TableKind::Gpt { disk_guid } => format!("GPT, disk {disk_guid}"),
    };
    let count = disk.table().partitions.len();
    format!("{kind}, {count} partitions")
}

/// Opens the root filesystem and has e2fsck go over it.
fn root_filesystem(disk: &PiImage, checks: &mut Checks) -> Result<Option<Ext4Volume>, BakeError> {
    let region = disk.root();
    let what = "root filesystem";
    if let Verdict::Damaged { report } = ext4::check(&region)? {
        let mut lines = vec!["e2fsck finds it damaged".to_owned()];
        lines.extend(report.lines().map(str::to_owned));
        checks.add(what, CheckResult::Failed(lines));
        return Ok(None);
    }
    checks.opened(what, Ext4Volume::open(&region), |root| {
        let superblock = root.superblock();
        let free = (superblock.free_blocks * superblock.block_size) >> 20;
        format!("ext4, e2fsck finds nothing wrong, {free} MiB free")
    })
}

/// Whether what will be mounted is on this disk.
fn disk_id(disk: &PiImage, root: &Ext4Volume, boot: &FatVolume, mounts: &[Mount]) -> CheckResult {
    let superblock = root.superblock();
    let names = |partition: &Partition, uuid: &str, label: &str| {
        [
            format!("PARTUUID={}", partition.partuuid),
            format!("UUID={uuid}"),
            format!("LABEL={label}"),
        ]
    };
    let of_root = names(
        disk.root_partition(),
        &superblock.uuid.to_string(),
        &superblock.label,
    );
    let of_boot = names(disk.boot_partition(), &boot.id(), &boot.label());
    let mut wrong = Vec::new();
    let mut right = Vec::new();
    for Mount {
        said_by,
        on,
        source,
    } in mounts
    {
        let (wanted, which) = match on.as_str() {
            "/" => (&of_root, "root"),
            "/boot" | "/boot/firmware" => (&of_boot, "firmware"),
            _ => continue,
        };
        let is_named = ["PARTUUID=", "UUID=", "LABEL="]
            .iter()
            .any(|way| source.starts_with(way));
        if !is_named {
            // A device: which disk it is depends on the board.
            continue;
        }
        if wanted.iter().any(|name| name.eq_ignore_ascii_case(source)) {
            right.push(*said_by);
        } else {
            wrong.push(format!(
                "{said_by} takes {on} from {source}, which is not the {which} partition, {}",
                wanted[0]
            ));
        }
    }
    if !wrong.is_empty() {
        return CheckResult::Failed(wrong);
    }
    right.dedup();
    match right.is_empty() {
        true => CheckResult::Passed("nothing names a disk".to_owned()),
        false => CheckResult::Passed(format!("the same in the table, {}", right.join(" and "))),
    }
}

/// Whether all of the image is as planned.
fn as_planned(path: &Utf8Path, planned: Planned<'_>) -> Result<CheckResult, BakeError> {
    let Planned { plan, node, stock } = planned;
    let seen = match SeenImage::open(path) {
        Ok(seen) => seen,
        Err(error) => return Ok(CheckResult::Failed(vec![error.to_string()])),
    };
    let difference = compare_node(plan, node, stock, &seen, Look::default())?;
    Ok(match difference.is_empty() {
        true => CheckResult::Passed("every file is as planned".to_owned()),
        false => CheckResult::Failed(named(&difference)),
    })
}

/// What differs, by name.
fn named(difference: &ImageDifference) -> Vec<String> {
    let layout = difference.layout.iter().map(|found| found.what.clone());
    let paths = [("boot:", &difference.boot), ("", &difference.root)]
        .into_iter()
        .flat_map(|(prefix, found)| found.iter().map(move |f| format!("{prefix}{}", f.path)));
    let all: Vec<String> = layout.chain(paths).collect();
    let mut named: Vec<String> = all
        .iter()
        .take(NAMED)
        .map(|name| format!("{name} is not as planned"))
        .collect();
    if all.len() > NAMED {
        named.push(format!("… and {} more", all.len() - NAMED));
    }
    named.push("pidoop diff shows how it differs, pidoop build makes it anew".to_owned());
    named
}
