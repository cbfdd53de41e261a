//! What programs read, and how they learn how it ended.

use std::collections::BTreeSet;

use fs_err as fs;

use crate::support::world::{ClusterFile, Sandbox, world};

#[test]
fn build_tells_programs_everything_in_json_lines() {
    let sandbox = Sandbox::with(&ClusterFile::new(world()));
    let run = sandbox.run("build --json").works();
    let lines = run.json_lines();
    let of = |event: &str| -> BTreeSet<u64> {
        let tasks = lines.iter().filter(|line| line["event"] == event);
        tasks.map(|line| line["task"].as_u64().unwrap()).collect()
    };
    let started = of("task-started");
    assert!(started.len() >= 8, "{run}");
    assert_eq!(
        started,
        of("task-finished"),
        "every task came to its end\n{run}"
    );
    assert!(
        lines
            .iter()
            .all(|line| line["schema"] == 1 || line["event"] == "built"),
        "{run}"
    );

    let last = lines.last().unwrap();
    assert_eq!(last["event"], "built");
    let images: Vec<&str> = last["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| path.as_str().unwrap())
        .collect();
    assert_eq!(
        images,
        [
            "out/tiny-master.img",
            "out/tiny-worker1.img",
            "out/tiny-worker2.img"
        ]
    );
    assert_eq!(run.stderr, "", "people are told nothing");
}

#[test]
fn an_error_among_json_lines_goes_to_standard_error() {
    let sandbox = Sandbox::with(&ClusterFile::new(world()).java(&world().hadoop()));
    let run = sandbox
        .run("build --json")
        .refuses(2, &["hadoop-3.5.0.tar.gz"]);
    assert!(
        run.json_lines().iter().all(|line| line["event"] != "built"),
        "{run}"
    );
}

#[test]
fn plan_is_one_document() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    let plan = sandbox.run("plan --json").works().document();
    assert_eq!(plan["cluster"]["name"], "tiny");
    assert_eq!(plan["nodes"].as_array().unwrap().len(), 3);
    assert_eq!(plan["nodes"][1]["image"], "tiny-worker1.img");
    let with_edits = sandbox.run("plan --json --edits").works().document();
    let edits = with_edits["edits"]["nodes"]["worker1"]["root"]
        .as_array()
        .unwrap();
    assert!(
        edits
            .iter()
            .any(|edit| edit.as_str().unwrap().contains("/etc/hostname")),
        "{edits:?}"
    );
    assert!(!sandbox.path("out").exists(), "a plan makes nothing");

    // It names the layer that a build then has.
    let layer = plan["layer"]["id"].as_str().unwrap();
    let layers = sandbox.names("home/.cache/pidoop/layers");
    assert!(layers.contains(&format!("{layer}.img")), "{layers:?}");
}

#[test]
fn plan_shows_people_memory_and_edits() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    let run = sandbox.run("plan --edits").works();
    for words in [
        "tiny",
        "worker2",
        "memory plan",
        "ApplicationMaster",
        "/etc/hostname",
    ] {
        assert!(
            run.stdout.contains(words),
            "it does not show {words}\n{run}"
        );
    }
}

#[test]
fn a_plan_before_its_inputs_is_an_outline() {
    let sandbox = Sandbox::new();
    sandbox.run("new").works();
    sandbox.write(
        "home/.ssh/id_ed25519.pub",
        crate::support::world::PUBLIC_KEY,
    );
    let run = sandbox.run("plan").works();
    assert!(run.stdout.contains("memory plan"), "{run}");
    run.says(&["pidoop fetch and build get them"]);
    sandbox
        .run("plan --json")
        .refuses(3, &["raspios-trixie-lite-arm64"]);
    assert!(
        !sandbox.path("cluster.key").exists(),
        "an outline needs no key"
    );
}

#[test]
fn check_and_inspect_are_one_document_each() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    let check = sandbox.run("check --json").works().document();
    assert_eq!(check["nodes"][0]["name"], "master");
    sandbox.run("build -n worker2").works();
    let image = sandbox
        .run("inspect --json out/tiny-worker2.img")
        .works()
        .document();
    assert_eq!(image["node"]["hostname"], "worker2");
    let base = world().base(crate::support::world::Flavour::Debian13);
    std::os::unix::fs::symlink(base, sandbox.path("base.img")).unwrap();
    let base = sandbox.run("inspect --json base.img");
    assert_eq!(base.works().document()["system"]["release"], "debian13");
}

#[test]
fn the_manifest_says_what_the_images_are_made_of() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    sandbox.run("build --sums").works();
    let text = fs::read_to_string(sandbox.path("out/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["cluster"], "tiny");
    assert_eq!(manifest["images"].as_array().unwrap().len(), 3);
    assert_eq!(manifest["components"][1]["version"], "3.5.0");
    // Nothing of the machine it was made on.
    assert_eq!(manifest["base"]["origin"], "raspios-trixie.img");
    assert!(!text.contains("/tmp/"), "{text}");
}

#[test]
fn quiet_says_nothing_of_success() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    let run = sandbox.run("--quiet build -n master").works();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}

#[test]
fn an_image_nobody_could_log_in_to_is_a_failed_check() {
    let sandbox = Sandbox::warm(&ClusterFile::new(world()));
    let recipe = include_str!("../../../recipes/hadoop-3.5.0.toml");
    let named = "overlays = [\"hadoop\"]";
    assert!(recipe.contains(named));
    sandbox.write(
        "recipes/hadoop-3.5.0.toml",
        recipe.replace(named, "overlays = [\"hadoop\", \"locked\"]"),
    );
    sandbox.write(
        "overlays/locked/etc/ssh/sshd_config.d/00-locked.conf",
        "PubkeyAuthentication no\n",
    );
    sandbox.run("build").refuses(1, &["nobody could log in"]);
    assert!(sandbox.finished().is_empty(), "{:?}", sandbox.finished());
    fs::remove_dir_all(sandbox.path("overlays")).unwrap();
    fs::remove_dir_all(sandbox.path("recipes")).unwrap();
    sandbox.run("build").works();
}
