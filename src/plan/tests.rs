//! What a plan follows from, and what it says.

use super::*;
use crate::edit::{ArchiveId, Edit, ImagePath, Unpack};
use crate::node::{Profile, Release, fake_base, parse_authorized_key};
use crate::recipe::{ComponentKind, Recipes};

const CLUSTER: &str = r#"
schema = 1
[cluster]
name = "elephant"
[image]
base = "raspios-trixie-lite-arm64"
[access]
authorized_keys = ["id.pub"]
[network]
subnet = "192.168.1.0/24"
[[node]]
name = "master"
role = "master"
board = "pi4-4gb"
address = "192.168.1.10"
[[node]]
name = "worker1"
role = "worker"
board = "pi4-4gb"
address = "192.168.1.11"
"#;

const LOGIN: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIImUnN48/kd4V44ouL9+iouvl6Sr+3N7Ogr4y0TUnM45 me@desk";

/// What a test may change before the plan is made.
struct Parts {
    text: String,
    key: [u8; 32],
    base: BaseFacts,
    components: Vec<Component>,
    writer: String,
    epoch: Option<i64>,
}

type Change = fn(&mut Parts);

fn component(kind: &str, into: &str) -> Component {
    Component {
        kind: kind.to_owned(),
        recipe: kind.to_owned(),
        version: "17.0.1".to_owned(),
        origin: format!("/inputs/{kind}.tar.gz"),
        archive: ArchiveId(kind.repeat(4)),
        into: ImagePath::new(into).unwrap(),
        link: None,
        unpack: Unpack {
            strip: 1,
            drop: Vec::new(),
            owner: Owner::ROOT,
        },
        content_bytes: 300 << 20,
    }
}

fn parts() -> Parts {
    let (root, boot) = fake_base(Release::Trixie);
    Parts {
        text: CLUSTER.to_owned(),
        key: [7; 32],
        base: BaseFacts {
            origin: "/inputs/base.img.xz".to_owned(),
            sha256: "ab".repeat(32),
            profile: Profile::detect(&root, &boot).unwrap(),
            root_bytes: 2 << 30,
            root_used_bytes: 1 << 30,
            written_at: 1_700_000_000,
        },
        components: vec![
            component("java", "/opt/temurin-17"),
            component("hadoop", "/opt/hadoop-3.5.0"),
        ],
        writer: "e2fsprogs 1.47.0".to_owned(),
        epoch: None,
    }
}

fn plan(change: impl FnOnce(&mut Parts)) -> Plan {
    let mut parts = parts();
    change(&mut parts);
    let cluster = crate::cluster::parse(&parts.text).unwrap();
    let recipes = Recipes::embedded().unwrap();
    let recipe = |name, kind| recipes.component(name, &kind).unwrap();
    Plan::new(PlanInputs {
        memory: MemoryPlan::for_cluster(&cluster).unwrap(),
        cluster: &cluster,
        base: parts.base,
        components: parts.components,
        recipes: vec![
            recipe("temurin-17", ComponentKind::Java),
            recipe("hadoop-3.5.0", ComponentKind::Hadoop),
        ],
        java_major: 17,
        hadoop_version: HadoopVersion::new(3, 5, 0),
        overlays: &Overlays::embedded().unwrap(),
        key: &ClusterKey::new(parts.key),
        authorized_keys: &[parse_authorized_key(LOGIN).unwrap()],
        passphrase: None,
        writer: parts.writer,
        epoch: parts.epoch,
    })
    .unwrap()
}

#[test]
fn the_layer_has_another_id_for_each_input_that_decides_its_bytes() {
    let changes: [(&str, Change); 9] = [
        ("base", |p| p.base.sha256 = "cd".repeat(32)),
        ("space in use", |p| p.base.root_used_bytes += 1 << 30),
        ("its moment", |p| p.base.written_at += 1),
        ("epoch", |p| p.epoch = Some(1)),
        ("writer", |p| p.writer = "e2fsprogs 1.47.2".to_owned()),
        ("archive", |p| {
            p.components[0].archive = ArchiveId("other".to_owned());
        }),
        ("place", |p| {
            p.components[1].into = ImagePath::new("/opt/h").unwrap();
        }),
        ("what is left out", |p| {
            p.components[1].unpack.drop.push("share/doc".to_owned());
        }),
        ("link", |p| {
            p.components[1].link = Some(ImagePath::new("/opt/hadoop").unwrap());
        }),
    ];
    let mut ids = vec![plan(|_| ()).layer.id];
    for (what, change) in changes {
        let id = plan(change).layer.id;
        assert!(!ids.contains(&id), "{what} does not show");
        ids.push(id);
    }
}

#[test]
fn the_layer_is_the_same_for_all_nodes_owners_and_places() {
    let layer = plan(|_| ()).layer.id;
    let same: [Change; 4] = [
        |p| p.key = [8; 32],
        |p| p.text = p.text.replace("elephant", "mouse"),
        |p| {
            p.text = p
                .text
                .replace("192.168.1.", "10.0.0.")
                .replace("pi4-4gb", "pi5-8gb")
        },
        |p| p.base.origin = "https://example.org/base.img.xz".to_owned(),
    ];
    for change in same {
        assert_eq!(plan(change).layer.id, layer);
    }
}

