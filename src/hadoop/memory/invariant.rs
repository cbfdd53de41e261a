//! What must hold between the values of a plan.

use super::chosen::{Choices, Chosen};
use super::{Container, JVM_OVERHEAD_MIB, MemoryClass, MemoryPlan};
use crate::diagnostic::Problem;
use crate::hadoop::Daemon;

/// Below this a task's JVM does not get through its first record.
const SMALLEST_HEAP_MIB: u32 = 64;

/// A problem with a value the user chose, or else with the boards.
fn at(chosen: &[&Option<Chosen>], message: String) -> Problem {
    let place = chosen.iter().find_map(|chosen| chosen.as_ref());
    Problem::new(place.map_or(0..0, |chosen| chosen.span.clone()), message)
}

impl MemoryPlan {
    /// Every invariant that `self` breaks.
    pub(super) fn broken_invariants(&self, choices: &Choices) -> Vec<Problem> {
        let mut problems = self.master_problems();
        problems.extend(self.node_problems(choices));
        problems.extend(self.scheduler_problems(choices));
        problems.extend(self.job_problems(choices));
        // The last question makes sense only between values that do.
        if problems.is_empty() {
            problems.extend(self.placement_problem());
        }
        problems
    }

    /// A NameNode and a ResourceManager in 1 GB serve two workers at most.
    fn master_problems(&self) -> Vec<Problem> {
        let workers = self.workers().count();
        self.nodes
            .iter()
            .filter(|node| {
                node.heaps_mib.contains_key(&Daemon::NameNode) && node.class == MemoryClass::One
            })
            .filter(|_| workers > 2)
            .map(|node| {
                Problem::new(
                    0..0,
                    format!(
                        "{}: a master with 1 GB can serve 2 workers, this cluster has {workers}",
                        node.name
                    ),
                )
                .help("make a board with 2 GB or more the master, or leave workers out")
            })
            .collect()
    }

    /// Nothing above what Linux sees, and no NodeManager below the smallest
    /// allocation: the ResourceManager tells such a node to shut down.
    fn node_problems(&self, choices: &Choices) -> Vec<Problem> {
        let mut problems = Vec::new();
        for node in &self.nodes {
            let chosen = choices.of_node(&node.name).memory;
            let visible = node.board.visible_mib;
            if node.promised_mib() > visible {
                let rest = visible.saturating_sub(node.os_mib + node.daemons_mib());
                problems.push(
                    at(
                        &[&chosen],
                        format!(
                            "{}: {} MiB for the system, {} for the daemons and {} for containers \
                             are {} MiB, but Linux sees {visible} on {}",
                            node.name,
                            node.os_mib,
                            node.daemons_mib(),
                            node.containers_mib(),
                            node.promised_mib(),
                            node.board,
                        ),
                    )
                    .help(format!("at most {rest} MiB are there for containers")),
                );
            }
            let Some(containers) = node.containers else {
                continue;
            };
            let minimum = self.scheduler.minimum_mib;
            if containers.memory_mib < minimum {
                problems.push(at(
                    &[&chosen, &choices.minimum],
                    format!(
                        "{}: {} MiB for containers are less than the smallest allocation, \
                         {minimum} MiB; the ResourceManager would tell the node to shut down",
                        node.name, containers.memory_mib,
                    ),
                ));
            }
        }
        problems
    }

    /// The largest allocation fits a worker, else a request waits for ever.
    fn scheduler_problems(&self, choices: &Choices) -> Vec<Problem> {
        let mut problems = Vec::new();
        let scheduler = self.scheduler;
        let largest = self
            .workers()
            .map(|(_, containers)| containers.memory_mib)
            .max()
            .unwrap_or(0);
        if scheduler.maximum_mib > largest {
            problems.push(at(
                &[&choices.maximum],
                format!(
                    "the largest allocation is {} MiB, but no worker has more than {largest} MiB \
                     for containers; such a request would wait for ever",
                    scheduler.maximum_mib
                ),
            ));
        }
        if scheduler.minimum_mib > scheduler.maximum_mib {
            problems.push(at(
                &[&choices.minimum, &choices.maximum, &choices.of_any_node()],
                format!(
                    "the smallest allocation, {} MiB, is above the largest, {} MiB",
                    scheduler.minimum_mib, scheduler.maximum_mib
                ),
            ));
        }
        let cores = self
            .workers()
            .map(|(_, containers)| containers.vcores)
            .max()
            .unwrap_or(0);
        if scheduler.maximum_vcores > cores {
            problems.push(at(
                &[&choices.maximum_vcores],
                format!(
                    "the largest allocation is {} vcores, but no worker has more than {cores}",
                    scheduler.maximum_vcores
                ),
            ));
        }
        problems
    }

