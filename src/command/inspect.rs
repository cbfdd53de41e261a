//! `pidoop inspect`: what is in an image.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::session::Session;
use super::{Failure, bake_failure};
use crate::bake::DirLock;
use crate::cli::{ExitStatus, GlobalArgs, InspectArgs};
use crate::disk::ext4::Ext4Volume;
use crate::disk::fat::FatVolume;
use crate::disk::{PiImage, TableKind};
use crate::edit::{EntryKind, ImagePath, ReadTree};
use crate::node::Profile;
use crate::source::{Format, unpack_image};

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    image: Utf8PathBuf,
    table: &'static str,
    disk_id: Option<String>,
    partitions: Vec<PartitionReport>,
    root: RootReport,
    system: Option<Profile>,
    /// Why the system is not one pidoop can bake into.
    system_problem: Option<String>,
    node: Option<NodeReport>,
    components: Vec<ComponentReport>,
}

#[derive(Debug, Serialize)]
struct PartitionReport {
    number: u32,
    start: u64,
    bytes: u64,
    kind: String,
}

#[derive(Debug, Serialize)]
struct RootReport {
    label: String,
    uuid: String,
    bytes: u64,
    free_bytes: u64,
    features: Vec<String>,
    clean: bool,
}

/// Identity of a node, if one was baked in.
#[derive(Debug, Serialize)]
struct NodeReport {
    hostname: String,
    machine_id: String,
    host_key: Option<String>,
    services: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ComponentReport {
    name: &'static str,
    path: String,
}

/// Prints what is in an image.
pub(super) fn run(global: &GlobalArgs, args: &InspectArgs) -> Result<ExitStatus, Failure> {
    match fs_err::metadata(&args.image) {
        Ok(meta) if meta.is_dir() => {
            return Err(Failure::usage(format!(
                "{} is a directory, and an image is needed",
                args.image
            )));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Failure::usage(format!("there is no image {}", args.image)));
        }
        // Devices and pipes are found wanting when they are read.
        _ => {}
    }
    let format = format_of(&args.image)?;
    let temp;
    let raw: &Utf8Path = if format != Format::Plain {
        let session = Session::open(global, false)?;
        temp = Unpacked::of(&args.image, &session)?;
        &temp.path
    } else {
        &args.image
    };
    let report = examine(raw, &args.image)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(
            out,
            "{}",
            serde_json::to_string_pretty(&report).map_err(Failure::bug)?
        )?;
    } else {
        write!(out, "{}", in_words(&report))?;
    }
    Ok(ExitStatus::Ok)
}

/// An image unpacked for as long as it is looked at.
struct Unpacked {
    path: Utf8PathBuf,
    _dir: tempfile::TempDir,
    /// Says that somebody is looking.
    _lock: DirLock,
}

impl Unpacked {
    fn of(image: &Utf8Path, session: &Session) -> Result<Self, Failure> {
        let all = session.fetcher.cache().root().join("inspect");
        let entry = DirLock::take(&all, &session.reporter)?;
        remove_forsaken(&all)?;
        let dir = tempfile::tempdir_in(&all)?;
        let path = Utf8PathBuf::from_path_buf(dir.path().join("image.img"))
            .map_err(|path| Failure::usage(format!("{} is not UTF-8", path.display())))?;
        let lock = DirLock::take(path.parent().unwrap_or(&all), &session.reporter)?;
        drop(entry);
        unpack_image(image, &path, &session.reporter).map_err(super::inputs::source_failure)?;
        Ok(Self {
            path,
            _dir: dir,
            _lock: lock,
        })
    }
}

