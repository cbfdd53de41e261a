//! The directories a fresh HDFS gets.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

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
        // Where nobody answers.
        master.configure(1);
        master
    }

    /// Says that the NameNode's page has this port.
    fn configure(&self, port: u16) {
        let dir = self.dir.path().join("hadoop/etc/hadoop");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(
            dir.join("hdfs-site.xml"),
            format!(
                "<!-- pidoop -->\n<name>dfs.namenode.http-address</name>\n\
                 <value>127.0.0.1:{port}</value>\n"
            ),
        )
        .unwrap();
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
        Command::new("bash")
            .arg(overlay_file("hadoop/usr/local/lib/pidoop/hdfs-layout"))
            .env("PIDOOP_HADOOP", root.join("hadoop"))
            .env("PIDOOP_DATA", root.join("data"))
            .env("PIDOOP_FACTS", root.join("node.conf"))
            .env("STATE_DIRECTORY", state)
            .env("PIDOOP_PAUSE", "0")
            .env("PIDOOP_PATIENCE", "5")
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

/// The page of a NameNode that is in safe mode for the first `refusals` requests,
/// and what it was asked.
fn namenode(refusals: usize) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            lines.find(|line| line.as_ref().unwrap().is_empty());
            let status = if number < refusals {
                "403 Forbidden"
            } else {
                heard.lock().unwrap().push(request);
                "200 OK"
            };
            let _ = write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n\r\n");
        }
    });
    (port, asked)
}

#[test]
fn webhdfs_makes_the_directories_without_java() {
    let master = Master::new(0);
    let (port, asked) = namenode(3);
    master.configure(port);
    let output = master.boot();
    assert!(output.status.success(), "{}", words(&output));
    assert!(master.calls().is_empty());
    let asked = asked.lock().unwrap();
    let expected = |path: &str, operation: &str| {
        let request = format!("PUT /webhdfs/v1{path}?user.name=hadoop&op={operation} HTTP/1.0");
        assert!(asked.contains(&request), "{request} is not in {asked:#?}");
    };
    for path in [
        "/tmp",
        "/tmp/logs",
        "/tmp/hadoop-yarn/staging",
        "/tmp/hadoop-yarn/staging/history/done_intermediate",
    ] {
        expected(path, "MKDIRS");
        expected(path, "SETPERMISSION&permission=1777");
        expected(path, "SETOWNER&owner=hadoop&group=hadoop");
    }
    expected("/user", "SETPERMISSION&permission=755");
    expected("/user/keeper", "SETOWNER&owner=keeper&group=keeper");
    expected(
        "/tmp/hadoop-yarn/staging/history/done",
        "SETPERMISSION&permission=750",
    );
    assert!(words(&master.boot()).contains("done before"));
}

#[test]
fn hadoops_commands_do_it_where_webhdfs_does_not() {
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
        open.contains("-chmod 1777 /tmp /tmp/logs /tmp/hadoop-yarn/staging "),
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
