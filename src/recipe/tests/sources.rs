//! Lists and signatures in recipes.

use insta::assert_snapshot;

use super::*;

const BASE: &str = r#"schema = 1
kind = "base"
name = "pi"
description = "d"
version = "latest"
release = "trixie"

[[source]]
arch = "arm64"
list = { url = "https://h/list.json", file = "*-lite.img.xz", device = "pi4-64bit" }
signature = { suffix = ".sig", key = "keys/pi.asc" }
"#;

fn changed(from: &str, to: &str) -> String {
    assert!(BASE.contains(from), "{from}");
    BASE.replacen(from, to, 1)
}

fn only_source(text: &str) -> RecipeSource {
    parse(text).unwrap().sources()[0].clone()
}

#[test]
fn a_list_says_where_the_newest_is() {
    let source = only_source(BASE);
    let list = source.list.unwrap();
    assert_eq!(list.file, "*-lite.img.xz");
    assert_eq!(list.device.as_deref(), Some("pi4-64bit"));
    assert_eq!(source.urls, [""; 0]);
}

#[test]
fn a_signature_names_its_key() {
    let rule = only_source(BASE).signature.unwrap();
    assert_eq!(rule.suffix, ".sig");
    assert_eq!(rule.key, SigningKey::File("keys/pi.asc".to_owned()));
    let blanks = "f4aa dd86 c468 7d69 ae04 543e 796c 114a d12b 2292";
    let rule = only_source(&changed(
        "key = \"keys/pi.asc\"",
        &format!("key = \"https://h/KEYS\", fingerprint = \"{blanks}\""),
    ));
    let rule = rule.signature.unwrap();
    assert_eq!(rule.key, SigningKey::Url("https://h/KEYS".to_owned()));
    assert_eq!(
        rule.fingerprint.as_deref(),
        Some("F4AADD86C4687D69AE04543E796C114AD12B2292")
    );
}

#[test]
fn key_files_are_found_beside_recipes() {
    let recipes = Recipes::embedded().unwrap();
    let said = recipes.key("keys/pi.asc").unwrap_err();
    assert!(said.message.contains("recipes/keys/pi.asc"), "{said}");
    let recipes = recipes.and_keys([("keys/pi.asc".to_owned(), b"key".to_vec())]);
    assert_eq!(recipes.key("keys/pi.asc").unwrap(), b"key");
}

#[test]
fn wrong_lists_and_signatures_are_told() {
    let said = [
        changed("file = \"*-lite.img.xz\", ", ""),
        changed(
            "arch = \"arm64\"\n",
            "arch = \"arm64\"\nurls = [\"https://h/x\"]\n",
        ),
        changed("\"keys/pi.asc\"", "\"https://h/KEYS\""),
        changed("\"keys/pi.asc\"", "\"../pi.asc\""),
        changed(
            "key = \"keys/pi.asc\"",
            "key = \"keys/pi.asc\", fingerprint = \"D12B2292\"",
        ),
    ]
    .map(|text| said_of(&text))
    .join("---\n");
    assert_snapshot!(said, @r#"
    error: [source.list] has no `file`
      --> r.toml:10:8
       |
    10 | list = { url = "https://h/list.json", device = "pi4-64bit" }
       |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `file` is missing
       |
       = help: add `file = "*-arm64-lite.img.xz"`
    ---
    error: the list says `urls`, so the recipe cannot
      --> r.toml:10:1
       |
    10 | urls = ["https://h/x"]
       | ^^^^
       |
       = help: leave out `urls`, or `list`
    ---
    error: keys from an address may be anybody's
      --> r.toml:11:38
       |
    11 | signature = { suffix = ".sig", key = "https://h/KEYS" }
       |                                      ^^^^^^^^^^^^^^^^ without a fingerprint
       |
       = help: add `fingerprint`, or keep the key as a file beside the recipe
    ---
    error: "../pi.asc" is not the place of a key
      --> r.toml:11:38
       |
    11 | signature = { suffix = ".sig", key = "../pi.asc" }
       |                                      ^^^^^^^^^^^
       |
       = help: put the file into `keys` beside the recipes and write it like `keys/thing.asc`, or give an address
    ---
    error: "D12B2292" is not the fingerprint of a key
      --> r.toml:11:67
       |
    11 | signature = { suffix = ".sig", key = "keys/pi.asc", fingerprint = "D12B2292" }
       |                                                                   ^^^^^^^^^^
       |
       = help: write all 40 digits that `gpg --show-keys FILE` prints; shorter ids can be forged
    "#);
}
