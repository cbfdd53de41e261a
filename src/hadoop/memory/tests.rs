use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::cluster::{Board, Cluster, ConfigFile};
use crate::diagnostic::Problem;
use crate::hadoop::Daemon;
use crate::hadoop::fixture::{cluster, set};

fn plan(boards: &[&str]) -> MemoryPlan {
    MemoryPlan::for_cluster(&cluster(boards)).unwrap()
}

fn problems(cluster: &Cluster) -> Vec<Problem> {
    MemoryPlan::for_cluster(cluster).unwrap_err()
}

#[test]
fn three_pi_4_with_4_gb() {
    assert_snapshot!(plan(&["pi4-4gb", "pi4-4gb", "pi4-4gb"]), @r"
    memory in MiB; a daemon's number is its heap

    node     board     RAM   OS   NN  SNN   RM  JHS   DN   NM  containers  vcores  page cache
    master   pi4-4gb  3790  400  512  384  512  256    -    -           -       -        1286
    worker1  pi4-4gb  3790  400    -    -    -    -  256  256        2560       4          98
    worker2  pi4-4gb  3790  400    -    -    -    -  256  256        2560       4          98

    beside its heap each daemon is counted with 110

    allocations        256 to 2560 and at most 4 vcores, by memory
    ApplicationMaster    512, heap  384
    map task             512, heap  384, sort buffer 128
    reduce task          768, heap  614
    ");
}

#[test]
fn three_pi_3_take_turns_with_map_and_reduce() {
    assert_snapshot!(plan(&["pi3-1gb", "pi3-1gb", "pi3plus-1gb"]), @r"
    memory in MiB; a daemon's number is its heap

    node     board        RAM   OS   NN   RM  DN  NM  containers  vcores  page cache
    master   pi3-1gb      900  200  128  160   -   -           -       -         192
    worker1  pi3-1gb      900  200    -    -  80  96         256       2          48
    worker2  pi3plus-1gb  900  200    -    -  80  96         256       2          48

    beside its heap each daemon is counted with 110

    allocations        128 to 256 and at most 2 vcores, by memory
    ApplicationMaster    256, heap  128
    map task             256, heap  128, sort buffer 48
    reduce task          256, heap  128 (starts after the last map)
    note: master has no room for the SecondaryNameNode: the NameNode merges its edit log only when it starts, so restart it now and then
    note: master has no room for the JobHistoryServer: finished jobs leave no history to look at
    note: the workers together cannot hold an ApplicationMaster, a map and a reduce at once: reduces wait for the last map, and one job runs at a time
    ");
}

#[test]
fn mixed_boards_ask_for_what_the_smallest_has() {
    assert_snapshot!(plan(&["pi5-8gb", "pi5-16gb", "pi4-2gb", "pi3-1gb"]), @r"
    memory in MiB; a daemon's number is its heap

    node     board       RAM   OS    NN  SNN   RM  JHS   DN   NM  containers  vcores  page cache
    master   pi5-8gb    7800  600  1024  768  768  512    -    -           -       -        3688
    worker1  pi5-16gb  16000  800     -    -    -    -  512  512       13312       4         644
    worker2  pi4-2gb    1850  300     -    -    -    -  128  160        1024       3          18
    worker3  pi3-1gb     900  200     -    -    -    -   80   96         256       2          48

    beside its heap each daemon is counted with 110

    allocations        128 to 13312 and at most 4 vcores, by memory and vcores
    ApplicationMaster    256, heap  128
    map task             256, heap  128, sort buffer 48
    reduce task          256, heap  128
    note: containers have the size of the smallest worker; on larger ones vcores keep their number down
    ");
}

#[test]
fn heaps_leave_room_for_the_jvm() {
    for (container, heap) in [
        (0, 0),
        (128, 0),
        (256, 128),
        (384, 256),
        (512, 384),
        (768, 614),
        (1024, 819),
        (3072, 2457),
    ] {
        assert_eq!(heap_in(container), heap, "{container}");
    }
}

#[test]
fn a_1_gb_master_serves_two_workers() {
    let two = plan(&["pi4-1gb", "pi4-2gb", "pi4-2gb"]);
    let master = &two.nodes[0].name;
    assert!(two.runs(master, Daemon::NameNode));
    assert!(!two.runs(master, Daemon::SecondaryNameNode));
    assert!(!two.runs(master, Daemon::JobHistoryServer));
    assert!(!two.runs(master, Daemon::DataNode));
    assert!(two.runs(&two.nodes[1].name, Daemon::DataNode));

    let problems = problems(&cluster(&["pi4-1gb", "pi4-2gb", "pi4-2gb", "pi4-2gb"]));
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0]
            .message
            .starts_with("master: a master with 1 GB"),
        "{problems:?}"
    );
}

#[test]
fn one_1_gb_worker_has_no_room_for_a_job() {
    let problems = problems(&cluster(&["pi4-4gb", "pi4-1gb"]));
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].message.contains("no room for a task"),
        "{problems:?}"
    );
    assert!(MemoryPlan::for_cluster(&cluster(&["pi4-4gb", "pi4-2gb"])).is_ok());
}

