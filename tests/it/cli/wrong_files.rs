//! What people read when a file they wrote is wrong.

use insta::assert_snapshot;

use super::{CLUSTER, sandbox};
use crate::support::world::{ClusterFile, Sandbox, world};

/// What is said of [`CLUSTER`] with `from`, of which it has one, replaced by
/// `to`.
#[track_caller]
fn wrong(from: &str, to: &str) -> String {
    assert_eq!(CLUSTER.matches(from).count(), 1, "{from}");
    let sandbox = sandbox(&CLUSTER.replace(from, to));
    let run = sandbox.run("check").exits(2);
    assert_eq!(run.stdout, "");
    // A build says the same before it does anything.
    let build = sandbox.run("build").exits(2);
    assert_eq!(build.stderr, run.stderr);
    assert_eq!(sandbox.names("."), ["cluster.toml", "home", "tmp"]);
    assert_eq!(sandbox.names("home"), [".ssh"]);
    run.stderr
}

#[test]
fn text_that_is_not_toml() {
    let said = wrong(r#"name = "tiny""#, r#"name = "tiny"#);
    assert_snapshot!(said, @r##"
    error: this is not TOML: invalid basic string, expected `"`
     --> cluster.toml:4:13
      |
    4 | name = "tiny
      |             ^
    "##);
}

#[test]
fn a_misspelt_key() {
    let said = wrong(r#"address = "10.4.0.11""#, r#"adress = "10.4.0.11""#);
    assert_snapshot!(said, @r##"
    error: unknown key `adress` in [[node]]
      --> cluster.toml:26:1
       |
    26 | adress = "10.4.0.11"
       | ^^^^^^
       |
       = help: did you mean `address`?
    "##);
}

#[test]
fn a_file_for_another_version() {
    let said = wrong("schema = 1", "schema = 2");
    assert_snapshot!(said, @r##"
    error: schema 2 is not one this version reads
     --> cluster.toml:1:10
      |
    1 | schema = 2
      |          ^ only 1 is
      |
      = help: write `schema = 1`, or use the version of pidoop this file is for
    "##);
}

#[test]
fn a_part_left_out() {
    let said = wrong(
        "[network]\nsubnet = \"10.4.0.0/24\"\ngateway = \"10.4.0.1\"\n\n",
        "",
    );
    assert_snapshot!(said, @r##"
    error: the file has no `[network]`
     --> cluster.toml:1:1
      |
    1 | schema = 1
      | ^ `[network]` is missing
      |
      = help: add `[network]` with at least `subnet = "192.168.1.0/24"` below it
    "##);
}

#[test]
fn a_name_used_twice() {
    let said = wrong(r#"name = "worker1""#, r#"name = "master""#);
    assert_snapshot!(said, @r##"
    error: the name master is used twice
      --> cluster.toml:23:8
       |
    17 | name = "master"
       |        -------- first used here
    ...
    23 | name = "master"
       |        ^^^^^^^^ used again
       |
       = help: a node's name is its own
    "##);
}

#[test]
fn an_address_outside_the_subnet() {
    let said = wrong(r#"address = "10.4.0.11""#, r#"address = "10.5.0.11""#);
    assert_snapshot!(said, @r##"
    error: the address 10.5.0.11 is outside the subnet 10.4.0.0/24
      --> cluster.toml:26:11
       |
    13 | subnet = "10.4.0.0/24"
       |          ------------- the subnet
    ...
    26 | address = "10.5.0.11"
       |           ^^^^^^^^^^^
       |
       = help: use an address between 10.4.0.1 and 10.4.0.254
    "##);
}

#[test]
fn an_address_that_is_the_gateways() {
    let said = wrong(r#"address = "10.4.0.11""#, r#"address = "10.4.0.1""#);
    assert_snapshot!(said, @r##"
    error: the address 10.4.0.1 is the gateway's
      --> cluster.toml:26:11
       |
    14 | gateway = "10.4.0.1"
       |           ---------- the gateway
    ...
    26 | address = "10.4.0.1"
       |           ^^^^^^^^^^ taken
    "##);
}

#[test]
fn a_second_master() {
    let said = wrong(r#"role = "worker""#, r#"role = "master""#);
    assert_snapshot!(said, @r##"
    error: a cluster has one master, this is another
      --> cluster.toml:24:8
       |
    18 | role = "master"
       |        -------- the first
    ...
    24 | role = "master"
       |        ^^^^^^^^ another
       |
       = help: make it a worker, or write a cluster file of its own
    "##);
}

#[test]
fn everything_wrong_with_a_node_at_once() {
    let said = wrong(
        "name = \"worker1\"\nrole = \"worker\"\nboard = \"pi4-4gb\"",
        "name = \"Worker_1\"\nrole = \"slave\"\nboard = \"pi2\"",
    );
    assert_snapshot!(said, @r##"
    error: a host name begins with a lower-case letter
      --> cluster.toml:23:8
       |
    23 | name = "Worker_1"
       |        ^^^^^^^^^^
       |
       = help: write `name = "worker-1"`

    error: unknown role "slave"
      --> cluster.toml:24:8
       |
    24 | role = "slave"
       |        ^^^^^^^
       |
       = help: did you mean `worker`? the roles are "master" and "worker"

    error: "pi2" cannot be a node: a Raspberry Pi 2 is ARMv7 without a 64-bit mode, and the images, Java and Hadoop here are 64-bit; only its last version, 1.2, has the processor of the Pi 3: it is a `pi3-1gb`
      --> cluster.toml:25:9
       |
    25 | board = "pi2"
       |         ^^^^^
       |
       = help: use one of pi3-1gb, pi3plus-1gb, pi4-1gb, pi4-2gb, pi4-4gb, pi4-8gb, pi5-1gb, pi5-2gb, pi5-4gb, pi5-8gb and pi5-16gb
    "##);
}

#[test]
fn a_password_where_a_hash_belongs() {
    let said = wrong(
        r#"authorized_keys = ["~/.ssh/id_ed25519.pub"]"#,
        r#"password_hash = "hunter2""#,
    );
    assert_snapshot!(said, @r##"
    error: this is not a password hash but, it seems, a password
      --> cluster.toml:10:17
       |
    10 | password_hash = "*******"
       |                 ^^^^^^^^^
       |
       = help: make one with `openssl passwd -6` or `mkpasswd`
    "##);
}

#[test]
fn a_key_file_that_is_not_there() {
    let said = wrong(
        r#"authorized_keys = ["~/.ssh/id_ed25519.pub"]"#,
        r#"authorized_keys = ["~/.ssh/nosuch.pub"]"#,
    );
    assert_snapshot!(said, @r##"
    error: there is no key file $HERE/home/.ssh/nosuch.pub
      --> cluster.toml:10:20
       |
    10 | authorized_keys = ["~/.ssh/nosuch.pub"]
       |                    ^^^^^^^^^^^^^^^^^^^
       |
       = help: make a key pair with: ssh-keygen -t ed25519
    "##);
}

#[test]
fn recipes_nobody_wrote() {
    let said = wrong(
        r#"base = "raspios-trixie-lite-arm64""#,
        "base = \"raspios-trixie-lite\"\njava = \"temurin-71\"",
    );
    assert_snapshot!(said, @r##"
    error: there is no base recipe "raspios-trixie-lite"
     --> cluster.toml:7:8
      |
    7 | base = "raspios-trixie-lite"
      |        ^^^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `raspios-trixie-lite-arm64`?

    error: there is no java recipe "temurin-71"
     --> cluster.toml:8:8
      |
    8 | java = "temurin-71"
      |        ^^^^^^^^^^^^
      |
      = help: did you mean `temurin-11`?
    "##);
}

#[test]
fn properties_that_are_not_the_users() {
    let said = wrong(
        "[access]",
        "[hadoop.properties.\"core-site.xml\"]\n\"fs.defaultFS\" = \"hdfs://elsewhere:9000\"\n\n[hadoop.properties.\"hdfs-site.xml\"]\n\"dfs.replication\" = 3\n\n[access]",
    );
    assert_snapshot!(said, @r##"
    error: fs.defaultFS cannot be set: every node finds the NameNode by the master's name in its hosts file
      --> cluster.toml:10:1
       |
    10 | "fs.defaultFS" = "hdfs://elsewhere:9000"
       | ^^^^^^^^^^^^^^
       |
       = help: to change the name in it, change the name of the master node

    error: 3 copies of each block need as many DataNodes, the cluster has 1: every block would stay under-replicated
      --> cluster.toml:13:1
       |
    13 | "dfs.replication" = 3
       | ^^^^^^^^^^^^^^^^^
       |
       = help: set dfs.replication to 1 or less, or add workers
    "##);
}

#[test]
fn a_file_hadoop_does_not_read() {
    let said = wrong(
        "[access]",
        "[hadoop.properties.\"hdf-site.xml\"]\n\"dfs.replication\" = 1\n\n[access]",
    );
    assert_snapshot!(said, @r##"
    error: "hdf-site.xml" is not a configuration file of Hadoop
     --> cluster.toml:9:20
      |
    9 | [hadoop.properties."hdf-site.xml"]
      |                    ^^^^^^^^^^^^^^
      |
      = help: did you mean "hdfs-site.xml", in quotes? Known are "core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml", "capacity-scheduler.xml"
    "##);
}

#[test]
fn more_memory_than_the_board_has() {
    let said = wrong(
        "board = \"pi4-4gb\"\naddress = \"10.4.0.11\"",
        "board = \"pi4-1gb\"\naddress = \"10.4.0.11\"\n[node.hadoop.properties.\"yarn-site.xml\"]\n\"yarn.nodemanager.resource.memory-mb\" = 8192",
    );
    assert_snapshot!(said, @r##"
    error: worker1: 200 MiB for the system, 396 for the daemons and 8192 for containers are 8788 MiB, but Linux sees 900 on pi4-1gb
      --> cluster.toml:28:1
       |
    28 | "yarn.nodemanager.resource.memory-mb" = 8192
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: at most 304 MiB are there for containers
    "##);
}

#[test]
fn a_property_hadoop_does_not_know() {
    // Known only with the archive at hand, whose own list counts.
    let cluster = ClusterFile::new(world()).property("hdfs-site.xml", "dfs.blokcsize", "32m");
    let sandbox = Sandbox::warm(&cluster);
    let run = sandbox.run("build --quiet").exits(2);
    assert_snapshot!(run.stderr, @r##"
    error: hdfs-site.xml has no property dfs.blokcsize
      --> cluster.toml:37:1
       |
    37 | "dfs.blokcsize" = "32m"
       | ^^^^^^^^^^^^^^^ nothing in this Hadoop release reads it
       |
       = help: did you mean dfs.blocksize?
    "##);
    assert!(sandbox.finished().is_empty());
}

#[test]
fn a_recipe_of_ones_own_that_is_wrong() {
    let sandbox = sandbox(CLUSTER);
    let recipe = include_str!("../../../recipes/temurin-17.toml");
    let mine = recipe
        .replace("\"temurin-17\"", "\"mine\"")
        .replace("strip =", "stirp =");
    assert!(mine != recipe && mine.contains("stirp"));
    sandbox.write("recipes/mine.toml", mine);
    let words = [
        "recipes/mine.toml:",
        "unknown key `stirp`",
        "did you mean `strip`?",
    ];
    sandbox.run("check").exits(2).says(&words);
}
