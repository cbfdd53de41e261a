use super::*;
use crate::cluster::Cluster;
use crate::hadoop::fixture::{cluster, release_defaults, set};

/// The example cluster with one property at 5..9.
fn with(file: ConfigFile, key: &str, value: &str) -> Cluster {
    let mut own = cluster(&["pi4-4gb", "pi4-4gb", "pi4-4gb"]);
    set(&mut own.properties, file, key, value, 5..9);
    own
}

fn said(file: ConfigFile, key: &str, value: &str) -> String {
    let problems = check_properties(&with(file, key, value), &release_defaults());
    assert_eq!(problems.len(), 1, "{file:?} {key}: {problems:?}");
    assert_eq!(problems[0].span, 5..9);
    format!(
        "{}; {}",
        problems[0].message,
        problems[0].help.as_deref().unwrap_or("-")
    )
}

#[rstest::rstest]
#[case(ConfigFile::Hdfs, "dfs.replicaton", "did you mean dfs.replication?")]
#[case(ConfigFile::Hdfs, "dfs.blockSize", "did you mean dfs.blocksize?")]
#[case(ConfigFile::Core, "fs.defaultfs", "did you mean fs.defaultFS?")]
#[case(
    ConfigFile::Core,
    "fs.trash.intervall",
    "did you mean fs.trash.interval?"
)]
#[case(
    ConfigFile::Yarn,
    "yarn.nodemanager.resource.memory.mb",
    "did you mean yarn.nodemanager.resource.memory-mb?"
)]
#[case(
    ConfigFile::Mapred,
    "mapreduce.map.java.opt",
    "did you mean mapreduce.map.java.opts?"
)]
#[case(
    ConfigFile::Core,
    "dfs.replicatin",
    "core-site.xml has no property dfs.replicatin; did you mean dfs.replication, in hdfs-site.xml?"
)]
#[case(ConfigFile::Hdfs, "colour", "hdfs-site.xml has no property colour; -")]
#[case(
    ConfigFile::Core,
    "dfs.replication",
    "belongs in hdfs-site.xml, not in core-site.xml"
)]
#[case(
    ConfigFile::Yarn,
    "mapreduce.map.memory.mb",
    "belongs in mapred-site.xml"
)]
#[case(
    ConfigFile::Yarn,
    "yarn.scheduler.capacity.maximum-am-resource-percent",
    "belongs in capacity-scheduler.xml"
)]
#[case(
    ConfigFile::CapacityScheduler,
    "yarn.acl.enable",
    "belongs in yarn-site.xml"
)]
#[case(
    ConfigFile::CapacityScheduler,
    "root.queues",
    "has no property root.queues"
)]
#[case(
    ConfigFile::Core,
    "fs.default.name",
    "is an old name of fs.defaultFS; write fs.defaultFS"
)]
#[case(ConfigFile::Hdfs, "dfs.block.size", "is an old name of dfs.blocksize")]
#[case(
    ConfigFile::Hdfs,
    "dfs.datanode.name.dir",
    "is an old name of dfs.namenode.name.dir"
)]
#[case(
    ConfigFile::Core,
    "mapred.reduce.tasks",
    "write mapreduce.job.reduces in [hadoop.properties.\"mapred-site.xml\"]"
)]
#[case(ConfigFile::Mapred, "mapred.job.tracker", "nothing reads it today")]
#[case(
    ConfigFile::Mapred,
    "mapreduce.jobtracker.address",
    "nothing reads it today"
)]
fn a_key_nobody_reads_is_shown(#[case] file: ConfigFile, #[case] key: &str, #[case] says: &str) {
    let said = said(file, key, "1");
    assert!(said.contains(says), "{said}");
}

#[rstest::rstest]
#[case(
    ConfigFile::Hdfs,
    "dfs.replication",
    "two",
    "a whole number without a unit"
)]
#[case(ConfigFile::Hdfs, "dfs.blocksize", "64 MB", "with its unit")]
#[case(ConfigFile::Hdfs, "dfs.permissions.enabled", "yes", "true or false")]
#[case(
    ConfigFile::Yarn,
    "yarn.nodemanager.resource.memory-mb",
    "2g",
    "without a unit"
)]
#[case(
    ConfigFile::Mapred,
    "mapreduce.reduce.shuffle.merge.percent",
    "66%",
    "a decimal number"
)]
fn a_value_hadoop_cannot_read_is_shown(
    #[case] file: ConfigFile,
    #[case] key: &str,
    #[case] value: &str,
    #[case] says: &str,
) {
    let said = said(file, key, value);
    assert!(said.contains(says), "{said}");
}

#[rstest::rstest]
#[case(ConfigFile::Core, "hadoop.proxyuser.hue.hosts", "*")]
#[case(ConfigFile::Core, "fs.s3.impl", "org.example.S3")]
#[case(ConfigFile::Core, "fs.s3a.bucket.logs.endpoint.region", "eu-west-1")]
#[case(ConfigFile::Core, "fs.gs.project.id", "elephants")]
#[case(
    ConfigFile::Core,
    "ipc.8020.callqueue.impl",
    "org.apache.hadoop.ipc.FairCallQueue"
)]
#[case(ConfigFile::Hdfs, "dfs.blocksize", "32m")]
#[case(ConfigFile::Hdfs, "dfs.namenode.rpc-address.elephant", "master:8020")]
#[case(ConfigFile::Hdfs, "dfs.ha.namenodes.elephant", "nn1,nn2")]
#[case(ConfigFile::Hdfs, "dfs.datanode.data.dir.perm", "750")]
#[case(
    ConfigFile::Yarn,
    "yarn.nodemanager.aux-services.spark_shuffle.class",
    "org.example.S"
)]
#[case(ConfigFile::Yarn, "yarn.resourcemanager.hostname.rm1", "master")]
#[case(ConfigFile::Yarn, "yarn.timeline-service.versions", "1.5f,2.0f")]
#[case(ConfigFile::Mapred, "mapreduce.map.env.TZ", "Etc/UTC")]
#[case(ConfigFile::Mapred, "mapreduce.map.java.opts", "-Xmx300m")]
#[case(
    ConfigFile::CapacityScheduler,
    "yarn.scheduler.capacity.root.queues",
    "default,night"
)]
fn a_key_hadoop_reads_is_let_through(
    #[case] file: ConfigFile,
    #[case] key: &str,
    #[case] value: &str,
) {
    assert_eq!(
        check_properties(&with(file, key, value), &release_defaults()),
        []
    );
}

#[test]
fn properties_of_single_nodes_are_checked_too() {
    let mut own = cluster(&["pi4-4gb", "pi4-4gb"]);
    set(
        &mut own.nodes[1].properties,
        ConfigFile::Hdfs,
        "dfs.replicaton",
        "1",
        2..4,
    );
    let problems = check_properties(&own, &release_defaults());
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].span, 2..4);
}

#[test]
fn the_list_of_the_undocumented_has_nothing_documented() {
    let defaults = release_defaults();
    for (_, key) in UNDOCUMENTED {
        assert_eq!(defaults.file_of(key), None, "{key} is documented");
    }
}
