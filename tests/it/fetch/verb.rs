//! `pidoop fetch`, and what build makes of what it got.

use std::process::Stdio;
use std::time::Duration;

use fs_err as fs;

use super::cluster::{BASE, HADOOP, JAVA, Publisher, lock, locked};
use crate::support::server::{Answer, Ranges, TestProxy};
use crate::support::signer::Signer;
use crate::support::world::{Sandbox, assert_same_bytes, world};

const ALL: [&str; 3] = [BASE, JAVA, HADOOP];

#[test]
fn everything_is_fetched_once_and_locked() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    let run = sandbox.run("fetch").works();
    run.says(&[
        "wrote cluster.lock",
        "commit it",
        &format!("base {BASE} 1"),
        &format!("sha256 {}", &publisher.sha256(JAVA)[..12]),
    ]);
    for (input, recipe) in ["base", "java", "hadoop"].into_iter().zip(ALL) {
        let value = |key| locked(&sandbox, input, key).unwrap();
        assert_eq!(value("sha256"), publisher.sha256(recipe));
        assert_eq!(value("size"), publisher.bytes(recipe).len().to_string());
        assert_eq!(value("recipe"), recipe);
        assert!(value("urls").contains(&publisher.url(recipe)));
        assert_eq!(publisher.hits(recipe), 1);
    }
    let raw = fs::read(world().base(crate::support::world::Flavour::Trixie)).unwrap();
    let raw = pidoop::source::Sha256::of(&raw).to_string();
    assert_eq!(locked(&sandbox, "base", "unpacked_sha256"), Some(raw));
    assert!(lock(&sandbox).starts_with("# What the inputs"));

    // The second time nobody is asked and nothing is written.
    let before = fs::metadata(sandbox.path("cluster.lock")).unwrap();
    let run = sandbox.run("fetch").works();
    assert!(!run.stderr.contains("cluster.lock"), "{run}");
    let after = fs::metadata(sandbox.path("cluster.lock")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());

    // Nor by a build, which makes what it makes of local files.
    sandbox.run("build --offline --locked -n worker1").works();
    assert_same_bytes(&sandbox.image("worker1"), &world().usual_image("worker1"));
    assert_eq!(publisher.server.all_hits(), 3);
}

#[test]
fn a_build_fetches_and_locks_by_itself() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    sandbox
        .run("build -n worker1")
        .works()
        .says(&["wrote cluster.lock"]);
    assert_same_bytes(&sandbox.image("worker1"), &world().usual_image("worker1"));
    let locked = lock(&sandbox);
    sandbox.run("fetch").works();
    assert_eq!(lock(&sandbox), locked);
    assert_eq!(publisher.server.all_hits(), 3);
}

#[test]
fn programs_read_the_result_in_the_last_line() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    let run = sandbox.run("fetch --json").works();
    assert_eq!(run.stderr, "");
    let lines = run.json_lines();
    let last = lines.last().unwrap();
    assert_eq!(last["event"], "fetched");
    assert_eq!(last["lock"], "cluster.lock");
    assert_eq!(last["inputs"][1]["name"], "java");
    assert_eq!(last["inputs"][1]["sha256"], publisher.sha256(JAVA));
    assert_eq!(last["inputs"][1]["origin"], publisher.url(JAVA));
    assert_eq!(last["moved"].as_array().unwrap().len(), 3);
    assert_eq!(last["moved"][0]["old_sha256"], serde_json::Value::Null);
    let path = last["inputs"][2]["path"].as_str().unwrap();
    let path = path.replace("$HERE", sandbox.path("").as_str());
    assert_eq!(fs::read(path).unwrap(), publisher.bytes(HADOOP));
    let again = sandbox.run("fetch --json").works().json_lines();
    assert_eq!(again.last().unwrap()["moved"].as_array().unwrap().len(), 0);
}

#[test]
fn inputs_come_at_once() {
    let publisher = Publisher::new();
    publisher.serve_slowly(4, Duration::from_millis(300));
    let sandbox = publisher.sandbox();
    let lines = sandbox.run("fetch --json").works().json_lines();
    let place = |event: &str, recipe: &str| {
        let title = format!("fetching {recipe}");
        let started = lines.iter().find(|line| line["title"] == title.as_str());
        let task = &started.unwrap()["task"];
        let is = |line: &&serde_json::Value| line["event"] == event && line["task"] == *task;
        lines.iter().position(|line| is(&line)).unwrap()
    };
    let last_start = ALL.iter().map(|recipe| place("task-started", recipe)).max();
    let first_end = ALL
        .iter()
        .map(|recipe| place("task-finished", recipe))
        .min();
    assert!(last_start < first_end, "{lines:?}");
}

