//! From the cluster file and the images to machines: which nodes, on which
//! cards, in which machines, with how much memory.

use camino::{Utf8Path, Utf8PathBuf};

use super::super::load::Loaded;
use super::super::nodes::check_names;
use super::super::{Failure, say};
use super::boot_failure;
use super::memory::{Need, available_mib, share};
use crate::bake::{DirLock, Scratch};
use crate::boot::{
    Accel, Card, CardSize, GuestPlan, Lan, LanPlan, Machine, Member, Model, Part, arch_of_card,
    best_accel, drives_virtio, emulator,
};
use crate::cli::{BootArgs, GlobalArgs};
use crate::cluster::Node;
use crate::disk::{PiImage, TableKind};
use crate::hadoop::{MemoryPlan, NodeMemory};
use crate::progress::Reporter;

/// How the names of images end.
const ENDINGS: [&str; 5] = [".img", ".img.xz", ".img.zst", ".img.gz", ".img.zip"];

/// Cores that a machine has at most unless somebody wants more; a Pi has four.
const CORES: u32 = 4;

/// The port of sshd.
pub(super) const SSH: u16 = 22;

/// A node that will be booted.
#[derive(Debug)]
pub(super) struct Role<'a> {
    pub(super) node: &'a Node,
    pub(super) memory: &'a NodeMemory,
    pub(super) image: Utf8PathBuf,
}

impl Role<'_> {
    /// What must run on it.
    pub(super) fn part(&self) -> Part {
        Part {
            name: self.node.name.to_string(),
            daemons: self.memory.heaps_mib.keys().copied().collect(),
        }
    }
}

/// A node in its machine.
#[derive(Debug)]
pub(super) struct Station<'a> {
    pub(super) role: Role<'a>,
    pub(super) card: Card,
    pub(super) machine: Machine,
    pub(super) memory_mib: u32,
}

/// The nodes to boot, with their images.
pub(super) fn cast<'a>(
    loaded: &'a Loaded,
    memory: &'a MemoryPlan,
    args: &BootArgs,
) -> Result<Vec<Role<'a>>, Failure> {
    let nodes = &loaded.cluster.nodes;
    check_names(loaded, &args.node)?;
    let chosen: Vec<Role<'_>> = nodes
        .iter()
        .filter(|node| args.node.is_empty() || args.node.iter().any(|n| n == node.name.as_str()))
        .filter_map(|node| Some((node, memory.node(&node.name)?)))
        .map(|(node, memory)| {
            let image = image_of(loaded, node, &args.out)?;
            Ok(Role {
                node,
                memory,
                image,
            })
        })
        .collect::<Result<_, Failure>>()?;
    if args.job {
        let has = |is: fn(&Role<'_>) -> bool| chosen.iter().any(is);
        if !(has(|role| role.node.role.is_master()) && has(|role| role.node.role.is_worker())) {
            return Err(Failure::usage("a job needs the master and a worker")
                .hint("name both with --node, or leave --node out"));
        }
    }
    Ok(chosen)
}

/// The image of a node in the directory of a build.
fn image_of(loaded: &Loaded, node: &Node, out: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let stem = out.join(format!("{}-{}", loaded.cluster.name, node.name));
    ENDINGS
        .iter()
        .map(|ending| Utf8PathBuf::from(format!("{stem}{ending}")))
        .find(|image| image.is_file())
        .ok_or_else(|| {
            Failure::usage(format!("there is no image of {}: {stem}.img", node.name)).hint(format!(
                "make it with: pidoop build -f {} -o {out}; or say with -o where it is",
                loaded.file
            ))
        })
}

/// The nodes in their machines, with cards in the directory `dir`.
pub(super) fn stations<'a>(
    global: &GlobalArgs,
    args: &BootArgs,
    cast: Vec<Role<'a>>,
    dir: &Utf8Path,
    reporter: &Reporter,
) -> Result<Vec<Station<'a>>, Failure> {
    let again = args.cards.is_some();
    let cards = cards(global, &cast, args.card, dir, again, reporter)?;
    let machines = machines(&cast, &cards, args.machine.machine(), reporter)?;
    let sizes = memory(&cast, &machines, args.memory, reporter)?;
    let parts = cast.into_iter().zip(cards).zip(machines).zip(sizes);
    let station = |(((role, card), machine), memory_mib)| Station {
        role,
        card,
        machine,
        memory_mib,
    };
    Ok(parts.map(station).collect())
}