/// Removes what those left who were killed while they looked: gigabytes that
/// nobody would ask for. The caller holds the lock of the directory, so that
/// nobody begins to look meanwhile.
pub(super) fn remove_forsaken(all: &Utf8Path) -> Result<(), Failure> {
    for entry in all.read_dir_utf8()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && DirLock::try_take(entry.path())?.is_some() {
            match fs_err::remove_dir_all(entry.path()) {
                // Whoever looked has just cleaned up.
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    Ok(())
}

/// How the image is packed, by its first bytes: names lie.
fn format_of(image: &Utf8Path) -> std::io::Result<Format> {
    let mut head = Vec::new();
    fs_err::File::open(image)?
        .take(1 << 16)
        .read_to_end(&mut head)?;
    Ok(Format::of(&head))
}

fn examine(raw: &Utf8Path, named: &Utf8Path) -> Result<Report, Failure> {
    let disk = PiImage::open(raw).map_err(|error| bake_failure(error.into()))?;
    let root = Ext4Volume::open(&disk.root()).map_err(|error| bake_failure(error.into()))?;
    let boot = FatVolume::open(&disk.boot()).map_err(|error| bake_failure(error.into()))?;
    let profile = Profile::detect(&root, &boot);
    let (table, disk_id) = match disk.table().kind {
        TableKind::Mbr { disk_id } => ("MBR", Some(format!("{disk_id:08x}"))),
        TableKind::Gpt { .. } => ("GPT", None),
    };
    let superblock = root.superblock();
    Ok(Report {
        image: named.to_owned(),
        table,
        disk_id,
        partitions: disk
            .table()
            .partitions
            .iter()
            .map(|partition| PartitionReport {
                number: partition.number,
                start: partition.start,
                bytes: partition.len,
                kind: partition.kind.to_string(),
            })
            .collect(),
        root: RootReport {
            label: superblock.label.clone(),
            uuid: superblock.uuid.to_string(),
            bytes: superblock.len(),
            free_bytes: superblock.free_blocks * superblock.block_size,
            features: superblock.features.names(),
            clean: superblock.clean && !superblock.needs_recovery,
        },
        system_problem: profile.as_ref().err().map(ToString::to_string),
        system: profile.ok(),
        node: node(&root),
        components: components(&root),
    })
}

/// Text of a file of the image; none if it is not there.
fn text(root: &dyn ReadTree, path: &str) -> Option<String> {
    let bytes = root.read(&ImagePath::new(path).ok()?).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// The node in the image, if pidoop made it.
fn node(root: &dyn ReadTree) -> Option<NodeReport> {
    let cluster_facts = ImagePath::new(crate::node::Paths::DEFAULT.node_facts).ok()?;
    root.entry(&cluster_facts).ok()??;
    let wants = ImagePath::new("/etc/systemd/system/multi-user.target.wants").ok()?;
    Some(NodeReport {
        hostname: text(root, "/etc/hostname").unwrap_or_default(),
        machine_id: text(root, "/etc/machine-id").unwrap_or_default(),
        host_key: text(root, "/etc/ssh/ssh_host_ed25519_key.pub"),
        services: root
            .children(&wants)
            .unwrap_or_default()
            .into_iter()
            .filter(|unit| {
                ["hdfs-", "yarn-", "mapred-"]
                    .iter()
                    .any(|prefix| unit.starts_with(prefix))
            })
            .collect(),
    })
}

/// Where the links to Java and Hadoop lead.
fn components(root: &dyn ReadTree) -> Vec<ComponentReport> {
    let mut found = Vec::new();
    for (name, link) in [("java", "/opt/java"), ("hadoop", "/opt/hadoop")] {
        let entry = ImagePath::new(link)
            .ok()
            .and_then(|path| root.entry(&path).ok().flatten());
        if let Some(EntryKind::Symlink { target }) = entry.map(|entry| entry.kind) {
            found.push(ComponentReport { name, path: target });
        }
    }
    found
}

fn in_words(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let mut line = |words: std::fmt::Arguments<'_>| {
        let _ = writeln!(text, "{words}");
    };
    line(format_args!("{}", report.image));
    let id = report
        .disk_id
        .as_deref()
        .map_or(String::new(), |id| format!(", disk id {id}"));
    line(format_args!("  table       {}{id}", report.table));
    for part in &report.partitions {
        line(format_args!(
            "  partition {} {} MiB at {} MiB, {}",
            part.number,
            part.bytes >> 20,
            part.start >> 20,
            part.kind
        ));
    }
    line(format_args!(
        "  root        {} MiB, {} MiB free, {}",
        report.root.bytes >> 20,
        report.root.free_bytes >> 20,
        if report.root.clean {
            "clean"
        } else {
            "NOT CLEAN"
        }
    ));
    line(format_args!(
        "  features    {}",
        report.root.features.join(" ")
    ));
    match (&report.system, &report.system_problem) {
        (Some(system), _) => line(format_args!(
            "  system      {} {}, {}",
            system.release,
            system.arch,
            system
                .boot_mount
                .as_ref()
                .map_or("no boot mount".to_owned(), |at| format!(
                    "boot partition on {at}"
                ))
        )),
        (None, Some(problem)) => line(format_args!("  system      {problem}")),
        (None, None) => {}
    }
    match &report.node {
        Some(node) => {
            line(format_args!(
                "  node        {} (machine id {})",
                node.hostname, node.machine_id
            ));
            if let Some(key) = &node.host_key {
                line(format_args!("  host key    {key}"));
            }
            line(format_args!("  services    {}", node.services.join(", ")));
        }
        None => line(format_args!("  node        none baked in")),
    }
    for component in &report.components {
        line(format_args!("  {:<11} {}", component.name, component.path));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_inspections_left_goes_and_live_ones_stay() {
        let temp = tempfile::tempdir().unwrap();
        let all = Utf8Path::from_path(temp.path()).unwrap();
        let (live, dead) = (all.join("live"), all.join("dead"));
        let lock = DirLock::try_take(&live).unwrap();
        drop(DirLock::try_take(&dead).unwrap());
        for dir in [&live, &dead] {
            fs_err::write(dir.join("image.img"), "x").unwrap();
        }
        remove_forsaken(all).unwrap();
        assert!(live.join("image.img").exists() && !dead.exists());
        drop(lock);
    }
}