#[test]
fn a_release_that_left_for_the_archive() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    let current = publisher.url(HADOOP);
    let old = publisher
        .server
        .serve("/archive/hadoop.tar.gz", [publisher.answer(HADOOP)]);
    let sha256 = publisher.sha256(HADOOP);
    let both = format!("urls = [\"{current}\", \"{old}\"]\nsha256 = \"{sha256}\"");
    publisher.write_recipe(&sandbox, HADOOP, &both);
    sandbox.run("fetch").works();
    let before = lock(&sandbox);
    // Gone from where it was: another machine gets it all the same, by the lock,
    // and has the same lock and manifest.
    publisher.serve(HADOOP, [Answer::status(404)]);
    let other = publisher.sandbox();
    publisher.write_recipe(&other, HADOOP, &both);
    other.write("cluster.lock", &before);
    other.run("build --locked -n worker1").works();
    assert_eq!(lock(&other), before);
    assert_eq!(publisher.server.hits("/archive/hadoop.tar.gz"), 1);
    sandbox.run("build --locked -n worker1").works();
    let manifest = |sandbox: &Sandbox| fs::read_to_string(sandbox.path("out/manifest.json"));
    let manifest = [&sandbox, &other].map(|sandbox| manifest(sandbox).unwrap());
    assert_eq!(manifest[0], manifest[1]);
    assert!(manifest[0].contains(&current), "{}", manifest[0]);
}

#[test]
fn offline_all_that_is_missing_is_named() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    for verb in ["fetch", "build"] {
        let run = sandbox.run(&format!("{verb} --offline"));
        let urls = ALL.map(|recipe| publisher.url(recipe));
        let [base, java, hadoop] = &urls;
        let words = ["this is offline", "--mirror", base, java, hadoop];
        let run = run.refuses(3, &words);
        let hints = run.stderr.matches("help: ").count();
        assert_eq!(hints, 1, "what to do is said once\n{run}");
        assert!(!sandbox.path("cluster.lock").exists());
    }
    let run = sandbox.run("plan").works();
    assert!(run.stdout.contains("memory plan"), "{run}");
    run.says(&["not all at hand", &publisher.url(JAVA)]);
    assert_eq!(publisher.server.all_hits(), 0);
    sandbox.run("fetch").works();
    let run = sandbox.run("plan --locked --offline").works();
    assert!(run.stdout.contains(&publisher.url(JAVA)), "{run}");
}

#[test]
fn a_directory_of_files_serves_instead() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    publisher.fill_directory(&sandbox, "usb");
    sandbox.run("fetch --offline --mirror usb").works();
    // What is locked is where the files are published.
    assert!(lock(&sandbox).contains(&publisher.url(JAVA)));
    assert!(!lock(&sandbox).contains("usb"));
    assert_eq!(publisher.server.all_hits(), 0);
    fs::remove_dir_all(sandbox.path("usb")).unwrap();
    sandbox.run("fetch --offline --locked").works();

    // Told by the environment, and wrong: digests decide.
    let other = publisher.sandbox();
    other.write("usb/hadoop.tar.gz", "another release");
    let mut command = other.command("fetch");
    command.env("PIDOOP_MIRROR", "usb");
    other.finish(command, "fetch").works();
    assert_eq!(publisher.server.all_hits(), 3);
    assert_eq!(lock(&other), lock(&sandbox));
    other
        .run("fetch --mirror nosuch")
        .refuses(2, &["nosuch", "no such directory", "--mirror"]);
}

#[test]
fn another_server_serves_instead() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    let mirror = publisher.server.url("/current");
    for recipe in ALL {
        let name = publisher.url(recipe).rsplit('/').next().unwrap().to_owned();
        let (url, sha256) = ("https://nowhere.invalid/d", publisher.sha256(recipe));
        let source = format!("urls = [\"{url}/{name}\"]\nsha256 = \"{sha256}\"");
        publisher.write_recipe(&sandbox, recipe, &source);
    }
    sandbox.run(&format!("fetch --mirror {mirror}")).works();
    assert_eq!(publisher.server.all_hits(), 3);
    assert!(lock(&sandbox).contains("https://nowhere.invalid/d/hadoop.tar.gz"));
    assert!(!lock(&sandbox).contains("127.0.0.1"));
}

#[test]
fn proxies_of_the_environment_are_heeded() {
    let (publisher, proxy) = (Publisher::new(), TestProxy::new(200));
    let sandbox = publisher.sandbox();
    let mut command = sandbox.command("fetch");
    command.env("http_proxy", &proxy.address);
    sandbox.finish(command, "fetch").works();
    assert_eq!(proxy.asked().len(), 3);
}

#[test]
fn processes_at_once_download_once_and_lock_alike() {
    let publisher = Publisher::new();
    publisher.serve_slowly(10, Duration::from_millis(30));
    let sandbox = publisher.sandbox();
    let start = |_| {
        let mut command = sandbox.command("fetch");
        command.stderr(Stdio::piped()).spawn().unwrap()
    };
    for child in [0, 1, 2, 3, 4, 5].map(start) {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
    }
    for recipe in ALL {
        assert_eq!(publisher.hits(recipe), 1, "{recipe}");
    }
    sandbox.run("fetch --locked --offline").works();
}

#[test]
fn wrong_bytes_are_an_error_and_nothing_is_locked() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    publisher.serve(JAVA, [Answer::file("<html>Sign in</html>")]);
    publisher.serve(HADOOP, [Answer::status(403)]);
    let words = ["web page", "the recipe temurin-17 says", "refused (403)"];
    sandbox.run("fetch").refuses(3, &words);
    assert!(!sandbox.path("cluster.lock").exists());
    publisher.serve_all(|answer| answer);
    sandbox.run("fetch").works();
    assert_eq!(publisher.hits(BASE), 0, "the right one was kept");
}

