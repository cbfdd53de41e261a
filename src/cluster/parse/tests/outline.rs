use insta::assert_snapshot;

use super::{VALID, said_of, said_of_each};

#[test]
fn an_empty_file_says_what_is_needed() {
    assert_snapshot!(said_of(""), @r#"
    error: the file has no `schema`
     --> cluster.toml:1:1
      |
    1 |
      | ^ `schema` is missing
      |
      = help: add `schema = 1`

    error: the file has no `[cluster]`
     --> cluster.toml:1:1
      |
    1 |
      | ^ `[cluster]` is missing
      |
      = help: add `[cluster]` with at least `name = "elephant"` below it

    error: the file has no `[image]`
     --> cluster.toml:1:1
      |
    1 |
      | ^ `[image]` is missing
      |
      = help: add `[image]` with at least `base = "raspios-trixie-lite-arm64"` below it

    error: the file has no `[network]`
     --> cluster.toml:1:1
      |
    1 |
      | ^ `[network]` is missing
      |
      = help: add `[network]` with at least `subnet = "192.168.1.0/24"` below it

    error: the file has no `[access]`
     --> cluster.toml:1:1
      |
    1 |
      | ^ `[access]` is missing
      |
      = help: add `[access]` with at least `authorized_keys = ["~/.ssh/id_ed25519.pub"]` below it

    error: the file has no nodes
     --> cluster.toml:1:1
      |
    1 |
      | ^ `[[node]]` is missing
      |
      = help: add a `[[node]]` section for the master and one for each worker
    "#);
}

#[test]
fn one_run_reports_everything() {
    let text = r#"schema = 1
[cluster]
nam = "elephant"
[image]
base = 5
[acess]
user = "pi"
[network]
subnet = "192.168.1.0/24"
gateway = "192.168.2.1"
mtu = 1500
[[node]]
name = "Master_1"
role = "master"
board = "pi4-3gb"
address = "192.168.1.10"
[[node]]
role = "worker"
board = "pi4"
address = "192.168.1.10"
"#;
    assert_snapshot!(said_of(text), @r#"
    error: unknown key `nam` in [cluster]
     --> cluster.toml:3:1
      |
    3 | nam = "elephant"
      | ^^^
      |
      = help: did you mean `name`?

    error: `base` is an integer, expected a recipe's name, a path or an address
     --> cluster.toml:5:8
      |
    5 | base = 5
      |        ^ an integer
      |
      = help: write it like `base = "raspios-trixie-lite-arm64"`

    error: unknown section `acess` in the file
     --> cluster.toml:6:2
      |
    6 | [acess]
      |  ^^^^^
      |
      = help: did you mean `access`?

    error: the gateway 192.168.2.1 is outside the subnet 192.168.1.0/24
      --> cluster.toml:10:11
       |
     9 | subnet = "192.168.1.0/24"
       |          ---------------- the subnet
    10 | gateway = "192.168.2.1"
       |           ^^^^^^^^^^^^^
       |
       = help: nodes reach their gateway only within their own subnet

    error: unknown key `mtu` in [network]
      --> cluster.toml:11:1
       |
    11 | mtu = 1500
       | ^^^
       |
       = help: [network] may have subnet, mode, gateway, dns, ntp, domain, spare_workers, link and wifi

    error: a host name begins with a lower-case letter
      --> cluster.toml:13:8
       |
    13 | name = "Master_1"
       |        ^^^^^^^^^^
       |
       = help: write `name = "master-1"`

    error: unknown board "pi4-3gb"
      --> cluster.toml:15:9
       |
    15 | board = "pi4-3gb"
       |         ^^^^^^^^^
       |
       = help: say how much memory it has: pi4-1gb, pi4-2gb, pi4-4gb and pi4-8gb

    error: [[node]] has no `name`
      --> cluster.toml:17:1
       |
    17 | [[node]]
       | ^^^^^^^^ `name` is missing
       |
       = help: add `name = "worker1"`

    error: unknown board "pi4"
      --> cluster.toml:19:9
       |
    19 | board = "pi4"
       |         ^^^^^
       |
       = help: say how much memory it has: pi4-1gb, pi4-2gb, pi4-4gb and pi4-8gb

    error: the address 192.168.1.10 is used twice
      --> cluster.toml:20:11
       |
    16 | address = "192.168.1.10"
       |           -------------- first used here
    ...
    20 | address = "192.168.1.10"
       |           ^^^^^^^^^^^^^^ used again
       |
       = help: every node needs an address of its own
    "#);
}

#[test]
fn the_schema_is_judged_first() {
    assert_snapshot!(said_of_each(&[
        ("schema = 1", "schema = 2\nnew_in_two = 3"),
        ("schema = 1", "schema = \"1\""),
        ("schema = 1\n", "# none\n"),
    ]), @r#"
    error: schema 2 is not one this version reads
     --> cluster.toml:1:10
      |
    1 | schema = 2
      |          ^ only 1 is
      |
      = help: write `schema = 1`, or use the version of pidoop this file is for
    ---
    error: `schema` is a string, expected an integer
     --> cluster.toml:1:10
      |
    1 | schema = "1"
      |          ^^^ a string
      |
      = help: write it like `schema = 1`
    ---
    error: the file has no `schema`
     --> cluster.toml:1:1
      |
    1 | # none
      | ^ `schema` is missing
      |
      = help: add `schema = 1`
    "#);
}

#[test]
fn broken_toml_is_placed() {
    assert_snapshot!(said_of_each(&[
        ("name = \"elephant\"", "name = elephant"),
        ("[[node]]\nname = \"worker1\"", "[[node]\nname = \"worker1"),
        ("user = \"pi\"", "user = \"pi\"\nuser = \"pu\""),
    ]), @r#"
    error: this is not TOML: string values must be quoted, expected literal string
     --> cluster.toml:4:8
      |
    4 | name = elephant
      |        ^^^^^^^^
    ---
    error: this is not TOML: unclosed array table, expected `]`
      --> cluster.toml:26:8
       |
    26 | [[node]
       |        ^
    ---
    error: this is not TOML: duplicate key
      --> cluster.toml:13:1
       |
    13 | user = "pu"
       | ^^^^
    "#);
}

#[test]
fn sections_of_the_wrong_kind_are_told() {
    assert_snapshot!(said_of_each(&[
        ("[cluster]\nname = \"elephant\"", "cluster = \"elephant\""),
        ("name = \"elephant\"", "name = [\"elephant\"]"),
        ("[cluster]\nname = \"elephant\"", "[cluster]\nname = \"Elephant!\""),
    ]), @r#"
    error: `cluster` is a string, expected a section
     --> cluster.toml:3:11
      |
    3 | cluster = "elephant"
      |           ^^^^^^^^^^
      |
      = help: write `[cluster]` once
    ---
    error: `name` is a list, expected a string
     --> cluster.toml:4:8
      |
    4 | name = ["elephant"]
      |        ^^^^^^^^^^^^ a list
      |
      = help: write it like `name = "elephant"`
    ---
    error: a cluster name begins with a lower-case letter
     --> cluster.toml:4:8
      |
    4 | name = "Elephant!"
      |        ^^^^^^^^^^^
    "#);
    let single = VALID.replacen("[[node]]", "[node]", 1);
    let single = &single[..single.rfind("[[node]]").unwrap()];
    assert_snapshot!(said_of(single), @r#"
    error: `node` is a section, expected `[[node]]`
      --> cluster.toml:20:1
       |
    20 | [node]
       | ^^^^^^
       |
       = help: write `[[node]]`, with two brackets, before each
    "#);
}
