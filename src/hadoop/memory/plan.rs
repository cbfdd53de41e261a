//! The memory plan of a cluster.

use std::collections::BTreeMap;

use serde::Serialize;

use super::chosen::{Choices, Chosen};
use super::{JVM_OVERHEAD_MIB, MemoryClass, heap_in};
use crate::cluster::{Board, Cluster, Hostname, Node, Role};
use crate::diagnostic::Problem;
use crate::hadoop::Daemon;

/// Every memory value of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryPlan {
    /// One entry for each node, in the order of the cluster file.
    pub nodes: Vec<NodeMemory>,
    /// What the ResourceManager hands out.
    pub scheduler: SchedulerMemory,
    /// What a MapReduce job asks for.
    pub job: JobMemory,
    /// What a person should know about this plan, as sentences without a full
    /// stop.
    pub notes: Vec<String>,
}

/// How one node's memory is shared out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeMemory {
    /// Which node.
    pub name: Hostname,
    /// Its role.
    pub role: Role,
    /// Its board.
    pub board: Board,
    /// Its class.
    pub class: MemoryClass,
    /// What the operating system needs, in MiB.
    pub os_mib: u32,
    /// Heap of each daemon it runs, in MiB.
    pub heaps_mib: BTreeMap<Daemon, u32>,
    /// What its NodeManager has for containers.
    pub containers: Option<NodeContainers>,
    /// Heap of commands people run on it, in MiB; they come and go, so they
    /// live off the page cache.
    pub client_heap_mib: u32,
}

/// What a NodeManager has to share out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NodeContainers {
    /// `yarn.nodemanager.resource.memory-mb`.
    pub memory_mib: u32,
    /// `yarn.nodemanager.resource.cpu-vcores`.
    pub vcores: u32,
}

/// Limits the ResourceManager keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SchedulerMemory {
    /// `yarn.scheduler.minimum-allocation-mb`; requests are rounded up to a
    /// multiple of it.
    pub minimum_mib: u32,
    /// `yarn.scheduler.maximum-allocation-mb`.
    pub maximum_mib: u32,
    /// `yarn.scheduler.maximum-allocation-vcores`.
    pub maximum_vcores: u32,
    /// Whether vcores limit containers too. Where boards are mixed, containers
    /// have the size of the smallest board, and by memory alone a large one
    /// would take more of them than its processor can carry.
    pub cores_count: bool,
}

/// A container and the heap of the JVM in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Size asked for, in MiB.
    pub container_mib: u32,
    /// Heap, in MiB.
    pub heap_mib: u32,
}

/// Sizes a MapReduce job asks for by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct JobMemory {
    /// The ApplicationMaster.
    pub master: Container,
    /// Each map task.
    pub map: Container,
    /// Each reduce task.
    pub reduce: Container,
    /// `mapreduce.task.io.sort.mb`.
    pub sort_mib: u32,
    /// Whether all workers together cannot hold an ApplicationMaster, a map
    /// and a reduce at once, so that reduces must wait for the last map.
    pub reduce_after_maps: bool,
}

impl NodeMemory {
    /// Heaps of all daemons with what their JVMs take beside, in MiB.
    pub fn daemons_mib(&self) -> u32 {
        self.heaps_mib
            .values()
            .map(|heap| heap + JVM_OVERHEAD_MIB)
            .sum()
    }

    /// Memory of the containers, in MiB; 0 without a NodeManager.
    pub fn containers_mib(&self) -> u32 {
        self.containers
            .map_or(0, |containers| containers.memory_mib)
    }

    /// Everything promised to somebody, in MiB.
    pub fn promised_mib(&self) -> u32 {
        self.os_mib
            .saturating_add(self.daemons_mib())
            .saturating_add(self.containers_mib())
    }

    /// What is left for the page cache when all containers are full, in MiB.
    pub fn page_cache_mib(&self) -> u32 {
        self.board.visible_mib.saturating_sub(self.promised_mib())
    }
}