#[test]
fn a_cut_connection_is_gone_on_with() {
    let publisher = Publisher::new();
    let half = publisher.bytes(BASE).len() / 2;
    let sandbox = publisher.sandbox();
    let cut = publisher.answer(BASE).cut(half);
    publisher.serve(BASE, [cut, publisher.answer(BASE)]);
    let whole = publisher.answer(JAVA).ranges(Ranges::Unknown);
    publisher.serve(JAVA, [whole.clone().cut(100), whole]);
    let run = sandbox.run("fetch").works();
    run.says(&["broke off", "trying again"]);
    let asked = publisher.server.seen(&publisher.path(BASE));
    assert_eq!(asked[1].range, Some(format!("bytes={half}-")));
    assert_eq!(
        locked(&sandbox, "java", "sha256"),
        Some(publisher.sha256(JAVA))
    );
}

#[test]
fn digests_of_image_and_packed_file_are_told_apart() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    sandbox.run("fetch").works();
    let raw = locked(&sandbox, "base", "unpacked_sha256").unwrap();
    fs::remove_file(sandbox.path("cluster.lock")).unwrap();
    let url = publisher.url(BASE);
    let packed = publisher.sha256(BASE);
    let with = |digests: &str| {
        publisher.write_recipe(&sandbox, BASE, &format!("urls = [\"{url}\"]\n{digests}"));
        sandbox.run("fetch")
    };
    with(&format!("sha256 = \"{raw}\"")).refuses(
        3,
        &[
            "digest of the image in it",
            &format!("sha256 = \"{packed}\""),
        ],
    );
    with(&format!(
        "sha256 = \"{packed}\"\nunpacked_sha256 = \"{packed}\""
    ))
    .refuses(
        2,
        &["digest of the packed file, which belongs in sha256", &raw],
    );
    let other = "0".repeat(64);
    with(&format!(
        "sha256 = \"{packed}\"\nunpacked_sha256 = \"{other}\""
    ))
    .refuses(
        2,
        &[&raw, &other, "the recipe tiny-base says", "another release"],
    );
    assert!(!sandbox.path("cluster.lock").exists());
    with(&format!(
        "sha256 = \"{packed}\"\nunpacked_sha256 = \"{raw}\""
    ))
    .works();
}

#[test]
fn signatures_of_recipes_are_checked() {
    let (publisher, signer) = (Publisher::new(), Signer::new());
    let sandbox = publisher.sandbox();
    let signed = |bytes: &[u8]| {
        let path = format!("{}.asc", publisher.path(JAVA));
        publisher
            .server
            .serve(&path, [Answer::file(signer.sign(bytes, true))]);
    };
    let rule = "signature = { suffix = \".asc\", key = \"keys/java.asc\" }";
    let source = format!("{}\n{rule}", publisher.source(JAVA));
    publisher.write_recipe(&sandbox, JAVA, &source);
    signed(publisher.bytes(JAVA));
    sandbox
        .run("fetch")
        .refuses(2, &["there is no recipes/keys/java.asc", "public key"]);
    sandbox.write("recipes/keys/java.asc", signer.public_key(true));
    signed(b"other bytes");
    sandbox
        .run("fetch")
        .refuses(3, &["its signature is not right", "recipes/keys/java.asc"]);
    assert!(!sandbox.path("cluster.lock").exists());

    // Without gpgv the digest decides, and that is said.
    let mut without = sandbox.wrapped(&["/usr/bin/env", "PATH=/nowhere"], "fetch");
    without.args(["--cache-dir", "other"]);
    let run = sandbox.finish(without, "fetch").works();
    run.says(&["signature was not checked", "apt install gpgv"]);

    signed(publisher.bytes(JAVA));
    let run = sandbox.run("fetch").works();
    run.says(&[&format!("signed by {}", signer.fingerprint())]);
}

#[test]
fn an_input_without_a_digest_is_taken_once_and_then_held_to() {
    let publisher = Publisher::new();
    let sandbox = publisher.sandbox();
    let java = format!("{{ url = \"{}\" }}", publisher.url(JAVA));
    let cluster = |java: &str| {
        let quoted = |name: &str| format!("\"{name}\"");
        super::cluster::by_recipes().inputs(&quoted(BASE), java, &quoted(HADOOP))
    };
    sandbox.write_cluster(&cluster(&java));
    sandbox.run("fetch").works();
    assert_eq!(locked(&sandbox, "java", "url"), Some(publisher.url(JAVA)));
    assert_eq!(
        locked(&sandbox, "java", "sha256"),
        Some(publisher.sha256(JAVA))
    );
    // With a password it is the same input, and the password stays here.
    let secret = java.replace("http://", "http://me:secret@");
    sandbox.write_cluster(&cluster(&secret));
    sandbox.run("fetch --locked").works();
    assert!(!lock(&sandbox).contains("secret"));
}
