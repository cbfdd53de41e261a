//! The smoke job of a rehearsal, with Hadoop's part played.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use super::{overlay_file, program};

/// A master whose pages say how many workers there are, and whose `yarn` counts
/// words with the given script (`$in` and `$out` are files).
struct Master {
    dir: tempfile::TempDir,
}

impl Master {
    fn new(count: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let hadoop = root.join("hadoop");
        let jars = hadoop.join("share/hadoop/mapreduce");
        std::fs::create_dir_all(&jars).unwrap();
        std::fs::write(jars.join("hadoop-mapreduce-examples-3.5.0.jar"), "").unwrap();
        std::fs::write(
            root.join("node.conf"),
            "PIDOOP_NODE=master\nPIDOOP_MASTER=127.0.0.1\n",
        )
        .unwrap();
        std::fs::write(root.join("cmdline"), "quiet pidoop.job=2 rootwait\n").unwrap();
        let stored = root.join("stored");
        program(
            &hadoop.join("bin"),
            "hdfs",
            &format!(
                "case \"$*\" in *-put*) cp \"$4\" {0}/stored ;; *-cat*) cat {0}/out ;; esac",
                root.display()
            ),
        );
        program(
            &hadoop.join("bin"),
            "yarn",
            &format!(
                "in={} out={}/out\n{count}",
                stored.display(),
                root.display()
            ),
        );
        Self { dir }
    }

    fn run(&self, workers: [u32; 2]) -> serde_json::Value {
        let at = |name: &str| self.dir.path().join(name);
        // The script asks ports of its own for the pages: it is read with these
        // in their place, since a test must not take well-known ports.
        let script =
            std::fs::read_to_string(overlay_file("hadoop/usr/local/lib/pidoop/smoke-job")).unwrap();
        let [hdfs, yarn] = [
            page(format!(
                "{{ \"beans\" : [ {{\n \"NumLiveDataNodes\" : {} }} ] }}",
                workers[0]
            )),
            page(format!(
                "{{\"clusterMetrics\":{{\"activeNodes\":{}}}}}",
                workers[1]
            )),
        ];
        assert!(script.contains("page 9870 ") && script.contains("page 8088 "));
        let script = script
            .replace("page 9870 ", &format!("page {hdfs} "))
            .replace("page 8088 ", &format!("page {yarn} "));
        std::fs::write(at("smoke-job"), script).unwrap();
        let mut child = Command::new("timeout")
            .args(["60", "bash"])
            .arg(at("smoke-job"))
            .env("PIDOOP_CMDLINE", at("cmdline"))
            .env("PIDOOP_FACTS", at("node.conf"))
            .env("PIDOOP_HADOOP", at("hadoop"))
            .env("PIDOOP_RUN", self.dir.path())
            .env("PIDOOP_PAUSE", "1")
            .env("PIDOOP_LINES", "500")
            .spawn()
            .unwrap();
        assert!(child.wait().unwrap().success());
        verdict(&at("job.json"))
    }
}

fn verdict(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The port of a server that gives one answer to everybody.
fn page(body: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = write!(stream, "HTTP/1.0 200 OK\r\n\r\n{body}");
        }
    });
    port
}

#[test]
fn a_right_answer_is_told_from_a_wrong_one() {
    let right = "tr ' ' '\\n' <$in | LC_ALL=C sort | uniq -c | awk '{ print $2 \"\\t\" $1 }' >$out";
    let told = Master::new(right).run([2, 3]);
    assert_eq!(
        (&told["event"], &told["ok"]),
        (&"job".into(), &true.into()),
        "{told}"
    );
    assert!(
        told["detail"].as_str().unwrap().contains("500 lines"),
        "{told}"
    );

    let lossy = right.replace("<$in", "<<<\"$(tail -n +2 $in)\"");
    let told = Master::new(&lossy).run([2, 2]);
    assert_eq!(told["ok"], false, "{told}");
    assert!(
        told["detail"]
            .as_str()
            .unwrap()
            .contains("the answer is wrong"),
        "{told}"
    );
}

#[test]
fn a_job_that_fails_is_quoted() {
    let told = Master::new("echo 'Container \"killed\" on request.'; exit 1").run([2, 2]);
    assert_eq!(told["ok"], false, "{told}");
    assert_eq!(
        told["detail"],
        "the job failed: Container 'killed' on request. "
    );
}
