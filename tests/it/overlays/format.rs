//! The guard before HDFS's first format, against every state a name directory
//! can be in. The `hdfs` here behaves as the real one was seen to (3.3.6):
//! formatting refuses a directory with anything in it, and exits with 1.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rstest::rstest;

use super::{overlay_file, program, words};

const ID: &str = "CID-63e89ba8-b0b4-4ebc-b0e3-df2171c119e5";
const IMAGE: &str = "fsimage_0000000000000000000";

struct Master {
    dir: tempfile::TempDir,
}

impl Master {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::write(root.join("cluster-id"), format!("{ID}\n")).unwrap();
        let data = root.join("data").display().to_string();
        program(
            &root.join("hadoop/bin"),
            "hdfs",
            &format!(
                r#"echo "$*" >>{root}/calls
                case "$1 $2 $3" in
                  "getconf -confKey dfs.namenode.name.dir") echo "${{NAME_DIRS:-file://{data}/hdfs/name}}" ;;
                  "getconf -confKey dfs.namenode.checkpoint.dir") echo "file://{data}/hdfs/namesecondary" ;;
                  "namenode -format -nonInteractive")
                    [[ "$4 $5" == "-clusterId {ID}" ]] || exit 9
                    [[ -z ${{FAIL-}} ]] || exit 1
                    dirs=${{NAME_DIRS:-file://{data}/hdfs/name}}
                    for dir in ${{dirs//,/ }}; do
                      dir=${{dir#file://}}
                      [[ ! -d $dir || -z $(ls -A "$dir") ]] || {{ echo "data appears to exist in $dir"; exit 1; }}
                      mkdir -p "$dir/current"
                      printf 'namespaceID=7\nclusterID=%s\n' "$5" >"$dir/current/VERSION"
                      echo 0 >"$dir/current/seen_txid"
                      echo image >"$dir/current/{IMAGE}"
                      echo sum >"$dir/current/{IMAGE}.md5"
                    done ;;
                  *) echo "unexpected: $*"; exit 9 ;;
                esac"#,
                root = root.display(),
            ),
        );
        Self { dir }
    }

    fn name_dir(&self) -> PathBuf {
        self.dir.path().join("data/hdfs/name")
    }

    /// Puts a file below the data directory.
    fn put(&self, path: &str, text: &str) -> &Self {
        let path = self.dir.path().join("data/hdfs").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Writes an `hdfs-site.xml` with these properties.
    fn configure(&self, properties: &str) {
        let dir = self.dir.path().join("hadoop/etc/hadoop");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(
            dir.join("hdfs-site.xml"),
            format!("<!--\n  pidoop\n-->\n<configuration>\n  {properties}\n</configuration>\n"),
        )
        .unwrap();
    }

    fn make(&self, path: &str) -> &Self {
        std::fs::create_dir_all(self.dir.path().join("data/hdfs").join(path)).unwrap();
        self
    }

    fn boot_with(&self, variables: &[(&str, &str)]) -> Output {
        Command::new("bash")
            .arg(overlay_file("hadoop/usr/local/lib/pidoop/hdfs-format"))
            .env("PIDOOP_HADOOP", self.dir.path().join("hadoop"))
            .env("PIDOOP_DATA", self.dir.path().join("data"))
            .env("PIDOOP_CLUSTER_ID", self.dir.path().join("cluster-id"))
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }

    fn boot(&self) -> Output {
        self.boot_with(&[])
    }

    /// How often hdfs was asked to format.
    fn formats(&self) -> usize {
        let calls = std::fs::read_to_string(self.dir.path().join("calls")).unwrap_or_default();
        assert!(!calls.contains("-force"), "{calls}");
        calls
            .lines()
            .filter(|call| call.contains("-format"))
            .count()
    }

    fn version(&self) -> String {
        std::fs::read_to_string(self.name_dir().join("current/VERSION")).unwrap()
    }
}

/// All files below `dir` with their text.
fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    walkdir::WalkDir::new(dir)
        .sort_by_file_name()
        .into_iter()
        .map(Result::unwrap)
        .map(|entry| {
            (
                entry.path().to_owned(),
                std::fs::read(entry.path()).unwrap_or_default(),
            )
        })
        .collect()
}

#[track_caller]
fn assert_formats(master: &Master) {
    let output = master.boot();
    assert!(output.status.success(), "{}", words(&output));
    assert_eq!(master.formats(), 1);
    assert!(master.version().contains(ID));
    // The next boot leaves it alone, and costs no Java.
    let calls = master.dir.path().join("calls");
    let before = std::fs::read(&calls).unwrap();
    let output = master.boot();
    assert!(
        output.status.success() && words(&output).contains("is formatted"),
        "{}",
        words(&output)
    );
    assert_eq!(std::fs::read(&calls).unwrap(), before);
}

#[track_caller]
fn assert_refuses(master: &Master, expected: &str) {
    let before = snapshot(&master.dir.path().join("data"));
    let output = master.boot();
    assert_eq!(output.status.code(), Some(3), "{}", words(&output));
    assert!(words(&output).contains(expected), "{}", words(&output));
    assert_eq!(master.formats(), 0);
    assert_eq!(snapshot(&master.dir.path().join("data")), before);
}

#[test]
fn an_absent_name_directory_is_formatted() {
    assert_formats(&Master::new());
}

#[test]
fn an_empty_name_directory_is_formatted() {
    assert_formats(Master::new().make("name"));
}

#[rstest]
#[case(&[])]
#[case(&["VERSION"])]
#[case(&["VERSION", "seen_txid"])]
#[case(&["VERSION.tmp"])]
#[case(&["VERSION", "seen_txid", "fsimage.ckpt_0000000000000000000"])]
#[case(&["VERSION", "seen_txid", "fsimage.ckpt_0000000000000000000", "fsimage.ckpt_0000000000000000000.md5"])]
#[case(&["VERSION", "seen_txid", "fsimage_0000000000000000000", "fsimage.ckpt_0000000000000000000.md5"])]
fn a_format_cut_short_is_begun_again(#[case] left: &[&str]) {
    let master = Master::new();
    master.make("name/current");
    for name in left {
        master.put(
            &format!("name/current/{name}"),
            if *name == "seen_txid" { "0\n" } else { "" },
        );
    }
    assert_formats(&master);
}

#[test]
fn a_formatted_directory_is_left_alone_whatever_its_cluster() {
    let master = Master::new();
    master
        .put("name/current/VERSION", "clusterID=CID-another\n")
        .put(&format!("name/current/{IMAGE}"), "image")
        .put(&format!("name/current/{IMAGE}.md5"), "sum")
        .put("name/current/edits_inprogress_0000000000000000001", "edits")
        .put("name/in_use.lock", "");
    let before = snapshot(&master.name_dir());
    let output = master.boot();
    assert!(output.status.success(), "{}", words(&output));
    assert!(
        words(&output).contains("will be refused"),
        "{}",
        words(&output)
    );
    assert_eq!(master.formats(), 0);
    assert_eq!(snapshot(&master.name_dir()), before);
}

#[rstest]
// A power failure may empty VERSION, or lose it, long after the first format.
#[case(&["current/fsimage_0000000000000000042", "current/fsimage_0000000000000000042.md5"])]
#[case(&["current/VERSION", "current/edits_0000000000000000001-0000000000000000042"])]
#[case(&["current/VERSION", "current/edits_inprogress_0000000000000000001"])]
#[case(&["current/VERSION", "current/fsimage_0000000000000000042"])]
#[case(&["current/VERSION", "current/fsimage.ckpt_0000000000000000042"])]
#[case(&["previous/VERSION"])]
#[case(&["notes.txt"])]
#[case(&["lost+found/x", "notes.txt"])]
fn what_may_be_data_is_never_formatted(#[case] left: &[&str]) {
    let master = Master::new();
    for name in left {
        master.put(&format!("name/{name}"), "");
    }
    assert_refuses(&master, "is not formatted, but not empty");
}

#[test]
fn transactions_without_a_trace_stop_it() {
    let master = Master::new();
    master.put("name/current/seen_txid", "42\n");
    assert_refuses(&master, "seen_txid of transactions");
}

#[test]
fn the_root_of_a_filesystem_is_refused_with_the_reason() {
    let master = Master::new();
    master.make("name/lost+found");
    assert_refuses(&master, "name a directory below it");
}

#[test]
fn a_checkpoint_of_a_lost_filesystem_stops_it() {
    let master = Master::new();
    master
        .make("name")
        .put("namesecondary/current/fsimage_0000000000000000042", "image");
    assert_refuses(&master, "-importCheckpoint");
}

#[test]
fn what_the_configuration_says_plainly_costs_no_java() {
    let master = Master::new();
    let data = master.dir.path().join("data/hdfs");
    master.configure(&format!(
        "<property>\n    <name>dfs.namenode.name.dir</name>\n    <value>file://{0}/name</value>\n  \
         </property>\n  <property>\n    <name>dfs.namenode.checkpoint.dir</name>\n    \
         <value>file://{0}/namesecondary</value>\n  </property>",
        data.display()
    ));
    assert_formats(&master);
    let calls = std::fs::read_to_string(master.dir.path().join("calls")).unwrap();
    assert!(!calls.contains("getconf"), "{calls}");
}

#[rstest]
#[case::variable("<value>${hadoop.tmp.dir}/name</value>")]
#[case::entity("<value>/a&amp;b</value>")]
#[case::elsewhere("<final>true</final><value>/elsewhere</value>")]
#[case::comment("<value>/elsewhere</value><!-- old -->")]
#[case::twice("<value>/one</value>\n<name>dfs.namenode.name.dir</name>\n<value>/two</value>")]
#[case::include("<value>/elsewhere</value>\n<xi:include href=\"more.xml\"/>")]
fn in_doubt_hadoop_is_asked(#[case] value: &str) {
    let master = Master::new();
    master.configure(&format!("<name>dfs.namenode.name.dir</name>\n    {value}"));
    assert_formats(&master);
    let calls = std::fs::read_to_string(master.dir.path().join("calls")).unwrap();
    assert!(
        calls.contains("getconf -confKey dfs.namenode.name.dir"),
        "{calls}"
    );
}

#[test]
fn a_failed_format_is_tried_again() {
    let master = Master::new();
    let output = master.boot_with(&[("FAIL", "1")]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    assert!(master.boot().status.success());
    assert_eq!(master.formats(), 2);
}

#[test]
fn one_formatted_directory_of_two_is_enough() {
    let master = Master::new();
    let dirs = |names: [&str; 2]| {
        names
            .map(|name| format!("file://{}/data/hdfs/{name}", master.dir.path().display()))
            .join(", ")
    };
    let both = dirs(["one", "two"]);
    let output = master.boot_with(&[("NAME_DIRS", &both.replace(' ', ""))]);
    assert!(output.status.success(), "{}", words(&output));
    std::fs::remove_dir_all(master.dir.path().join("data/hdfs/one")).unwrap();
    let output = master.boot_with(&[("NAME_DIRS", &both)]);
    assert!(output.status.success() && words(&output).contains("two is formatted"));
    assert_eq!(master.formats(), 1);
}
