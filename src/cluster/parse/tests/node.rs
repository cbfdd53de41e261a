use insta::assert_snapshot;

use super::{VALID, said_of, said_of_each, valid_with, with};
use crate::cluster::MacAddr;

#[test]
fn a_node_may_have_a_mac_and_a_rack() {
    let cluster = valid_with(
        "name = \"worker1\"",
        "name = \"worker1\"\nmac = \"dc:a6:32:01:02:03\"",
    );
    assert_eq!(
        cluster.nodes[1].mac,
        Some(MacAddr([0xdc, 0xa6, 0x32, 1, 2, 3]))
    );
    assert_eq!(
        valid_with(
            "address = \"192.168.1.11\"",
            "address = \"192.168.1.11\"\nrack = \"/r2\""
        )
        .nodes[1]
            .rack
            .as_deref(),
        Some("/r2")
    );
}

#[test]
fn missing_keys_point_at_the_node() {
    assert_snapshot!(said_of_each(&[
        ("[[node]]\nname = \"worker1\"\n", "[[node]]\n"),
        ("board = \"pi4-4gb\"\naddress = \"192.168.1.11\"\n", "bord = \"pi4-4gb\"\n"),
    ]), @r#"
    error: [[node]] has no `name`
      --> cluster.toml:26:1
       |
    26 | [[node]]
       | ^^^^^^^^ `name` is missing
       |
       = help: add `name = "worker1"`
    ---
    error: [[node]] has no `address`
      --> cluster.toml:26:1
       |
    26 | [[node]]
       | ^^^^^^^^ `address` is missing
       |
       = help: add `address = "192.168.1.11"`

    error: unknown key `bord` in [[node]]
      --> cluster.toml:29:1
       |
    29 | bord = "pi4-4gb"
       | ^^^^
       |
       = help: did you mean `board`?
    "#);
}

#[test]
fn duplicates_point_at_the_first_use() {
    let macs = VALID
        .replacen("board =", "mac = \"dc:a6:32:01:02:03\"\nboard =", 1)
        .replacen(
            "name = \"worker1\"",
            "name = \"worker1\"\nmac = \"DC-A6-32-01-02-03\"",
            1,
        );
    assert_snapshot!(said_of(&macs), @r#"
    error: the MAC address dc:a6:32:01:02:03 is used twice
      --> cluster.toml:29:7
       |
    23 | mac = "dc:a6:32:01:02:03"
       |       ------------------- first used here
    ...
    29 | mac = "DC-A6-32-01-02-03"
       |       ^^^^^^^^^^^^^^^^^^^ used again
       |
       = help: `ip link` on the node prints its own
    "#);
    assert_snapshot!(said_of_each(&[
        ("name = \"worker1\"", "name = \"master\""),
        ("address = \"192.168.1.11\"", "address = \"192.168.1.10\""),
    ]), @r#"
    error: the name master is used twice
      --> cluster.toml:27:8
       |
    21 | name = "master"
       |        -------- first used here
    ...
    27 | name = "master"
       |        ^^^^^^^^ used again
       |
       = help: a node's name is its own
    ---
    error: the address 192.168.1.10 is used twice
      --> cluster.toml:30:11
       |
    24 | address = "192.168.1.10"
       |           -------------- first used here
    ...
    30 | address = "192.168.1.10"
       |           ^^^^^^^^^^^^^^ used again
       |
       = help: every node needs an address of its own
    "#);
}

#[test]
fn addresses_fit_the_network() {
    let own = "address = \"192.168.1.11\"";
    let name_server = with(
        "dns     = [\"192.168.1.1\"]",
        "dns     = [\"192.168.1.11\"]",
    );
    assert_snapshot!(said_of_each(&[
        (own, "address = \"192.168.2.11\""),
        (own, "address = \"192.168.1.0\""),
        (own, "address = \"192.168.1.255\""),
        (own, "address = \"192.168.1.1\""),
        (own, "address = \"192.168.1.256\""),
        (own, "address = \"127.0.0.1\""),
        (own, "address = 192"),
    ]), @r#"
    error: the address 192.168.2.11 is outside the subnet 192.168.1.0/24
      --> cluster.toml:30:11
       |
    16 | subnet  = "192.168.1.0/24"
       |           ---------------- the subnet
    ...
    30 | address = "192.168.2.11"
       |           ^^^^^^^^^^^^^^
       |
       = help: use an address between 192.168.1.1 and 192.168.1.254
    ---
    error: no node can have the address 192.168.1.0, which is for the subnet itself
      --> cluster.toml:30:11
       |
    16 | subnet  = "192.168.1.0/24"
       |           ---------------- the subnet
    ...
    30 | address = "192.168.1.0"
       |           ^^^^^^^^^^^^^
    ---
    error: no node can have the address 192.168.1.255, which is for its broadcasts
      --> cluster.toml:30:11
       |
    16 | subnet  = "192.168.1.0/24"
       |           ---------------- the subnet
    ...
    30 | address = "192.168.1.255"
       |           ^^^^^^^^^^^^^^^
    ---
    error: the address 192.168.1.1 is the gateway's
      --> cluster.toml:30:11
       |
    17 | gateway = "192.168.1.1"
       |           ------------- the gateway
    ...
    30 | address = "192.168.1.1"
       |           ^^^^^^^^^^^^^ taken
    ---
    error: "192.168.1.256" is not an IPv4 address
      --> cluster.toml:30:11
       |
    30 | address = "192.168.1.256"
       |           ^^^^^^^^^^^^^^^
       |
       = help: write it like `192.168.1.10`
    ---
    error: 127.0.0.1 is a loopback address
      --> cluster.toml:30:11
       |
    30 | address = "127.0.0.1"
       |           ^^^^^^^^^^^
       |
       = help: use your network's addresses, such as 192.168.1.x
    ---
    error: `address` is an integer, expected a string
      --> cluster.toml:30:11
       |
    30 | address = 192
       |           ^^^ an integer
       |
       = help: write it like `address = "192.168.1.11"`
    "#);
    assert_snapshot!(said_of(&name_server), @r#"
    error: the address 192.168.1.11 is a name server's
      --> cluster.toml:30:11
       |
    18 | dns     = ["192.168.1.11"]
       |            -------------- the name server
    ...
    30 | address = "192.168.1.11"
       |           ^^^^^^^^^^^^^^ taken
       |
       = help: nodes serve no names: they have a hosts file
    "#);
}

#[test]
fn a_cluster_has_one_master_and_some_worker() {
    let nodes = VALID.find("[[node]]").unwrap();
    let second = VALID.rfind("[[node]]").unwrap();
    let no_nodes = &VALID[..nodes];
    let only_master = &VALID[..second];
    let no_master = VALID.replace("role = \"master\"", "role = \"worker\"");
    assert_snapshot!(said_of(no_nodes), @r#"
    error: the file has no nodes
     --> cluster.toml:1:1
      |
    1 | schema = 1
      | ^ `[[node]]` is missing
      |
      = help: add a `[[node]]` section for the master and one for each worker
    "#);
    assert_snapshot!(said_of(only_master), @r#"
    error: no node is a worker
      --> cluster.toml:20:1
       |
    20 | [[node]]
       | ^^^^^^^^ the only node
       |
       = help: add a `[[node]]` with `role = "worker"`: the data has to be somewhere
    "#);
    assert_snapshot!(said_of(&no_master), @r#"
    error: no node is the master
      --> cluster.toml:20:1
       |
    20 | [[node]]
       | ^^^^^^^^ the first of the nodes
       |
       = help: give one node `role = "master"`
    "#);
    assert_snapshot!(said_of(&with("role = \"worker\"", "role = \"master\"")), @r#"
    error: a cluster has one master, this is another
      --> cluster.toml:28:8
       |
    22 | role = "master"
       |        -------- the first
    ...
    28 | role = "master"
       |        ^^^^^^^^ another
       |
       = help: make it a worker, or write a cluster file of its own
    "#);
}

#[test]
fn wrong_names_roles_macs_and_racks_are_told() {
    let name = "name = \"worker1\"";
    assert_snapshot!(said_of_each(&[
        (name, "name = \"worker_1\""),
        (name, "name = \"1worker\""),
        (name, "name = \"localhost\""),
        (name, "name = \"worker1\"\nmac = \"dc:a6:32:01:02\""),
        (name, "name = \"worker1\"\nmac = \"01:00:5e:00:00:01\""),
        (name, "name = \"worker1\"\nrack = \"rack1\""),
        ("role = \"worker\"", "role = \"datanode\""),
        ("role = \"worker\"", "role = \"wroker\""),
        ("role = \"worker\"", "role = \"edge\""),
    ]), @r#"
    error: a host name has only a-z, 0-9 and '-', not '_'
      --> cluster.toml:27:8
       |
    27 | name = "worker_1"
       |        ^^^^^^^^^^
       |
       = help: write `name = "worker-1"`
    ---
    error: a host name begins with a lower-case letter
      --> cluster.toml:27:8
       |
    27 | name = "1worker"
       |        ^^^^^^^^^
    ---
    error: a node cannot be called localhost
      --> cluster.toml:27:8
       |
    27 | name = "localhost"
       |        ^^^^^^^^^^^
    ---
    error: "dc:a6:32:01:02" is not a MAC address such as dc:a6:32:01:02:03
      --> cluster.toml:28:7
       |
    28 | mac = "dc:a6:32:01:02"
       |       ^^^^^^^^^^^^^^^^
    ---
    error: "01:00:5e:00:00:01" is a multicast address, no interface has it
      --> cluster.toml:28:7
       |
    28 | mac = "01:00:5e:00:00:01"
       |       ^^^^^^^^^^^^^^^^^^^
    ---
    error: "rack1" is not a rack
      --> cluster.toml:28:8
       |
    28 | rack = "rack1"
       |        ^^^^^^^
       |
       = help: write it like `/rack1`: a slash, then letters, digits, '-', '_' or '.'
    ---
    error: unknown role "datanode"
      --> cluster.toml:28:8
       |
    28 | role = "datanode"
       |        ^^^^^^^^^^
       |
       = help: did you mean `worker`? the roles are "master" and "worker"
    ---
    error: unknown role "wroker"
      --> cluster.toml:28:8
       |
    28 | role = "wroker"
       |        ^^^^^^^^
       |
       = help: did you mean `worker`? the roles are "master" and "worker"
    ---
    error: unknown role "edge"
      --> cluster.toml:28:8
       |
    28 | role = "edge"
       |        ^^^^^^
       |
       = help: the roles are "master" and "worker"
    "#);
}

#[test]
fn racks_are_equally_deep() {
    let deep = VALID.replacen("board =", "rack = \"/hall/a\"\nboard =", 1);
    assert_snapshot!(said_of(&deep), @r#"
    error: this node has no rack, which is /default-rack
      --> cluster.toml:27:1
       |
    23 | rack = "/hall/a"
       |        --------- another depth
    ...
    27 | [[node]]
       | ^^^^^^^^
       |
       = help: the NameNode takes only racks of one depth: give it one as well
    "#);
    let mixed = deep.replacen("name = \"worker1\"", "name = \"worker1\"\nrack = \"/b\"", 1);
    assert_snapshot!(said_of(&mixed), @r#"
    error: the rack /b is not as deep as /hall/a
      --> cluster.toml:29:8
       |
    23 | rack = "/hall/a"
       |        --------- another depth
    ...
    29 | rack = "/b"
       |        ^^^^
       |
       = help: the NameNode takes only racks of one depth
    "#);
}
