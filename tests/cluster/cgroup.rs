//! A control group for each node: it keeps the nodes' processes apart, and
//! gives a node no more memory than its board has.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use super::interrupt::{self, NotYet};

const PREFIX: &str = "pidoop-cluster-test-";

/// A node's control groups; removed when dropped.
pub(crate) struct Cgroup {
    /// In the unified hierarchy, where systemd in the container makes its own
    /// below. Without one of its own each node's systemd would find the other
    /// nodes' services running.
    unified: PathBuf,
    /// In the memory hierarchy of control groups version 1.
    memory: Option<PathBuf>,
    /// In systemd's own hierarchy of version 1, where systemd-nspawn repeats
    /// the first.
    mirror: Option<PathBuf>,
}

/// Where this machine has its control groups mounted.
struct Mounts {
    unified: PathBuf,
    memory: Option<PathBuf>,
    mirror: Option<PathBuf>,
}

impl Mounts {
    fn read() -> Result<Self> {
        let text = fs_err::read_to_string("/proc/self/mountinfo")?;
        let (mut unified, mut memory, mut mirror) = (None, None, None);
        for line in text.lines() {
            // proc_pid_mountinfo(5): the fifth field is the mount point; after
            // " - " come type, source and the options of the file system.
            let Some((mount, system)) = line.split_once(" - ") else {
                continue;
            };
            let Some(point) = mount.split(' ').nth(4).map(PathBuf::from) else {
                continue;
            };
            let mut system = system.split(' ');
            let (kind, options) = (system.next(), system.nth(1).unwrap_or_default());
            let place = match kind {
                Some("cgroup2") => &mut unified,
                Some("cgroup") if options.split(',').any(|o| o == "memory") => &mut memory,
                Some("cgroup") if options.split(',').any(|o| o == "name=systemd") => &mut mirror,
                _ => continue,
            };
            *place = Some(point);
        }
        let unified = unified.context(
            "no cgroup2 file system is mounted, systemd in a container needs one: \
             mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified",
        )?;
        Ok(Self {
            unified,
            memory,
            mirror,
        })
    }
}

impl Cgroup {
    /// Makes the groups of `node` in run number `run`; it may use `memory_mib`
    /// of memory.
    pub(crate) fn new(run: u32, node: &str, memory_mib: u32) -> Result<Self> {
        let mounts = Mounts::read()?;
        let name = format!("{PREFIX}{run}-{node}");
        let group = Self {
            unified: mounts.unified.join(&name),
            memory: mounts.memory.map(|mount| mount.join(&name)),
            mirror: mounts.mirror.map(|mount| mount.join(&name)),
        };
        fs_err::create_dir(&group.unified)?;
        if let Some(memory) = &group.memory {
            fs_err::create_dir(memory)?;
            let bytes = u64::from(memory_mib) * 1024 * 1024;
            fs_err::write(memory.join("memory.limit_in_bytes"), bytes.to_string())?;
        }
        Ok(group)
    }

    /// The files a process writes its id to, to be in these groups.
    pub(crate) fn doors(&self) -> impl Iterator<Item = PathBuf> {
        std::iter::once(&self.unified)
            .chain(&self.memory)
            .map(|group| group.join("cgroup.procs"))
    }

    /// Every process of the node, by its id on this machine.
    pub(crate) fn processes(&self) -> Result<Vec<u32>> {
        let mut processes = Vec::new();
        for group in groups_below(&self.unified) {
            // A group may go away while we look.
            let text = fs_err::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
            processes.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
        }
        Ok(processes)
    }

    /// Kills every process of the node at once, and waits until none is left.
    pub(crate) fn kill(&self) -> Result<()> {
        fs_err::write(self.unified.join("cgroup.kill"), "1")?;
        let limit = Duration::from_secs(20);
        interrupt::until_done("the end of the node's processes", limit, || {
            match self.processes().map_err(NotYet::Never)?.as_slice() {
                [] => Ok(()),
                some => Err(NotYet::Wait(anyhow!("{} are left: {some:?}", some.len()))),
            }
        })
    }

    /// Memory of the node's processes that is neither cache nor file, in MiB,
    /// and how often the kernel killed one for want of memory. None where this
    /// machine does not account for memory.
    pub(crate) fn memory(&self) -> Result<Option<(u64, u64)>> {
        let Some(group) = &self.memory else {
            return Ok(None);
        };
        let field = |file: &str, name: &str| -> Result<u64> {
            let text = fs_err::read_to_string(group.join(file))?;
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
                .with_context(|| format!("{file} of the memory control group has no {name}"))
        };
        let anonymous = field("memory.stat", "total_rss ")? / (1024 * 1024);
        Ok(Some((anonymous, field("memory.oom_control", "oom_kill ")?)))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        for group in std::iter::once(&self.unified)
            .chain(&self.memory)
            .chain(&self.mirror)
        {
            remove(group);
        }
    }
}

/// Removes the empty groups that runs left behind which were killed. Runs are
/// numbered by a process that lives as long as they do.
pub(crate) fn sweep() -> Result<()> {
    let mounts = Mounts::read()?;
    for mount in std::iter::once(mounts.unified)
        .chain(mounts.memory)
        .chain(mounts.mirror)
    {
        for entry in fs_err::read_dir(mount)? {
            let entry = entry?;
            let name = entry.file_name();
            let rest = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
            let run = rest.and_then(|rest| rest.split('-').next());
            if run.is_some_and(|run| !Path::new("/proc").join(run).exists()) {
                remove(&entry.path());
            }
        }
    }
    Ok(())
}

/// Removes a group and those below it, the lowest first.
fn remove(group: &Path) {
    for group in groups_below(group).into_iter().rev() {
        // What refuses is swept by the next run.
        fs_err::remove_dir(group).ok();
    }
}

/// `group` and all groups below it, each before those below it.
fn groups_below(group: &Path) -> Vec<PathBuf> {
    let mut groups = vec![group.to_owned()];
    let mut next = 0;
    while let Some(group) = groups.get(next) {
        next += 1;
        let below = fs_err::read_dir(group).into_iter().flatten().flatten();
        let below = below.map(|entry| entry.path()).filter(|path| path.is_dir());
        let below: Vec<_> = below.collect();
        groups.extend(below);
    }
    groups
}
