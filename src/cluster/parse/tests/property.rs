use insta::assert_snapshot;

use super::{VALID, said_of_each, with};
use crate::cluster::{ConfigFile, parse};

const VALUE: &str = "\"dfs.blocksize\" = \"64m\"";
const FILE: &str = "[hadoop.properties.\"hdfs-site.xml\"]";

#[test]
fn values_are_what_hadoop_will_read() {
    let text = with(
        VALUE,
        "\"a\" = \"64m\"\n\"b\" = 0x10\n\"c\" = true\n\"d\" = 1_000.50\n\"e\" = -3\n\"f\" = \"\"",
    );
    let cluster = parse(&text).unwrap();
    let read: Vec<(&str, &str)> = cluster.properties[&ConfigFile::Hdfs]
        .iter()
        .map(|(key, property)| {
            assert_eq!(&text[property.span.clone()], format!("\"{key}\""));
            (key.as_str(), property.value.as_str())
        })
        .collect();
    assert_eq!(
        read,
        [
            ("a", "64m"),
            ("b", "16"),
            ("c", "true"),
            ("d", "1000.50"),
            ("e", "-3"),
            ("f", "")
        ]
    );
}

#[test]
fn a_node_has_properties_of_its_own() {
    let text = VALID.replacen(
        "[[node]]\nname = \"worker1\"",
        "[node.hadoop.properties.\"yarn-site.xml\"]\n\"x.y\" = 1\n\n[[node]]\nname = \"worker1\"",
        1,
    );
    let cluster = parse(&text).unwrap();
    assert_eq!(
        cluster.nodes[0].properties[&ConfigFile::Yarn]["x.y"].value,
        "1"
    );
    assert!(cluster.nodes[1].properties.is_empty());
}

#[test]
fn unknown_files_are_listed() {
    assert_snapshot!(said_of_each(&[
        (FILE, "[hadoop.properties.\"hfds-site.xml\"]"),
        (FILE, "[hadoop.properties.hdfs-site.xml]"),
        (FILE, "[hadoop.properties.\"hadoop-env.sh\"]"),
        (FILE, "[hadoop.property.\"hdfs-site.xml\"]"),
        ("[hadoop.properties.\"hdfs-site.xml\"]\n\"dfs.blocksize\"", "[hadoop.properties]\n\"hdfs-site.xml\""),
    ]), @r#"
    error: "hfds-site.xml" is not a configuration file of Hadoop
      --> cluster.toml:32:20
       |
    32 | [hadoop.properties."hfds-site.xml"]
       |                    ^^^^^^^^^^^^^^^
       |
       = help: did you mean "hdfs-site.xml", in quotes? Known are "core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml", "capacity-scheduler.xml"
    ---
    error: "hdfs-site" is not a configuration file of Hadoop
      --> cluster.toml:32:20
       |
    32 | [hadoop.properties.hdfs-site.xml]
       |                    ^^^^^^^^^
       |
       = help: did you mean "hdfs-site.xml", in quotes? Known are "core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml", "capacity-scheduler.xml"
    ---
    error: "hadoop-env.sh" is not a configuration file of Hadoop
      --> cluster.toml:32:20
       |
    32 | [hadoop.properties."hadoop-env.sh"]
       |                    ^^^^^^^^^^^^^^^
       |
       = help: known are "core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml", "capacity-scheduler.xml"
    ---
    error: unknown section `property` in [hadoop]
      --> cluster.toml:32:9
       |
    32 | [hadoop.property."hdfs-site.xml"]
       |         ^^^^^^^^
       |
       = help: did you mean `properties`?
    ---
    error: "hdfs-site.xml" is not a section
      --> cluster.toml:33:19
       |
    33 | "hdfs-site.xml" = "64m"
       |                   ^^^^^
       |
       = help: put `"property.name" = "value"` lines under it
    "#);
}

#[test]
fn wrong_values_are_told() {
    assert_snapshot!(said_of_each(&[
        (VALUE, "dfs.blocksize = \"64m\""),
        (VALUE, "\"dfs.blocksize\" = [\"a\", \"b\"]"),
        (VALUE, "\"dfs.blocksize\" = 2026-01-01"),
        (VALUE, "\"dfs.blocksize\" = inf"),
        (VALUE, "\"dfs.blocksize\" = 99999999999999999999"),
        (VALUE, "\"dfs.blocksize\" = \"a\\u0007\""),
        (VALUE, "\"dfs blocksize\" = 1"),
    ]), @r#"
    error: the property name `dfs.blocksize` is not quoted
      --> cluster.toml:33:1
       |
    33 | dfs.blocksize = "64m"
       | ^^^
       |
       = help: write `"dfs.blocksize" = …`: dots outside quotes make sections
    ---
    error: `"dfs.blocksize"` is a list, expected one value
      --> cluster.toml:33:19
       |
    33 | "dfs.blocksize" = ["a", "b"]
       |                   ^^^^^^^^^^ a list
       |
       = help: write it like `"dfs.blocksize" = "a,b"`
    ---
    error: `"dfs.blocksize"` is a date or time, expected a string, a number or a boolean
      --> cluster.toml:33:19
       |
    33 | "dfs.blocksize" = 2026-01-01
       |                   ^^^^^^^^^^ a date or time
       |
       = help: write it like `"dfs.blocksize" = "value"`
    ---
    error: `dfs.blocksize` is not a finite number
      --> cluster.toml:33:19
       |
    33 | "dfs.blocksize" = inf
       |                   ^^^
       |
       = help: write it as a string if Hadoop is to read it as it stands
    ---
    error: `dfs.blocksize` is too large
      --> cluster.toml:33:19
       |
    33 | "dfs.blocksize" = 99999999999999999999
       |                   ^^^^^^^^^^^^^^^^^^^^
    ---
    error: the value of `dfs.blocksize` has a control character
      --> cluster.toml:33:19
       |
    33 | "dfs.blocksize" = "a\u0007"
       |                   ^^^^^^^^^
       |
       = help: a configuration file cannot hold it
    ---
    error: "dfs blocksize" is not a property's name
      --> cluster.toml:33:1
       |
    33 | "dfs blocksize" = 1
       | ^^^^^^^^^^^^^^^
    "#);
}