impl MemoryPlan {
    /// The plan for `cluster`. Values the user set for these properties are
    /// part of it.
    ///
    /// # Errors
    /// Every reason why no values would work: a board that is too small for its
    /// role, or user values that contradict each other or the board. A problem
    /// that comes from a board has the span `0..0` and names the node.
    pub fn for_cluster(cluster: &Cluster) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let choices = Choices::of(cluster, &mut problems);
        let mut classes = Vec::new();
        for node in &cluster.nodes {
            match MemoryClass::of(node.board.visible_mib) {
                Some(class) => classes.push((node, class)),
                None => problems.push(too_small(node)),
            }
        }
        let smallest = classes
            .iter()
            .filter(|(node, _)| node.role.is_worker())
            .map(|(_, class)| *class)
            .min();
        let Some(smallest) = smallest else {
            if problems.is_empty() {
                problems.push(Problem::new(0..0, "the cluster has no worker"));
            }
            return Err(problems);
        };
        let nodes: Vec<NodeMemory> = classes
            .iter()
            .map(|(node, class)| node_memory(node, *class, &choices))
            .collect();
        let job = job_memory(smallest, &choices);
        let scheduler = scheduler_memory(smallest, &nodes, &job, &choices);
        let mut plan = Self {
            nodes,
            scheduler,
            job,
            notes: Vec::new(),
        };
        plan.job.reduce_after_maps = plan.reduces_must_wait();
        plan.notes = plan.describe();
        problems.extend(plan.broken_invariants(&choices));
        if problems.is_empty() {
            Ok(plan)
        } else {
            Err(problems)
        }
    }

    /// How the memory of the node called `name` is shared out.
    pub fn node(&self, name: &Hostname) -> Option<&NodeMemory> {
        self.nodes.iter().find(|node| node.name == *name)
    }

    /// Whether the node called `name` runs `daemon`. A daemon its role names
    /// can be left out for want of memory; its service must then not be
    /// enabled.
    pub fn runs(&self, name: &Hostname, daemon: Daemon) -> bool {
        self.node(name)
            .is_some_and(|node| node.heaps_mib.contains_key(&daemon))
    }

    /// Whether any node runs `daemon`.
    pub fn has(&self, daemon: Daemon) -> bool {
        self.nodes
            .iter()
            .any(|node| node.heaps_mib.contains_key(&daemon))
    }

    /// Every heap with whose it is, for
    /// [`check_heaps`](crate::hadoop::compat::check_heaps).
    pub fn heaps(&self) -> Vec<(String, u32)> {
        let daemons = self.nodes.iter().flat_map(|node| {
            node.heaps_mib
                .iter()
                .map(|(daemon, heap)| (format!("{daemon} of {}", node.name), *heap))
        });
        let job = [
            ("ApplicationMaster", self.job.master),
            ("map task", self.job.map),
            ("reduce task", self.job.reduce),
        ];
        daemons
            .chain(job.map(|(what, container)| (what.to_owned(), container.heap_mib)))
            .collect()
    }

    /// `request_mib` as the scheduler grants it: rounded up to a multiple of
    /// the smallest allocation.
    pub fn granted_mib(&self, request_mib: u32) -> u32 {
        let step = self.scheduler.minimum_mib.max(1);
        request_mib.div_ceil(step).saturating_mul(step)
    }

    /// Nodes with a NodeManager and what each has.
    pub(super) fn workers(&self) -> impl Iterator<Item = (&NodeMemory, NodeContainers)> {
        self.nodes
            .iter()
            .filter_map(|node| Some((node, node.containers?)))
    }

    fn reduces_must_wait(&self) -> bool {
        let all: u32 = self
            .workers()
            .map(|(_, containers)| containers.memory_mib)
            .sum();
        let JobMemory {
            master,
            map,
            reduce,
            ..
        } = self.job;
        let needed: u32 = [master, map, reduce]
            .into_iter()
            .map(|container| self.granted_mib(container.container_mib))
            .fold(0, u32::saturating_add);
        all < needed
    }

    fn describe(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for node in &self.nodes {
            for daemon in Daemon::of_role(&node.role) {
                if node.heaps_mib.contains_key(daemon) {
                    continue;
                }
                let consequence = match daemon {
                    Daemon::SecondaryNameNode => {
                        "the NameNode merges its edit log only when it starts, so restart it now \
                         and then"
                    }
                    _ => "finished jobs leave no history to look at",
                };
                notes.push(format!(
                    "{} has no room for the {daemon}: {consequence}",
                    node.name
                ));
            }
        }
        if self.job.reduce_after_maps {
            notes.push(
                "the workers together cannot hold an ApplicationMaster, a map and a reduce at \
                 once: reduces wait for the last map, and one job runs at a time"
                    .to_owned(),
            );
        }
        if self.scheduler.cores_count {
            notes.push(
                "containers have the size of the smallest worker; on larger ones vcores keep \
                 their number down"
                    .to_owned(),
            );
        }
        notes
    }
}

