//! Rehearsals whose machines are played.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use fs_err as fs;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::theatre::{NODES, Theatre, flip, up};
use crate::support::tools::run;

#[test]
fn a_healthy_cluster() {
    let theatre = Theatre::new();
    let before = theatre.images();
    let run = theatre.sandbox.run("boot").works().says(&[
        "DataNodes",
        "cluster tiny is healthy after",
        "NN 200/",
        "DN 130/",
        "500/",
        "not rehearsed: the firmware",
    ]);
    assert_eq!(run.stdout, "");
    assert_eq!(theatre.images(), before, "an image was written");
    theatre.is_empty();
    for node in NODES {
        let calls = theatre.calls_of(node);
        assert_eq!(calls.len(), 1);
        for words in [
            "-machine q35",
            "root=PARTUUID=1-02 rootwait console=ttyS0,115200 systemd.show_status=1 \
             pidoop.report=/dev/ttyS1 ",
            // Image 8 + 40 + 64 MiB; room makes it 512.
            &format!("{node}.card"),
        ] {
            assert!(calls[0].contains(words), "{words}: {calls:?}");
        }
        assert!(!calls[0].contains("pidoop.job"), "{calls:?}");
    }
    let mut logs = theatre.sandbox.names("out/boot-logs");
    logs.retain(|name| name.ends_with(".console.log"));
    assert_eq!(logs, NODES.map(|node| format!("{node}.console.log")));
}

#[test]
fn programs_read_lines_of_json() {
    let theatre = Theatre::new();
    let run = theatre.sandbox.run("boot --json").works();
    let lines = run.json_lines();
    let reports = lines.iter().filter(|line| line["event"] == "report");
    assert_eq!(reports.count(), 3, "{run}");
    let verdict = lines.last().unwrap();
    assert_eq!(verdict["event"], "booted");
    assert_eq!(verdict["version"], 1);
    assert_eq!(verdict["healthy"], true);
    assert_eq!(verdict["hdfs"]["live_datanodes"], 2);
    assert_eq!(verdict["nodes"][1]["node"], "worker1");
    assert_eq!(verdict["nodes"][1]["used_mib"], 500);
    assert_eq!(
        verdict["nodes"][1]["daemons"][0],
        json!({ "daemon": "datanode", "seen_mib": 130, "planned_mib": 190 })
    );
}

#[test]
fn a_part_is_judged_by_itself() {
    let theatre = Theatre::new();
    let run = theatre
        .sandbox
        .run("boot --node worker2 --machine q35 --memory 700M --cpus 1 --card 1G")
        .works()
        .says(&["of cluster tiny, worker2 are healthy"]);
    assert!(!run.stderr.contains("HDFS"), "{run}");
    assert_eq!(theatre.calls().len(), 2, "the router and one node");
    let call = &theatre.calls_of("worker2")[0];
    assert!(
        call.contains("-m 700M") && call.contains("-smp 1"),
        "{call}"
    );
}

#[test]
fn a_node_that_fails_ends_it_with_its_console() {
    let panic = "[    2.1] Kernel panic - not syncing: VFS: Unable to mount root fs";
    let failed = json!({ "report": {
        "event": "booting", "problems": ["x"], "failed_units": ["bluetooth.service", "hdfs-datanode.service"],
    } });
    let cases = [
        (
            json!([{ "console": panic }]),
            ["worker1: the kernel gave up", "Unable to mount root fs"],
        ),
        (
            json!([{ "console": "last words" }, { "says": "qemu: no memory" }, { "exit": 1 }]),
            ["worker1: QEMU stopped", "qemu: no memory"],
        ),
        (
            json!([{ "console": "reboot: Power down" }, { "exit": 0 }]),
            ["worker1: it switched itself off", "Power down"],
        ),
        (
            json!([{ "console": "a line" }, failed]),
            ["worker1: hdfs-datanode.service failed", "a line"],
        ),
    ];
    for (act, words) in cases {
        let theatre = Theatre::new();
        theatre.play(&json!({ "worker1": [act], "others": [[up()]] }));
        theatre
            .sandbox
            .run("boot")
            .refuses(1, &words)
            .says(&["out/boot-logs/worker1.console.log"]);
        theatre.is_empty();
    }
}

#[test]
fn what_is_missing_is_said_when_time_is_up() {
    let theatre = Theatre::new();
    let still =
        json!({ "report": { "event": "booting", "problems": ["ssh.service is inactive"] } });
    theatre.play(&json!({
        "worker1": [[{ "console": "so far" }, still]],
        "others": [[up()]],
    }));
    let run = theatre.sandbox.run("boot --timeout 2 --json");
    let run = run.refuses(1, &["gave up after 2 s", "worker1 is not up", "so far"]);
    let verdict = run.json_lines().pop().unwrap();
    assert_eq!(verdict["healthy"], false);
    assert_eq!(verdict["missing"][1], "worker1 is not up");
    theatre.is_empty();
}

