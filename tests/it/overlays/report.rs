//! What a node in a rehearsal tells of itself, with systemd's part played.

use std::path::Path;
use std::process::{Command, Output};

use super::{overlay_file, path_with, program, words};

/// A node whose card has 4 GiB.
struct Board {
    dir: tempfile::TempDir,
}

/// Sectors of the card.
const CARD: u64 = 8_388_608;

impl Board {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let board = Self { dir };
        let root = board.path();
        board.file("node.conf", "PIDOOP_NODE=worker1\nPIDOOP_ROLE=worker\nPIDOOP_ADDRESS=10.0.0.11\nPIDOOP_SERVICES=hdfs-datanode.service,yarn-nodemanager.service\n");
        board.cmdline(&format!("quiet pidoop.report={}/port\n", root.display()));
        board.file("port", "");
        board.file(
            "proc/meminfo",
            "MemTotal: 900 kB\nMemAvailable: 300 kB\nSwapTotal: 450 kB\nSwapFree: 440 kB\n",
        );
        board.file("proc/42/status", "VmHWM:\t 220 kB\nVmRSS:\t 200 kB\n");
        board.file("proc/uptime", "73.21 1.0\n");
        board.file("proc/sys/kernel/random/boot_id", "b00t\n");
        board.file("etc/machine-id", "0123\n");
        board.file("sys/real/mmcblk0/size", &format!("{CARD}\n"));
        board.file("sys/real/mmcblk0/mmcblk0p2/partition", "2\n");
        board.file("sys/real/mmcblk0/mmcblk0p2/start", "16384\n");
        board.root_partition(CARD - 16384);
        std::fs::create_dir_all(root.join("sys/dev/block")).unwrap();
        std::os::unix::fs::symlink(
            "../../real/mmcblk0/mmcblk0p2",
            root.join("sys/dev/block/179:2"),
        )
        .unwrap();
        let mut table = vec![0; 512];
        table[440..444].copy_from_slice(&0x1234_abcd_u32.to_le_bytes());
        std::fs::create_dir_all(root.join("dev")).unwrap();
        std::fs::write(root.join("dev/mmcblk0"), table).unwrap();

