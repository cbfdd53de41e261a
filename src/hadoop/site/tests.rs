use proptest::prelude::*;

use super::*;
use crate::cluster::{Board, LinkSpeed};
use crate::hadoop::fixture::{
    RELEASE, cluster, example, files, release_defaults, set, with_inputs,
};
use crate::hadoop::{HadoopVersion, check_properties, defaults};

#[test]
fn racks_bring_a_table() {
    let mut racked = example();
    racked.nodes[1].rack = Some("/shelf1".to_owned());
    let files = files(&racked, 2);
    assert!(files["topology.table"].contains("192.168.1.11 /shelf1\n"));
    assert!(
        files["core-site.xml"].contains("<value>/opt/hadoop/etc/hadoop/topology.table</value>")
    );
}

#[test]
fn the_users_properties_win_and_the_nodes_win_over_the_clusters() {
    let mut own = example();
    let hdfs = ConfigFile::Hdfs;
    set(&mut own.properties, hdfs, "dfs.blocksize", "32m", 0..1);
    set(
        &mut own.properties,
        hdfs,
        "dfs.datanode.handler.count",
        "4",
        0..1,
    );
    set(
        &mut own.nodes[1].properties,
        hdfs,
        "dfs.datanode.handler.count",
        "6",
        0..1,
    );
    let value = |index, key: &str| {
        defaults::parse("hdfs-site.xml", &files(&own, index)["hdfs-site.xml"]).unwrap()[key].clone()
    };
    assert_eq!(value(0, "dfs.blocksize"), "32m");
    assert_eq!(value(1, "dfs.datanode.handler.count"), "6");
    assert_eq!(value(2, "dfs.datanode.handler.count"), "4");
}

#[test]
fn a_property_that_is_not_the_users_stops_the_configuration() {
    let mut own = example();
    set(
        &mut own.properties,
        ConfigFile::Core,
        "fs.defaultFS",
        "hdfs://nn",
        4..6,
    );
    let problems = with_inputs(&own, 0, |inputs| configuration(inputs).unwrap_err());
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].span, 4..6);
}

/// Runs `check` on the text of a file as a node on `java` with `hadoop` has it.
fn on(java: u32, hadoop: HadoopVersion, name: &str) -> String {
    let cluster = example();
    with_inputs(&cluster, 1, |inputs| {
        let inputs = ConfigInputs {
            java_major: java,
            hadoop_version: hadoop,
            ..*inputs
        };
        let edits = configuration(&inputs).unwrap();
        edits
            .iter()
            .find_map(|edit| match edit {
                Edit::PutFile { path, content, .. } if path.file_name() == name => {
                    Some(String::from_utf8(content.bytes().to_vec()).unwrap())
                }
                _ => None,
            })
            .unwrap()
    })
}

#[test]
fn java_base_is_opened_exactly_where_hadoop_does_not() {
    let opens = "--add-opens=java.base/java.lang=ALL-UNNAMED";
    let key = "mapreduce.jvm.add-opens-as-default";
    for (java, hadoop, daemons, by_option, by_key) in [
        (8, HadoopVersion::new(3, 3, 6), false, false, false),
        (11, HadoopVersion::new(3, 4, 1), false, false, false),
        (17, HadoopVersion::new(3, 3, 6), true, true, false),
        (17, HadoopVersion::new(3, 4, 1), true, false, true),
        (17, HadoopVersion::new(3, 4, 2), false, false, true),
        (17, RELEASE, false, false, true),
    ] {
        let env = on(java, hadoop, "hadoop-env.sh");
        assert_eq!(
            env.contains(opens),
            daemons,
            "daemons of {hadoop} on {java}"
        );
        let tasks = on(java, hadoop, "mapred-site.xml");
        assert_eq!(
            tasks.contains(opens),
            by_option,
            "tasks of {hadoop} on {java}"
        );
        assert_eq!(tasks.contains(key), by_key, "{hadoop} on {java}");
    }
}

#[test]
fn values_survive_xml() {
    let mut own = example();
    let odd = "a < b && \"c\" > 'd'  ]]> ü\nnext";
    set(
        &mut own.properties,
        ConfigFile::Core,
        "hadoop.http.staticuser.user",
        odd,
        0..1,
    );
    let xml = files(&own, 0)["core-site.xml"].clone();
    let read = defaults::parse("core-site.xml", &xml).unwrap();
    assert_eq!(read["hadoop.http.staticuser.user"], odd);
}

proptest! {
    /// Whatever the cluster, every key written is one that Hadoop reads, with a
    /// value it can read.
    #[test]
    fn every_key_exists_in_the_release(
        boards in proptest::collection::vec(
            proptest::sample::select(Board::ALL).prop_map(|board| board.name), 2..=8),
        link in proptest::option::of(proptest::sample::select(
            vec![LinkSpeed::Fast, LinkSpeed::UsbGigabit, LinkSpeed::Gigabit])),
        racked: bool,
        index: proptest::sample::Index,
    ) {
        let mut cluster = cluster(&boards);
        cluster.network.link = link;
        if racked {
            cluster.nodes[0].rack = Some("/shelf".to_owned());
        }
        prop_assume!(MemoryPlan::for_cluster(&cluster).is_ok());
        let index = index.index(boards.len());
        let mut written = cluster.clone();
        with_inputs(&cluster, index, |inputs| {
            for file in ConfigFile::ALL {
                for (key, value) in generated(file, inputs).iter() {
                    set(&mut written.properties, file, key, value, 0..1);
                }
            }
        });
        prop_assert_eq!(check_properties(&written, &release_defaults()), []);
    }
}