fn too_small(node: &Node) -> Problem {
    let Node { name, board, .. } = node;
    Problem::new(
        0..0,
        format!(
            "{name}: on board {board} Linux sees {} MiB, too little for Hadoop's daemons",
            board.visible_mib
        ),
    )
    .help("use a board with 1 GB of memory or more")
}

fn node_memory(node: &Node, class: MemoryClass, choices: &Choices) -> NodeMemory {
    let heaps_mib: BTreeMap<Daemon, u32> = Daemon::of_role(&node.role)
        .iter()
        .filter_map(|daemon| Some((*daemon, class.heap_mib(*daemon)?)))
        .collect();
    let containers = heaps_mib.contains_key(&Daemon::NodeManager).then(|| {
        let sizes = class.worker();
        let chosen = choices.of_node(&node.name);
        NodeContainers {
            memory_mib: Chosen::or(chosen.memory.as_ref(), sizes.containers_mib),
            vcores: Chosen::or(chosen.vcores.as_ref(), sizes.vcores),
        }
    });
    NodeMemory {
        name: node.name.clone(),
        role: node.role.clone(),
        board: node.board,
        class,
        os_mib: class.os_mib(),
        heaps_mib,
        containers,
        client_heap_mib: class.client_heap_mib(),
    }
}

/// Sizes fit the smallest worker, so that every worker can take every task.
fn job_memory(smallest: MemoryClass, choices: &Choices) -> JobMemory {
    let sizes = smallest.worker();
    let container = |container: &Option<Chosen>, heap: &Option<Chosen>, otherwise: u32| {
        let container_mib = Chosen::or(container.as_ref(), otherwise);
        let heap_mib = match heap {
            Some(Chosen { value: 0, .. }) => container_mib / 5 * 4,
            chosen => Chosen::or(chosen.as_ref(), heap_in(container_mib)),
        };
        Container {
            container_mib,
            heap_mib,
        }
    };
    let master = container(&choices.master, &choices.master_heap, sizes.master_mib);
    let map = container(&choices.map, &choices.map_heap, sizes.map_mib);
    let reduce = container(&choices.reduce, &choices.reduce_heap, sizes.reduce_mib);
    // Four tenths of the heap at most, or a map fails before its first record;
    // a multiple of 8 for neatness. 2047 is Hadoop's own limit.
    let sort_limit = (map.heap_mib / 5 * 2 / 8 * 8).min(2040);
    let sort = if choices.map.is_some() || choices.map_heap.is_some() {
        sort_limit
    } else {
        sizes.sort_mib
    };
    let sort_mib = Chosen::or(choices.sort.as_ref(), sort);
    JobMemory {
        master,
        map,
        reduce,
        sort_mib,
        reduce_after_maps: false,
    }
}

fn scheduler_memory(
    smallest: MemoryClass,
    nodes: &[NodeMemory],
    job: &JobMemory,
    choices: &Choices,
) -> SchedulerMemory {
    let containers = || {
        nodes
            .iter()
            .filter_map(|node| Some((node.board, node.containers?)))
    };
    let largest = containers()
        .map(|(_, containers)| containers.memory_mib)
        .max()
        .unwrap_or(0);
    let most_cores = containers()
        .map(|(_, containers)| containers.vcores)
        .max()
        .unwrap_or(1);
    let task_mib = job.map.container_mib.max(1);
    let cores_count =
        containers().any(|(board, containers)| containers.memory_mib / task_mib > 2 * board.cores);
    SchedulerMemory {
        minimum_mib: Chosen::or(choices.minimum.as_ref(), smallest.worker().minimum_mib),
        maximum_mib: Chosen::or(choices.maximum.as_ref(), largest),
        maximum_vcores: Chosen::or(choices.maximum_vcores.as_ref(), most_cores),
        cores_count,
    }
}
