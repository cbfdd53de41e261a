//! cluster.lock: when it decides, when it moves, and who may move it.

use fs_err as fs;

use super::cluster::{BASE, HADOOP, JAVA, Publisher, by_recipes, lock, locked};
use crate::support::server::Answer;
use crate::support::world::{ClusterFile, Java, Sandbox, copy_sparsely, world};

fn with_java(java: &str) -> ClusterFile {
    by_recipes().inputs(&format!("\"{BASE}\""), java, &format!("\"{HADOOP}\""))
}

/// Another Java that does as well.
fn other_java(sandbox: &Sandbox) -> Vec<u8> {
    let path = sandbox.path("other.tar.gz");
    Java {
        version: "17.0.100",
        machine: None,
    }
    .make(&path);
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(path).unwrap();
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    pidoop::source::Sha256::of(bytes).to_string()
}

#[test]
fn locked_wants_a_lock_that_answers() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    for verb in ["fetch", "build", "plan", "check"] {
        let words = ["there is no cluster.lock", "pidoop fetch", "commit it"];
        sandbox.run(&format!("{verb} --locked")).refuses(2, &words);
    }
    assert_eq!(publisher.server.all_hits(), 0);
    sandbox.run("fetch").works();
    for verb in ["fetch", "plan", "check"] {
        sandbox.run(&format!("{verb} --locked")).works();
    }

    // The cluster file moves on, and the lock does not.
    let text = by_recipes().text();
    sandbox.write("cluster.toml", text.replace(JAVA, "temurin-11"));
    for verb in ["fetch", "build", "plan", "check"] {
        let run = sandbox.run(&format!("{verb} --locked"));
        run.refuses(
            2,
            &[
                "cluster.lock does not answer what cluster.toml asks for",
                "java: cluster.toml asks for temurin-11, and it has temurin-17",
                "pidoop fetch",
            ],
        );
    }
    sandbox.run("check").works();
    assert_eq!(publisher.server.all_hits(), 3);
}

#[test]
fn what_an_address_gives_now_is_refused_if_it_is_not_what_was_locked() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    sandbox.write_cluster(&with_java(&format!(
        "{{ url = \"{}\" }}",
        publisher.url(JAVA)
    )));
    sandbox.run("fetch").works();
    let before = lock(&sandbox);
    let old = publisher.bytes(JAVA);
    // As long as before: only the time in the header of gzip is another.
    let new = [&old[..4], b"time", &old[8..]].concat();
    publisher.serve(JAVA, [Answer::file(new.clone()).etag(Some("\"v2\""))]);

    // What is in the cache is what was locked: nobody is asked.
    sandbox.run("fetch").works();
    // On another machine the address gives other bytes.
    fs::remove_dir_all(sandbox.cache()).unwrap();
    for verb in ["fetch", "fetch --locked", "build"] {
        let old = publisher.sha256(JAVA);
        let run = sandbox.run(verb);
        run.refuses(
            3,
            &[
                &sha256(&new),
                &format!("cluster.lock says {old}"),
                "pidoop fetch --update java",
            ],
        );
        assert_eq!(lock(&sandbox), before, "{verb}");
    }
    // Of another length it is not even downloaded.
    let longer = other_java(&sandbox);
    publisher.serve(JAVA, [Answer::file(longer.clone())]);
    let says = format!(
        "has {} bytes, but cluster.lock says {}",
        longer.len(),
        old.len()
    );
    sandbox.run("fetch").refuses(3, &[&says]);
    publisher.serve(JAVA, [Answer::file(new.clone())]);
    let run = sandbox.run("fetch --update java").works();
    let (old, new) = (&publisher.sha256(JAVA)[..12], &sha256(&new)[..12]);
    run.says(&[&format!("(sha256 {old}) -> "), &format!("(sha256 {new})")]);
    for (line, old) in lock(&sandbox).lines().zip(before.lines()) {
        let of_java = line.contains("sha256") || line.contains("size");
        assert!(line == old || of_java, "{line}");
    }
    sandbox.run("fetch --locked --offline").works();
    // An update by name of what did not move says so.
    sandbox
        .run(&format!("fetch --update {BASE} hadoop"))
        .works()
        .says(&["cluster.lock stays as it is"]);
    let run = sandbox.run("fetch --update spark");
    run.refuses(2, &["no input spark", "hadoop (hadoop-3.5.0)"]);
}