        board.program("mountpoint", "echo 179:2");
        board.program("stat", &format!("echo {} 4096", (CARD - 16384) / 8));
        board.program(
            "ip",
            "echo '2: eth0    inet 10.0.0.11/24 brd 10.0.0.255 scope global eth0'",
        );
        board.program("ssh-keygen", "echo '256 SHA256:abc root@worker1 (ED25519)'");
        board.systemctl("active");
        board
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn file(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn cmdline(&self, text: &str) {
        self.file("cmdline", text);
    }

    /// Sectors of the root partition.
    fn root_partition(&self, sectors: u64) {
        self.file("sys/real/mmcblk0/mmcblk0p2/size", &format!("{sectors}\n"));
    }

    fn program(&self, name: &str, script: &str) {
        program(&self.path().join("bin"), name, script);
    }

    /// What the DataNode's state is; everything else is active.
    fn systemctl(&self, datanode: &str) {
        self.program(
            "systemctl",
            &format!(
                "case \"$*\" in\n\
                 *list-units*) [[ {datanode} = failed ]] && echo 'hdfs-datanode.service loaded failed' ;;\n\
                 show*) shift 2; for unit; do\n\
                   state=active; [[ $unit = hdfs-datanode.service ]] && state={datanode}\n\
                   pid=0; [[ $unit = hdfs-datanode.service ]] && pid=42\n\
                   echo \"MainPID=$pid\"; echo \"Id=$unit\"; echo \"ActiveState=$state\"; echo\n\
                 done ;;\n\
                 esac\nexit 0"
            ),
        );
    }

    fn run(&self, rounds: u32) -> Output {
        let at = |name: &str| self.path().join(name);
        Command::new("bash")
            .arg(overlay_file("base/usr/local/lib/pidoop/report"))
            .env("PATH", path_with(&at("bin")))
            .env("PIDOOP_CMDLINE", at("cmdline"))
            .env("PIDOOP_FACTS", at("node.conf"))
            .env("PIDOOP_PROC", at("proc"))
            .env("PIDOOP_SYS", at("sys"))
            .env("PIDOOP_DEV", at("dev"))
            .env("PIDOOP_ETC", at("etc"))
            .env("PIDOOP_JOB", at("job.json"))
            .env("PIDOOP_PAUSE", "0")
            .env("PIDOOP_BEAT", "1")
            .env("PIDOOP_ROUNDS", rounds.to_string())
            .output()
            .unwrap()
    }

    /// The reports, each of which must be JSON.
    fn reports(&self, rounds: u32) -> Vec<serde_json::Value> {
        let output = self.run(rounds);
        assert!(output.status.success(), "{}", words(&output));
        let text = std::fs::read_to_string(self.path().join("port")).unwrap();
        text.lines()
            .map(|line| line.strip_prefix("pidoop-report: ").unwrap())
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }
}

#[test]
fn a_node_that_is_up_says_what_it_is() {
    let reports = Board::new().reports(1);
    let events: Vec<_> = reports.iter().map(|report| &report["event"]).collect();
    assert_eq!(events, ["booting", "up"], "{reports:?}");
    assert_eq!(
        reports[1],
        serde_json::json!({
            "version": 1, "event": "up", "node": "worker1", "role": "worker",
            "boot_id": "b00t", "uptime_s": 73, "machine_id": "0123", "disk_id": "1234abcd",
            "root_bytes": (CARD - 16384) * 512, "filesystem_bytes": (CARD - 16384) * 512,
            "card_bytes": CARD * 512, "host_key": "SHA256:abc", "addresses": ["10.0.0.11/24"],
            "failed_units": [],
            "services": {"hdfs-datanode.service": "active", "yarn-nodemanager.service": "active"},
            "memory": {"total_kib": 900, "available_kib": 300, "swap_used_kib": 10,
                "daemons": [{"name": "hdfs-datanode", "pid": 42, "rss_kib": 200, "peak_kib": 220}]},
            "problems": [],
        })
    );
}

#[test]
fn a_node_is_not_up_while_anything_is_missing() {
    type Spoil = fn(&Board);
    let cases: [(Spoil, &str); 4] = [
        (
            |board| board.systemctl("failed"),
            "hdfs-datanode.service is failed",
        ),
        (
            |board| board.root_partition(CARD / 2),
            "the root partition leaves 2040 MiB of the card unused",
        ),
        (
            |board| board.program("stat", "echo 1000 4096"),
            "the root filesystem does not fill its partition",
        ),
        (
            |board| board.program("ip", "echo '2: eth0    inet 10.0.0.110/24 scope global'"),
            "no interface has the address 10.0.0.11",
        ),
    ];
    for (spoil, problem) in cases {
        let board = Board::new();
        spoil(&board);
        let reports = board.reports(3);
        assert!(
            reports.iter().all(|report| report["event"] == "booting"),
            "{problem}"
        );
        let last = reports.last().unwrap();
        assert_eq!(last["problems"], serde_json::json!([problem]));
    }
}

#[test]
fn what_a_job_came_to_is_passed_on_once() {
    let board = Board::new();
    board.file(
        "job.json",
        "{\"version\":1,\"event\":\"job\",\"ok\":true}\n",
    );
    let reports = board.reports(4);
    let jobs = reports
        .iter()
        .filter(|report| report["event"] == "job")
        .count();
    assert_eq!(jobs, 1);
}

#[test]
fn without_its_word_on_the_command_line_it_says_nothing() {
    let board = Board::new();
    board.cmdline("quiet rootwait\n");
    assert_eq!(board.run(1).status.code(), Some(2));
    assert_eq!(
        std::fs::read_to_string(board.path().join("port")).unwrap(),
        ""
    );
}
