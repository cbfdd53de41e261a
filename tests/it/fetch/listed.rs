//! "latest" by a list of images, pinned in the lock.

use fs_err as fs;

use super::cluster::{BASE, Publisher, lock, locked};
use crate::support::server::Answer;
use crate::support::world::{Flavour, Sandbox, world};

const LIST: &str = "/os_list.json";

struct Image<'a> {
    url: &'a str,
    date: &'a str,
    packed: Option<&'a str>,
    raw: &'a str,
}

impl Image<'_> {
    fn json(&self) -> serde_json::Value {
        let mut entry = serde_json::json!({
            "name": "Raspberry Pi OS Lite (64-bit)",
            "description": "A port of Debian with no desktop environment",
            "icon": "https://nowhere.invalid/icon.png",
            "url": self.url,
            "extract_size": 1,
            "extract_sha256": self.raw,
            "image_download_size": null,
            "release_date": self.date,
            "devices": ["pi5-64bit", "pi4-64bit"],
            "init_format": "cloudinit-rpi",
        });
        if let Some(packed) = self.packed {
            entry["image_download_sha256"] = packed.into();
        }
        entry
    }
}

fn list(images: &[&Image<'_>]) -> Answer {
    let items: Vec<_> = images.iter().map(|image| image.json()).collect();
    let list = serde_json::json!({
        "imager": { "latest_version": "2.0.11", "devices": [] },
        "os_list": [{
            "name": "Raspberry Pi OS (other)", "description": "x", "icon": "x",
            "subitems": items,
        }],
    });
    Answer::file(list.to_string())
}

/// A cluster whose base is the newest of a list on the publisher's server.
fn sandbox(publisher: &Publisher) -> Sandbox {
    let sandbox = publisher.sandbox();
    let list = publisher.server.url(LIST);
    let rule =
        format!("list = {{ url = \"{list}\", file = \"*.img.xz\", device = \"pi4-64bit\" }}");
    publisher.write_recipe(&sandbox, BASE, &rule);
    sandbox
}

fn raw_digest() -> String {
    let raw = fs::read(world().base(Flavour::Trixie)).unwrap();
    pidoop::source::Sha256::of(&raw).to_string()
}

#[test]
fn the_newest_is_pinned_and_moves_on_demand() {
    let publisher = Publisher::new();
    let sandbox = sandbox(&publisher);
    let (packed, raw) = (publisher.sha256(BASE), raw_digest());
    let url = publisher.url(BASE);
    let june = Image {
        url: &url,
        date: "2026-06-18",
        packed: Some(&packed),
        raw: &raw,
    };
    let old = Image {
        url: "https://nowhere.invalid/older.img.xz",
        date: "2025-12-04",
        ..june
    };
    publisher.server.serve(LIST, [list(&[&old, &june])]);
    let run = sandbox.run("fetch").works();
    run.says(&["2026-06-18", "by http://127.0.0.1"]);
    let value = |key| locked(&sandbox, "base", key).unwrap();
    assert_eq!(value("version"), "2026-06-18");
    assert_eq!(value("recipe"), BASE);
    assert!(value("urls").contains(&url));
    assert_eq!(
        (value("sha256"), value("unpacked_sha256")),
        (packed.clone(), raw.clone())
    );
    let before = lock(&sandbox);

    // There is a newer one, which nobody asked for.
    let second = publisher
        .server
        .serve("/current/september.img.xz", [publisher.answer(BASE)]);
    let september = Image {
        url: &second,
        date: "2026-09-15",
        ..june
    };
    publisher.server.serve(LIST, [list(&[&september, &june])]);
    fs::remove_dir_all(sandbox.cache()).unwrap();
    sandbox.run("fetch --locked").works();
    sandbox.run("build -n worker1").works();
    assert_eq!(publisher.server.hits(LIST), 0, "the lock decides alone");
    assert_eq!(lock(&sandbox), before);
    sandbox
        .run("fetch --update base")
        .works()
        .says(&["tiny-base 2026-06-18", "-> tiny-base 2026-09-15"]);
    assert!(locked(&sandbox, "base", "urls").unwrap().contains(&second));
}

#[test]
fn a_list_may_give_the_digest_of_the_image_alone() {
    let publisher = Publisher::new();
    let sandbox = sandbox(&publisher);
    let (raw, url) = (raw_digest(), publisher.url(BASE));
    let image = Image {
        url: &url,
        date: "2026-06-18",
        packed: None,
        raw: &raw,
    };
    let wrong = Image {
        raw: &"0".repeat(64),
        ..image
    };
    publisher.server.serve(LIST, [list(&[&wrong])]);
    sandbox.run("fetch").refuses(2, &[&raw, "another release"]);
    assert!(!sandbox.path("cluster.lock").exists());
    publisher.server.serve(LIST, [list(&[&image])]);
    sandbox.run("fetch").works();
    assert_eq!(
        locked(&sandbox, "base", "sha256"),
        Some(publisher.sha256(BASE))
    );
}

#[test]
fn a_list_refers_to_further_ones_of_its_own_host() {
    let publisher = Publisher::new();
    let sandbox = sandbox(&publisher);
    let (packed, raw, url) = (publisher.sha256(BASE), raw_digest(), publisher.url(BASE));
    let image = Image {
        url: &url,
        date: "2026-06-18",
        packed: Some(&packed),
        raw: &raw,
    };
    publisher.server.serve("/more.json", [list(&[&image])]);
    let top = serde_json::json!({ "os_list": [
        { "name": "others", "subitems_url": "http://nowhere.invalid/x.json" },
        { "name": "more", "subitems_url": publisher.server.url("/more.json") },
    ]});
    publisher
        .server
        .serve(LIST, [Answer::file(top.to_string())]);
    sandbox.run("fetch").works();
    assert_eq!(locked(&sandbox, "base", "version").unwrap(), "2026-06-18");
}

#[test]
fn without_a_list_there_is_no_newest() {
    let publisher = Publisher::new();
    let cluster = sandbox(&publisher);
    let run = cluster.run("fetch");
    let run = run.refuses(3, &["the list for tiny-base", "(404)"]);
    assert_eq!(run.stderr.matches("os_list.json").count(), 1, "{run}");
    // What else is missing is named with it.
    let other = sandbox(&publisher);
    let run = other.run("fetch --offline");
    let java = publisher.url(super::cluster::JAVA);
    run.refuses(3, &["the list for tiny-base", "this is offline", &java]);
    // A plan does without.
    let run = cluster.run("plan").works();
    assert!(run.stdout.contains("memory plan"), "{run}");
    publisher.server.serve(LIST, [Answer::file("<html>")]);
    cluster.run("fetch").refuses(3, &["no list of images"]);
    publisher.server.serve(LIST, [list(&[])]);
    let words = [
        "does not have tiny-base",
        "none of its 0 images for pi4-64bit",
        "*.img.xz",
    ];
    cluster.run("fetch").refuses(3, &words);
    // An image for another processor is refused by its own looks.
    assert!(!cluster.path("cluster.lock").exists());
}

#[test]
fn a_list_and_its_images_lie_in_mirror_directories_too() {
    let publisher = Publisher::new();
    let sandbox = sandbox(&publisher);
    let (packed, raw) = (publisher.sha256(BASE), raw_digest());
    let image = Image {
        url: "https://nowhere.invalid/d/tiny.img.xz",
        date: "2026-06-18",
        packed: Some(&packed),
        raw: &raw,
    };
    let text = serde_json::json!({ "os_list": [image.json()] }).to_string();
    publisher.fill_directory(&sandbox, "usb");
    sandbox.write("usb/os_list.json", text);
    sandbox.run("fetch --offline --mirror usb").works();
    assert_eq!(publisher.server.all_hits(), 0);
    assert!(lock(&sandbox).contains("https://nowhere.invalid/d/tiny.img.xz"));
}