/// A card for each node, in the directory `dir`; those that are there already
/// are taken as they are if `again` allows it.
fn cards(
    global: &GlobalArgs,
    cast: &[Role<'_>],
    size: Option<CardSize>,
    dir: &Utf8Path,
    again: bool,
    reporter: &Reporter,
) -> Result<Vec<Card>, Failure> {
    let task = reporter.items("making cards", Some(cast.len() as u64));
    let mut cards = Vec::new();
    for role in cast {
        let path = dir.join(format!("{}.card", role.node.name));
        let card = if again && path.exists() {
            same_disk(&role.image, &path)?;
            say(
                global,
                format_args!("{}: booting the card {path} again", role.node.name),
            );
            Card::insert(&path).map_err(boot_failure)?
        } else {
            let scratch = Scratch::for_target(&path)?;
            let size = size.unwrap_or(CardSize::Next);
            Card::make(&role.image, scratch.path(), size, reporter).map_err(boot_failure)?;
            scratch.keep()?;
            Card::insert(&path).map_err(boot_failure)?
        };
        cards.push(card);
        task.advance(1);
    }
    task.finish();
    Ok(cards)
}

/// A kept card must be one of this node: their disks have one id. Packed
/// images are not looked into.
fn same_disk(image: &Utf8Path, card: &Utf8Path) -> Result<(), Failure> {
    let id = |path: &Utf8Path| match PiImage::open(path).ok()?.table().kind {
        TableKind::Mbr { disk_id } => Some(format!("{disk_id:08x}")),
        TableKind::Gpt { disk_guid } => Some(disk_guid.to_string()),
    };
    match (id(image), id(card)) {
        (Some(image_id), Some(card_id)) if image_id != card_id => Err(Failure::usage(format!(
            "the card {card} is disk {card_id}, but {image} is disk {image_id}"
        ))
        .hint("remove the card to start from the image, or name another directory")),
        _ => Ok(()),
    }
}

/// The machine of each node.
fn machines(
    cast: &[Role<'_>],
    cards: &[Card],
    wanted: Option<Machine>,
    reporter: &Reporter,
) -> Result<Vec<Machine>, Failure> {
    let mut machines = Vec::new();
    for (role, card) in cast.iter().zip(cards) {
        let arch = arch_of_card(card.path(), Model::of(&role.node.board)).map_err(boot_failure)?;
        let machine = match wanted {
            Some(machine) => machine,
            None => usual(role, card, Machine::usual(arch), reporter),
        };
        if machine.traits().sd_card && !card.is_sd_size() {
            return Err(Failure::usage(format!(
                "{} cannot be an SD card: {} bytes are no power of two",
                card.path(),
                card.bytes()
            ))
            .hint("give a --card such as 4G or 8G, or another --machine"));
        }
        if let Some(memory_mib) = machine.traits().fixed_memory_mib
            && role.memory.os_mib + role.memory.daemons_mib() > memory_mib
        {
            reporter.note(format!(
                "{}: {machine} has {memory_mib} MiB, and its plan is for a {}: it will be short \
                 of memory",
                role.node.name, role.node.board
            ));
        }
        emulator(machine.traits().arch)
            .check()
            .map_err(Failure::environment)?;
        machines.push(machine);
    }
    Ok(machines)
}

/// The usual machine, unless the image's kernel has no drivers for it.
fn usual(role: &Role<'_>, card: &Card, usual: Machine, reporter: &Reporter) -> Machine {
    // A card that lost power may not be readable yet; then nothing is known.
    let known = drives_virtio(card.path()).ok().flatten();
    if usual == Machine::Virt && known == Some(false) {
        reporter.note(format!(
            "{}: its kernel drives no virtio disk, so it boots on {}",
            role.node.name,
            Machine::Raspi3b
        ));
        return Machine::Raspi3b;
    }
    usual
}

/// Memory of each machine, in MiB.
fn memory(
    cast: &[Role<'_>],
    machines: &[Machine],
    wanted: Option<u32>,
    reporter: &Reporter,
) -> Result<Vec<u32>, Failure> {
    let needs: Vec<Need> = cast
        .iter()
        .zip(machines)
        .map(|(role, machine)| {
            match machine.traits().fixed_memory_mib.or(wanted) {
                // Nothing to choose.
                Some(mib) => Need {
                    wish_mib: mib,
                    least_mib: mib,
                },
                None => Need::of(role.memory),
            }
        })
        .collect();
    let free = fs_err::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| available_mib(&text))
        .unwrap_or(u32::MAX);
    let given = share(&needs, free).map_err(|reason| {
        Failure::environment(anyhow::anyhow!("{reason}"))
            .hint("boot fewer nodes with --node, or smaller ones with --memory")
    })?;
    for ((role, need), mib) in cast.iter().zip(&needs).zip(&given) {
        if *mib < need.wish_mib {
            reporter.note(format!(
                "{} gets {mib} MiB in place of {}: this computer has no more",
                role.node.name, need.wish_mib
            ));
        }
    }
    Ok(given)
}

/// The network of these nodes, with its sockets in the directory `dir`.
pub(super) fn lan(
    loaded: &Loaded,
    stations: &[Station<'_>],
    dir: &Utf8Path,
) -> Result<Lan, Failure> {
    let mut plan = LanPlan::of(&loaded.cluster);
    plan.members = stations
        .iter()
        .map(|Station { role, .. }| {
            let mut ports = vec![SSH];
            ports.extend(role.part().daemons.iter().map(|daemon| daemon.port("web")));
            let mut member = Member::new(role.node.name.as_str(), role.node.address, &ports);
            member.mac = role.node.mac.unwrap_or(member.mac);
            member
        })
        .collect();
    // Any emulator can be the router; one that is needed anyway is there.
    let machine = stations
        .first()
        .map_or(Machine::Virt, |first| first.machine);
    Lan::start(&plan, emulator(machine.traits().arch), dir).map_err(boot_failure)
}

/// Cores of each machine.
fn cpus(wanted: Option<u32>) -> u32 {
    let here = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    wanted.unwrap_or_else(|| here.min(CORES))
}

impl Station<'_> {
    /// The node's name.
    pub(super) fn name(&self) -> &str {
        self.role.node.name.as_str()
    }

    /// The machine as data, one of a cluster with so many workers.
    pub(super) fn guest_plan(
        &self,
        args: &BootArgs,
        lan: &Lan,
        workers: usize,
        logs: &Utf8Path,
    ) -> GuestPlan {
        let mut words = Vec::new();
        if args.job && self.role.node.role.is_master() {
            words.push(format!("pidoop.job={workers}"));
        }
        GuestPlan {
            name: self.name().to_owned(),
            card: self.card.path().to_owned(),
            machine: self.machine,
            model: match self.machine {
                Machine::Raspi3b => Model::Pi3,
                Machine::Virt | Machine::Q35 => Model::of(&self.role.node.board),
            },
            memory_mib: self.memory_mib,
            cpus: cpus(args.cpus),
            accel: if args.no_kvm {
                Accel::Tcg
            } else {
                best_accel(self.machine)
            },
            plug: lan.plug(self.name()).cloned(),
            words,
            logs: logs.to_owned(),
        }
    }
}

/// The lock of a directory of cards, which one run at a time may use.
pub(super) fn lock(dir: &Utf8Path) -> Result<DirLock, Failure> {
    DirLock::take_unless_busy(dir)?.ok_or_else(|| {
        Failure::environment(anyhow::anyhow!("another pidoop is at work in {dir}"))
            .hint("wait for it, or name another directory")
    })
}