#[test]
fn a_recipe_that_moved_on_does_not_move_the_lock() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    sandbox.run("fetch").works();
    let before = lock(&sandbox);
    let new = other_java(&sandbox);
    let url = publisher
        .server
        .serve("/next/jre.tar.gz", [Answer::file(new.clone())]);
    let source = format!(
        "version = \"2\"\nurls = [\"{url}\"]\nsha256 = \"{}\"",
        sha256(&new)
    );
    publisher.write_recipe(&sandbox, JAVA, &source);
    // From nothing but the lock: the recipe has another address by now.
    fs::remove_dir_all(sandbox.cache()).unwrap();
    let run = sandbox.run("fetch --locked").works();
    run.says(&["another file by now", "pidoop fetch --update java"]);
    assert_eq!(lock(&sandbox), before);
    assert_eq!(publisher.server.hits("/next/jre.tar.gz"), 0);
    sandbox
        .run("fetch --update")
        .works()
        .says(&["temurin-17 2"]);
    assert_eq!(locked(&sandbox, "java", "version"), Some("2".to_owned()));
    assert_eq!(locked(&sandbox, "java", "sha256"), Some(sha256(&new)));
    let run = sandbox.run("fetch --locked").works();
    assert!(!run.stderr.contains("by now"), "{run}");
}

#[test]
fn another_choice_in_the_cluster_file_moves_the_lock() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    sandbox.run("fetch").works();
    let new = other_java(&sandbox);
    sandbox.write("mine/jre.tar.gz", &new);
    sandbox.write_cluster(&with_java("{ path = \"mine/jre.tar.gz\" }"));
    let run = sandbox.run("build -n worker1").works();
    run.says(&["cluster.lock: java: temurin-17", "-> mine/jre.tar.gz"]);
    assert_eq!(locked(&sandbox, "java", "path").unwrap(), "mine/jre.tar.gz");
    assert_eq!(locked(&sandbox, "java", "urls"), None);
    // Its digest in the cluster file counts more than the lock.
    let pinned = format!(
        "{{ path = \"mine/jre.tar.gz\", sha256 = \"{}\" }}",
        "0".repeat(64)
    );
    sandbox.write_cluster(&with_java(&pinned));
    sandbox
        .run("check --locked")
        .refuses(2, &["names another sha256 for mine/jre.tar.gz"]);
    sandbox.run("fetch").refuses(3, &["cluster.toml says 0000"]);
}

#[test]
fn a_file_of_ones_own_may_be_replaced_but_not_in_ci() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    copy_sparsely(&world().java(), &sandbox.path("jre.tar.gz"));
    sandbox.write_cluster(&with_java("{ path = \"jre.tar.gz\" }"));
    sandbox.run("fetch").works();
    let before = lock(&sandbox);
    let new = other_java(&sandbox);
    sandbox.write("jre.tar.gz", &new);
    for verb in ["fetch --locked", "build --locked", "plan --locked"] {
        let old = sha256(&fs::read(world().java()).unwrap());
        let words = [
            "jre.tar.gz",
            &sha256(&new),
            &format!("cluster.lock says {old}"),
        ];
        sandbox.run(verb).refuses(3, &words);
    }
    assert_eq!(lock(&sandbox), before);
    sandbox
        .run("fetch")
        .works()
        .says(&["cluster.lock: java: jre.tar.gz"]);
    assert_eq!(locked(&sandbox, "java", "sha256"), Some(sha256(&new)));
    sandbox.run("fetch --locked").works();
}