#[test]
fn a_board_below_1_gb_is_refused_by_name() {
    let mut small = cluster(&["pi4-4gb", "pi4-4gb"]);
    small.nodes[1].board.visible_mib = 450;
    let problems = problems(&small);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.starts_with("worker1: "), "{problems:?}");
}

#[test]
fn chosen_values_are_part_of_the_plan() {
    let mut own = cluster(&["pi4-4gb", "pi4-4gb", "pi4-4gb"]);
    let yarn = ConfigFile::Yarn;
    set(
        &mut own.properties,
        yarn,
        "yarn.nodemanager.resource.memory-mb",
        "2048",
        0..1,
    );
    set(
        &mut own.nodes[2].properties,
        yarn,
        "yarn.nodemanager.resource.memory-mb",
        "1536",
        1..2,
    );
    set(
        &mut own.properties,
        ConfigFile::Mapred,
        "mapreduce.map.memory.mb",
        "1024",
        2..3,
    );
    set(
        &mut own.properties,
        ConfigFile::Mapred,
        "mapreduce.reduce.java.opts",
        "-Xmx600m",
        3..4,
    );
    let plan = MemoryPlan::for_cluster(&own).unwrap();
    let containers: Vec<u32> = plan.nodes.iter().map(NodeMemory::containers_mib).collect();
    assert_eq!(containers, [0, 2048, 1536]);
    assert_eq!(plan.scheduler.maximum_mib, 2048);
    assert_eq!(
        plan.job.map,
        Container {
            container_mib: 1024,
            heap_mib: 819
        }
    );
    assert_eq!(plan.job.sort_mib, 320);
    assert_eq!(
        plan.job.reduce,
        Container {
            container_mib: 768,
            heap_mib: 600
        }
    );
}

#[rstest::rstest]
#[case(
    ConfigFile::Yarn,
    "yarn.nodemanager.resource.memory-mb",
    "4096",
    "Linux sees 3790"
)]
#[case(
    ConfigFile::Yarn,
    "yarn.nodemanager.resource.memory-mb",
    "128",
    "smallest allocation"
)]
#[case(
    ConfigFile::Yarn,
    "yarn.nodemanager.resource.memory-mb",
    "4g",
    "not a number"
)]
#[case(
    ConfigFile::Yarn,
    "yarn.scheduler.maximum-allocation-mb",
    "8192",
    "wait for ever"
)]
#[case(
    ConfigFile::Yarn,
    "yarn.scheduler.maximum-allocation-vcores",
    "8",
    "more than 4"
)]
#[case(
    ConfigFile::Yarn,
    "yarn.scheduler.maximum-allocation-mb",
    "512",
    "would be refused"
)]
#[case(
    ConfigFile::Mapred,
    "yarn.app.mapreduce.am.resource.mb",
    "4096",
    "would be refused"
)]
#[case(
    ConfigFile::Mapred,
    "mapreduce.map.memory.mb",
    "150",
    "too little to run"
)]
#[case(
    ConfigFile::Mapred,
    "mapreduce.map.java.opts",
    "-Xmx1g",
    "beyond physical memory"
)]
#[case(
    ConfigFile::Mapred,
    "mapreduce.map.java.opts",
    "-Xss1m",
    "beyond physical memory"
)]
#[case(
    ConfigFile::Mapred,
    "mapreduce.task.io.sort.mb",
    "300",
    "OutOfMemoryError"
)]
fn values_that_contradict_are_shown_where_they_stand(
    #[case] file: ConfigFile,
    #[case] key: &str,
    #[case] value: &str,
    #[case] says: &str,
) {
    let mut wrong = cluster(&["pi4-4gb", "pi4-4gb", "pi4-4gb"]);
    set(&mut wrong.properties, file, key, value, 7..9);
    let problems = problems(&wrong);
    assert!(
        problems
            .iter()
            .any(|problem| problem.message.contains(says)),
        "{problems:?}"
    );
    assert!(
        problems.iter().all(|problem| problem.span == (7..9)),
        "{problems:?}"
    );
}