#[test]
fn a_node_changes_with_its_own_content_only() {
    let personalities =
        |plan: &Plan| -> Vec<String> { plan.nodes.iter().map(|n| n.personality.clone()).collect() };
    let before = personalities(&plan(|_| ()));
    assert_eq!(before, personalities(&plan(|_| ())));
    assert_eq!(
        before,
        personalities(&plan(|p| p.writer = "another".to_owned()))
    );
    let property = |p: &mut Parts| {
        p.text
            .push_str("hadoop.properties.\"hdfs-site.xml\".\"dfs.datanode.handler.count\" = 7\n")
    };
    let after = personalities(&plan(property));
    assert_eq!(before[0], after[0], "the worker's own property");
    assert_ne!(before[1], after[1]);
    let other_key = personalities(&plan(|p| p.key = [8; 32]));
    assert!(before.iter().zip(&other_key).all(|(a, b)| a != b));
}

#[test]
fn daemons_that_have_no_memory_are_not_started() {
    let services = |plan: &Plan| plan.nodes[0].services.join(" ");
    let roomy = services(&plan(|_| ()));
    assert!(roomy.contains("hdfs-secondarynamenode.service"), "{roomy}");
    assert!(roomy.contains("mapred-historyserver.service"), "{roomy}");
    let small = services(&plan(|p| {
        p.text = p.text.replacen("pi4-4gb", "pi3-1gb", 1);
    }));
    assert_eq!(small, "hdfs-namenode.service yarn-resourcemanager.service");
}

#[test]
fn the_layer_has_room_for_what_goes_in() {
    let plan = plan(|_| ());
    let content = (1 << 30) + (600 << 20) + ROOM;
    assert!(plan.layer.root_bytes > content);
    assert_eq!(plan.layer.root_bytes % (8 << 20), 0);
    let large = self::plan(|p| p.base.root_bytes = 30 << 30);
    assert_eq!(large.layer.root_bytes, 30 << 30, "a base is never shrunk");
}

#[test]
fn words_and_document_hold_no_secret() {
    let plan = plan(|_| ());
    let mut told = plan.to_string();
    told.push_str(&serde_json::to_string(&plan).unwrap());
    for node in &plan.nodes {
        for edit in node.edits.root.iter().chain(&node.edits.boot) {
            told.push_str(&edit.to_string());
        }
    }
    assert!(!told.contains(&hex::encode([7; 32])));
    let secret = plan.nodes[0].edits.root.iter().find_map(|edit| match edit {
        Edit::PutFile { path, content, .. } if path.as_str().ends_with("ssh_host_ed25519_key") => {
            Some(String::from_utf8(content.bytes().to_vec()).unwrap())
        }
        _ => None,
    });
    let secret = secret.unwrap();
    let body = secret.lines().nth(2).unwrap();
    assert!(!told.contains(body), "a host key is told");
}

#[test]
fn the_plan_in_words() {
    let words = plan(|_| ()).to_string();
    let (what, memory) = words.split_once("memory plan").unwrap();
    assert!(memory.contains("pi4-4gb"));
    let masked = without_numbers(what);
    insta::assert_snapshot!(masked, @"
    inputs
      base    Raspberry Pi OS 13 (trixie) aarch64
              /inputs/base.img.xz
      java    17.0.1 in /opt/temurin-17
              /inputs/java.tar.gz
      hadoop  17.0.1 in /opt/hadoop-3.5.0
              /inputs/hadoop.tar.gz

    layer ID
      root filesystem of 2.8 GiB, shared by all nodes

    images
      elephant-master.img   master  pi4-4gb      192.168.1.10
        N edits; starts hdfs-namenode.service, hdfs-secondarynamenode.service, yarn-resourcemanager.service, mapred-historyserver.service
      elephant-worker1.img  worker  pi4-4gb      192.168.1.11
        N edits; starts hdfs-datanode.service, yarn-nodemanager.service

    cluster elephant: one master, 1 worker
    ");
}

/// Without the numbers that every change of a generated file moves.
fn without_numbers(words: &str) -> String {
    words
        .lines()
        .map(|line| match line.split_once(" edits; ") {
            Some((_, rest)) => format!("    N edits; {rest}\n"),
            None if line.starts_with("layer ") => "layer ID\n".to_owned(),
            None => format!("{line}\n"),
        })
        .collect()
}

/// Whether `value` has what `path` says, such as `nodes[].name`; of a list all
/// have it.
fn has(value: &serde_json::Value, path: &str) -> bool {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let there = |value: &serde_json::Value| rest.is_empty() || has(value, rest);
    match first.strip_suffix("[]") {
        Some(list) => value[list]
            .as_array()
            .is_some_and(|list| !list.is_empty() && list.iter().all(there)),
        None => value.get(first).is_some_and(there),
    }
}

#[test]
fn the_document_is_as_described() {
    let document = serde_json::to_value(plan(|_| ())).unwrap();
    let described: Vec<&str> = include_str!("../../docs/plan-json.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        // Put around the plan by the command.
        .filter(|key| *key != "schema")
        .collect();
    assert!(described.len() > 20, "{described:?}");
    for key in described {
        assert!(has(&document, key), "there is no {key}");
    }
}