#[test]
fn nothing_that_is_built_depends_on_when_or_whence() {
    let publisher = Publisher::new();
    let (one, other) = (publisher.sandbox(), publisher.sandbox());
    publisher.fill_directory(&other, "usb");
    one.run("build -n worker1").works();
    let later = ["faketime", "-m", "2031-02-03 04:05:06"];
    let args = "build -n worker1 --mirror usb --offline";
    other.finish(other.wrapped(&later, args), args).works();
    assert_ne!(lock(&one), lock(&other), "they are from different days");
    assert_eq!(locked(&other, "base", "date").unwrap(), "2031-02-03");
    for name in ["manifest.json", "known_hosts", "tiny-worker1.img"] {
        let read = |sandbox: &Sandbox| fs::read(sandbox.path("out").join(name)).unwrap();
        assert!(read(&one) == read(&other), "{name}");
    }
    // The day stays while the inputs do, and can be set.
    one.write("cluster.lock", lock(&other));
    one.run("fetch").works();
    assert_eq!(lock(&one), lock(&other));
    fs::remove_file(one.path("cluster.lock")).unwrap();
    let mut command = one.command("fetch");
    command.env("SOURCE_DATE_EPOCH", "86400");
    one.finish(command, "fetch").works();
    assert_eq!(locked(&one, "hadoop", "date").unwrap(), "1970-01-02");
}

#[test]
fn a_damaged_lock_is_shown_and_left_alone() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    sandbox.run("fetch").works();
    let damaged = lock(&sandbox).replacen("sha256 = \"", "sha256 = \"x", 1);
    sandbox.write("cluster.lock", &damaged);
    for verb in ["fetch", "build", "plan", "check", "fetch --update"] {
        let words = ["65 characters", "--> cluster.lock:14:10"];
        sandbox.run(verb).refuses(2, &words);
    }
    assert_eq!(lock(&sandbox), damaged);
    sandbox.write("cluster.lock", b"\xff");
    sandbox.run("fetch").refuses(2, &["not text in UTF-8"]);
}

#[test]
fn each_cluster_file_has_a_lock_of_its_own() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    sandbox.write("other.toml", by_recipes().text());
    sandbox.run("fetch -f other.toml").works();
    assert!(sandbox.path("other.lock").exists());
    assert!(!sandbox.path("cluster.lock").exists());
    // A link leads to the file that is kept elsewhere.
    fs::create_dir(sandbox.path("kept")).unwrap();
    fs::rename(sandbox.path("other.lock"), sandbox.path("kept/lock")).unwrap();
    std::os::unix::fs::symlink("kept/lock", sandbox.path("other.lock")).unwrap();
    let before = fs::read_to_string(sandbox.path("kept/lock")).unwrap();
    let mut command = sandbox.command("fetch -f other.toml --update");
    command.env("SOURCE_DATE_EPOCH", "0");
    sandbox.write("kept/lock", before.replace("size = ", "size = 9"));
    sandbox.finish(command, "fetch").works();
    let after = fs::read_to_string(sandbox.path("kept/lock")).unwrap();
    assert!(after.contains("date = \"1970-01-01\""), "{after}");
    assert!(
        fs::symlink_metadata(sandbox.path("other.lock"))
            .unwrap()
            .is_symlink()
    );
}

#[test]
fn a_lock_that_cannot_be_written_is_an_error() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    fs::create_dir(sandbox.path(".cluster.lock.partial")).unwrap();
    sandbox
        .run("fetch")
        .refuses(3, &["cluster.lock cannot be written"]);
    assert!(!sandbox.path("cluster.lock").exists());
    fs::remove_dir(sandbox.path(".cluster.lock.partial")).unwrap();
    // What a killed process left there is written over.
    sandbox.write(".cluster.lock.partial", "half");
    sandbox.run("fetch").works();
    assert!(!sandbox.path(".cluster.lock.partial").exists());
}

#[test]
fn local_inputs_are_locked_without_any_network() {
    let sandbox = Sandbox::with(&ClusterFile::new(world()));
    sandbox.run("fetch --offline").works();
    let path = world().java();
    assert_eq!(locked(&sandbox, "java", "path").unwrap(), path);
    let digest = sha256(&fs::read(path).unwrap());
    assert_eq!(locked(&sandbox, "java", "sha256"), Some(digest));
    sandbox.run("build --locked -n worker1").works();
}