fn boards() -> impl Strategy<Value = Vec<&'static str>> {
    let board = proptest::sample::select(Board::ALL).prop_map(|board| board.name);
    proptest::collection::vec(board, 2..=21)
}

/// Numbers that more memory in a board must never lower, node by node.
fn numbers(plan: &MemoryPlan) -> Vec<u32> {
    let nodes = plan.nodes.iter().flat_map(|node| {
        let heaps = Daemon::ALL.map(|daemon| node.heaps_mib.get(&daemon).copied().unwrap_or(0));
        let containers = node.containers.unwrap_or(NodeContainers {
            memory_mib: 0,
            vcores: 0,
        });
        heaps
            .into_iter()
            .chain([containers.memory_mib, containers.vcores])
    });
    let job = plan.job;
    nodes
        .chain(
            [job.master, job.map, job.reduce]
                .into_iter()
                .flat_map(|container| [container.container_mib, container.heap_mib]),
        )
        .chain([
            job.sort_mib,
            plan.scheduler.minimum_mib,
            plan.scheduler.maximum_mib,
        ])
        .collect()
}

proptest! {
    #[test]
    fn every_plan_adds_up(boards in boards()) {
        let cluster = cluster(&boards);
        let Ok(plan) = MemoryPlan::for_cluster(&cluster) else {
            let lone = boards.len() == 2 && boards[1].ends_with("-1gb");
            let crowd = boards.len() > 3 && boards[0].ends_with("-1gb");
            prop_assert!(lone || crowd, "{boards:?} was refused");
            return Ok(());
        };
        let MemoryPlan { scheduler, job, .. } = &plan;
        let workers: Vec<u32> = plan.nodes.iter().filter_map(|node| node.containers)
            .map(|containers| containers.memory_mib).collect();
        let all: u32 = workers.iter().sum();
        let largest = workers.iter().copied().max().unwrap();
        prop_assert!(scheduler.maximum_mib <= largest);
        prop_assert!(workers.iter().all(|worker| scheduler.minimum_mib <= *worker));
        prop_assert!(workers.iter().all(|worker| worker % scheduler.minimum_mib == 0));
        let mut together = 0;
        for container in [job.master, job.map, job.reduce] {
            prop_assert!(plan.granted_mib(container.container_mib) <= scheduler.maximum_mib);
            prop_assert!(container.heap_mib + JVM_OVERHEAD_MIB <= container.container_mib);
            // Every worker can take every container, not just the largest.
            prop_assert!(workers.iter().all(|worker| container.container_mib <= *worker));
            together += plan.granted_mib(container.container_mib);
        }
        prop_assert_eq!(all < together, job.reduce_after_maps);
        prop_assert!(job.sort_mib * 5 <= job.map.heap_mib * 2);
        for node in &plan.nodes {
            let daemons: u32 = node.heaps_mib.values().map(|heap| heap + 110).sum();
            let containers = node.containers.map_or(0, |containers| containers.memory_mib);
            prop_assert_eq!(
                node.os_mib + daemons + containers + node.page_cache_mib(),
                node.board.visible_mib
            );
        }
    }

    #[test]
    fn more_memory_never_gives_less(boards in boards(), index: proptest::sample::Index) {
        let index = index.index(boards.len());
        let before = cluster(&boards);
        let Ok(less) = MemoryPlan::for_cluster(&before) else { return Ok(()) };
        let visible = before.nodes[index].board.visible_mib;
        for larger in [1850, 2500, 3790, 7800, 16000, 32000].into_iter().filter(|mib| *mib > visible) {
            let mut after = before.clone();
            after.nodes[index].board.visible_mib = larger;
            let more = MemoryPlan::for_cluster(&after).unwrap();
            for (less, more) in numbers(&less).into_iter().zip(numbers(&more)) {
                prop_assert!(less <= more, "{less} became {more} with {larger} MiB");
            }
        }
    }
}