#[test]
fn nodes_that_are_up_are_no_cluster_yet() {
    let theatre = Theatre::new();
    theatre.play_with_workers(&json!({ "others": [[up()]] }), 1);
    theatre.sandbox.run("boot --timeout 2").refuses(
        1,
        &[
            "NameNode on master: it knows 1 DataNodes of 2",
            "ResourceManager on master: it knows 1 NodeManagers of 2",
        ],
    );
}

#[test]
fn a_node_that_restarts_is_started_from_its_card_again() {
    let theatre = Theatre::new();
    let restart = json!([{ "console": "[   99.0] reboot: Restarting system" }, { "exit": 0 }]);
    theatre.play(&json!({
        "worker1": [restart, [up()]],
        "worker2": [restart],
        "others": [[up()]],
    }));
    theatre
        .sandbox
        .run("boot --node worker1")
        .works()
        .says(&["worker1: restarts", "worker1 restarted 1 times"]);
    theatre
        .sandbox
        .run("boot --node worker2")
        .refuses(1, &["worker2: it restarted 3 times"]);
    assert_eq!(theatre.calls_of("worker2").len(), 4);
}

#[test]
fn a_job_counts_when_asked_for() {
    let theatre = Theatre::new();
    let job = |ok: bool| {
        json!({ "report": {
            "event": "job", "ok": ok, "seconds": 77, "detail": "counted words",
        } })
    };
    for (ok, code, words) in [
        (true, 0, "job: counted words, 77 s in all"),
        (false, 1, "the job failed: counted words"),
    ] {
        theatre.play(&json!({ "master": [[up(), job(ok)]], "others": [[up()]] }));
        theatre.sandbox.run("boot --job").exits(code).says(&[words]);
    }
    let master = &theatre.calls_of("master")[0];
    assert!(master.contains(" pidoop.job=2"), "{master}");
    let worker = &theatre.calls_of("worker1")[0];
    assert!(!worker.contains("pidoop.job"), "{worker}");
}

#[test]
fn kept_cards_are_booted_again() {
    let theatre = Theatre::new();
    let sandbox = &theatre.sandbox;
    let first = "boot --node worker1 --cards cards --card 256M";
    sandbox.run(first).works();
    let card = sandbox.path("cards/worker1.card");
    assert_eq!(fs::metadata(&card).unwrap().len(), 256 << 20);
    // What a first boot left must be there at the second.
    flip(&card, 200 << 20);
    let left = run("sha256sum", &[card.as_str()]);
    sandbox
        .run(first)
        .works()
        .says(&["worker1: booting the card cards/worker1.card again"]);
    assert_eq!(run("sha256sum", &[card.as_str()]), left);
    // The disk's id is at byte 440.
    flip(&card, 440);
    sandbox
        .run(first)
        .refuses(2, &["the card cards/worker1.card is disk"]);
}

#[test]
fn an_interrupt_stops_every_machine_and_takes_the_cards_away() {
    let theatre = Theatre::new();
    theatre.play(&json!({ "others": [[]] }));
    let mut command = theatre.sandbox.command("boot --json");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut begun = lines.filter(|line| line.as_ref().unwrap().contains("booting worker2"));
    assert!(begun.next().is_some());
    while theatre.calls_of("worker2").is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    theatre.is_empty();
}

#[test]
fn a_cluster_that_stays_can_be_reached_until_the_interrupt() {
    let theatre = Theatre::new();
    let mut command = theatre.sandbox.command("boot --stay --json");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let verdict = lines
        .map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap())
        .find(|line| line["event"] == "booted")
        .unwrap();
    let reach = &verdict["nodes"][0]["reach"];
    let page = reach["ResourceManager"].as_str().unwrap();
    let mut stream = std::net::TcpStream::connect(page).unwrap();
    stream
        .write_all(b"GET /ws/v1/cluster/metrics HTTP/1.0\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("activeNodes"), "{answer}");
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let ssh = said
        .find(|line| line.as_ref().unwrap().contains("master  ssh -p "))
        .unwrap()
        .unwrap();
    let port = reach["ssh"].as_str().unwrap().replace("127.0.0.1:", "");
    assert_eq!(ssh, format!("  master  ssh -p {port} pi@127.0.0.1"));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    theatre.is_empty();
}

#[test]
fn packed_images_boot_too() {
    let theatre = Theatre::new();
    let image = theatre.sandbox.image("worker1");
    run("xz", &["-0", image.as_str()]);
    theatre.sandbox.run("boot --node worker1").works();
    theatre.is_empty();
}