    /// Each container of a job is granted and holds its JVM.
    fn job_problems(&self, choices: &Choices) -> Vec<Problem> {
        let job = self.job;
        let mut problems = Vec::new();
        for (what, container, size, heap) in [
            (
                "ApplicationMaster",
                job.master,
                &choices.master,
                &choices.master_heap,
            ),
            ("map task", job.map, &choices.map, &choices.map_heap),
            (
                "reduce task",
                job.reduce,
                &choices.reduce,
                &choices.reduce_heap,
            ),
        ] {
            let Container {
                container_mib,
                heap_mib,
            } = container;
            let maximum = self.scheduler.maximum_mib;
            if self.granted_mib(container_mib) > maximum {
                problems.push(at(
                    &[
                        size,
                        &choices.maximum,
                        &choices.minimum,
                        &choices.of_any_node(),
                    ],
                    format!(
                        "the {what} asks for {container_mib} MiB, above the largest allocation of \
                         {maximum} MiB; every job would be refused"
                    ),
                ));
            }
            if heap_mib.saturating_add(JVM_OVERHEAD_MIB) > container_mib {
                problems.push(
                    at(
                        &[heap, size],
                        format!(
                            "the {what} has a heap of {heap_mib} MiB in a container of \
                             {container_mib} MiB; with the rest of its JVM it would be killed for \
                             \"running beyond physical memory limits\""
                        ),
                    )
                    .help(format!(
                        "a JVM needs about {JVM_OVERHEAD_MIB} MiB beside its heap"
                    )),
                );
            } else if heap_mib < SMALLEST_HEAP_MIB {
                problems.push(at(
                    &[heap, size],
                    format!(
                        "the {what} has a heap of {heap_mib} MiB in a container of \
                         {container_mib} MiB, too little to run"
                    ),
                ));
            }
        }
        if job.sort_mib.saturating_mul(5) > job.map.heap_mib.saturating_mul(2) {
            problems.push(
                at(
                    &[&choices.sort, &choices.map_heap, &choices.map],
                    format!(
                        "the sort buffer of {} MiB is more than four tenths of a map's heap of {} \
                         MiB; maps would stop with OutOfMemoryError",
                        job.sort_mib, job.map.heap_mib
                    ),
                )
                .help(format!(
                    "set mapreduce.task.io.sort.mb to {} or less",
                    job.map.heap_mib * 2 / 5
                )),
            );
        }
        problems
    }

    /// Beside an ApplicationMaster there is room for a task, else every job
    /// waits for ever with its ApplicationMaster running.
    fn placement_problem(&self) -> Option<Problem> {
        let master = self.granted_mib(self.job.master.container_mib);
        let task = self
            .granted_mib(self.job.map.container_mib)
            .max(self.granted_mib(self.job.reduce.container_mib));
        let sizes: Vec<u32> = self
            .workers()
            .map(|(_, containers)| containers.memory_mib)
            .collect();
        let placed = sizes.iter().enumerate().any(|(index, size)| {
            size.checked_sub(master).is_some_and(|rest| {
                rest >= task
                    || sizes
                        .iter()
                        .enumerate()
                        .any(|(other, size)| other != index && *size >= task)
            })
        });
        if placed {
            return None;
        }
        let names: Vec<&str> = self.workers().map(|(node, _)| node.name.as_str()).collect();
        Some(
            Problem::new(
                0..0,
                format!(
                    "{}: beside an ApplicationMaster of {master} MiB there is no room for a task \
                     of {task} MiB, so no job would ever finish",
                    names.join(", ")
                ),
            )
            .help("add a worker, or use a board with 2 GB or more"),
        )
    }
}
