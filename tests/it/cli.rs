//! The command line from outside.

mod wrong_files;

use rstest::rstest;

use crate::support::world::{PUBLIC_KEY, Sandbox};

/// A short cluster file without fault.
const CLUSTER: &str = r#"schema = 1

[cluster]
name = "tiny"

[image]
base = "raspios-trixie-lite-arm64"

[access]
authorized_keys = ["~/.ssh/id_ed25519.pub"]

[network]
subnet = "10.4.0.0/24"
gateway = "10.4.0.1"

[[node]]
name = "master"
role = "master"
board = "pi4-4gb"
address = "10.4.0.10"

[[node]]
name = "worker1"
role = "worker"
board = "pi4-4gb"
address = "10.4.0.11"
"#;

fn sandbox(cluster: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("home/.ssh/id_ed25519.pub", PUBLIC_KEY);
    sandbox.write("cluster.toml", cluster);
    sandbox
}

#[test]
fn a_file_without_fault() {
    let run = sandbox(CLUSTER).run("check").works();
    assert_eq!(
        run.stderr,
        "cluster.toml is right: cluster tiny with 2 nodes\n"
    );
}

#[rstest]
#[case("", 2)]
#[case("chekc", 2)]
#[case("check --nosuch", 2)]
#[case("check -f nosuch.toml", 2)]
#[case("check -f latin1.toml", 2)]
#[case("new cluster.toml", 2)]
#[case("inspect nosuch.img", 2)]
#[case("inspect cluster.toml", 2)]
#[case("completions tcsh", 2)]
#[case("build -n nosuch", 2)]
#[case("check", 0)]
#[case("check --json", 0)]
#[case("plan", 0)]
#[case("new other.toml", 0)]
#[case("completions bash", 0)]
#[case("man pages", 0)]
#[case("--version", 0)]
#[case("--help", 0)]
#[case("help build", 0)]
fn exit_codes_are_as_documented(#[case] args: &str, #[case] code: i32) {
    let sandbox = sandbox(CLUSTER);
    sandbox.write("latin1.toml", b"# caf\xe9\n");
    let run = sandbox.run(args).exits(code);
    assert_eq!(
        run.stderr.is_empty(),
        code == 0 && !["check", "plan", "new other.toml"].contains(&args),
        "{run}"
    );
}

#[test]
fn nothing_is_ever_overwritten_by_new() {
    let sandbox = sandbox("mine\n");
    sandbox
        .run("new")
        .refuses(2, &["cluster.toml exists already"]);
    assert_eq!(
        fs_err::read_to_string(sandbox.path("cluster.toml")).unwrap(),
        "mine\n"
    );
}

#[test]
fn what_new_writes_is_right() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.ssh/id_ed25519.pub", PUBLIC_KEY);
    sandbox.run("new").works().says(&["pidoop check"]);
    sandbox
        .run("check")
        .works()
        .says(&["cluster elephant with 3 nodes"]);
}

#[test]
fn colour_is_for_terminals_and_on_demand() {
    let sandbox = sandbox("schema = 2\n");
    assert!(!sandbox.run("check").exits(2).stderr.contains('\u{1b}'));
    assert!(
        sandbox
            .run("check --color always")
            .exits(2)
            .stderr
            .contains('\u{1b}')
    );
}
