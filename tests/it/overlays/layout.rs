//! The directories a fresh HDFS gets.

use std::process::{Command, Output};

use super::{overlay_file, program, words};

struct Master {
    dir: tempfile::TempDir,
}

impl Master {
    /// A master whose NameNode is not up until it has been asked `refusals`
    /// times.
    fn new(refusals: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::write(root.join("node.conf"), "# facts\nPIDOOP_USER=keeper\n").unwrap();
        program(
            &root.join("hadoop/bin"),
            "hdfs",
            &format!(
                r#"cd {root}; echo "$*" >>calls
                case "$1 $2" in
                  "dfsadmin -safemode") [[ $(grep -c safemode calls) -gt {refusals} ]] ;;
                  "dfs -mkdir" | "dfs -chmod" | "dfs -chown") [[ ! -e broken ]] ;;
                  *) exit 9 ;;
                esac"#,
                root = root.display(),
            ),
        );
        let master = Self { dir };
        master.format(7);
        master
    }

    fn format(&self, namespace: u32) {
        let current = self.dir.path().join("data/hdfs/name/current");
        std::fs::create_dir_all(&current).unwrap();
        std::fs::write(
            current.join("VERSION"),
            format!("namespaceID={namespace}\n"),
        )
        .unwrap();
    }

    fn boot(&self) -> Output {
        let root = self.dir.path();
        let state = root.join("state");
        std::fs::create_dir_all(&state).unwrap();
        Command::new("sh")
            .arg(overlay_file("hadoop/usr/local/lib/pidoop/hdfs-layout"))
            .env("PIDOOP_HADOOP", root.join("hadoop"))
            .env("PIDOOP_DATA", root.join("data"))
            .env("PIDOOP_FACTS", root.join("node.conf"))
            .env("STATE_DIRECTORY", state)
            .env("PIDOOP_PAUSE", "0")
            .output()
            .unwrap()
    }

    /// Commands given to hdfs since the last question.
    fn calls(&self) -> Vec<String> {
        let calls = self.dir.path().join("calls");
        let text = std::fs::read_to_string(&calls).unwrap_or_default();
        let _ = std::fs::remove_file(calls);
        text.lines().map(str::to_owned).collect()
    }
}

#[test]
fn directories_are_made_once_the_namenode_is_up() {
    let master = Master::new(2);
    let output = master.boot();
    assert!(output.status.success(), "{}", words(&output));
    let calls = master.calls();
    assert_eq!(
        calls
            .iter()
            .filter(|call| call.contains("-safemode wait"))
            .count(),
        3
    );
    let made = calls
        .iter()
        .find(|call| call.contains("-mkdir -p"))
        .unwrap();
    for directory in [
        "/tmp/logs",
        "/tmp/hadoop-yarn/staging/history/done",
        "/user/hadoop",
        "/user/keeper",
    ] {
        assert!(made.contains(directory), "{made}");
    }
    let open = calls
        .iter()
        .find(|call| call.contains("-chmod 1777"))
        .unwrap();
    assert!(
        open.contains(" /tmp /tmp/logs /tmp/hadoop-yarn/staging "),
        "{open}"
    );
    assert!(open.ends_with("done_intermediate"), "{open}");
    assert!(
        calls
            .iter()
            .any(|call| call == "dfs -chown keeper:keeper /user/keeper"),
        "{calls:?}"
    );
    // Never forced out of safe mode.
    assert!(
        !calls.iter().any(|call| call.contains("leave")),
        "{calls:?}"
    );
}

#[test]
fn it_is_done_once_for_each_filesystem() {
    let master = Master::new(0);
    assert!(master.boot().status.success());
    master.calls();
    assert!(words(&master.boot()).contains("done before"));
    assert!(master.calls().is_empty());
    master.format(8);
    assert!(master.boot().status.success());
    assert!(!master.calls().is_empty());
}

#[test]
fn what_failed_is_done_again() {
    let master = Master::new(0);
    std::fs::write(master.dir.path().join("broken"), "").unwrap();
    assert!(!master.boot().status.success());
    std::fs::remove_file(master.dir.path().join("broken")).unwrap();
    master.calls();
    assert!(master.boot().status.success());
    assert!(master.calls().iter().any(|call| call.contains("-mkdir")));
}
