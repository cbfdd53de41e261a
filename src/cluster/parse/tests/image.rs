use insta::assert_snapshot;

use super::{said_of_each, valid_with};
use crate::cluster::SourceChoice;

const BASE: &str = "\"raspios-trixie-lite-arm64\"";

#[test]
fn an_input_is_a_recipe_a_file_or_an_address() {
    let digest = "CD".repeat(32);
    let path = format!("{{ path = \"a.img\", sha256 = \"{digest}\", recipe = \"r\" }}");
    let SourceChoice::Path {
        path,
        sha256,
        recipe,
        ..
    } = valid_with(BASE, &path).image.base
    else {
        panic!("not a path");
    };
    assert_eq!(path, "a.img");
    assert_eq!(sha256.as_deref(), Some("cd".repeat(32).as_str()));
    assert_eq!(recipe.as_deref(), Some("r"));
    let url = valid_with(BASE, "{ url = \"http://10.0.0.9/a.img.xz\" }")
        .image
        .base;
    assert!(matches!(url, SourceChoice::Url { sha256: None, .. }));
}

#[test]
fn wrong_inputs_are_told_apart() {
    assert_snapshot!(said_of_each(&[
        ("base   = \"raspios-trixie-lite-arm64\"\n", ""),
        (BASE, "7"),
        (BASE, "\"Raspios\""),
        (BASE, "\"./images/a.img.xz\""),
        (BASE, "\"https://example.org/a.img.xz\""),
        (BASE, "{ path = \"a.img\", url = \"https://example.org/a.img\" }"),
        (BASE, "{ sha256 = \"\" }"),
        (BASE, "{ pth = \"a.img\" }"),
    ]), @r#"
    error: [image] has no `base`
     --> cluster.toml:6:1
      |
    6 | [image]
      | ^^^^^^^ `base` is missing
      |
      = help: add `base = "raspios-trixie-lite-arm64"`
    ---
    error: `base` is an integer, expected a recipe's name, a path or an address
     --> cluster.toml:7:10
      |
    7 | base   = 7
      |          ^ an integer
      |
      = help: write it like `base = "raspios-trixie-lite-arm64"`
    ---
    error: "Raspios" is not a recipe's name
     --> cluster.toml:7:10
      |
    7 | base   = "Raspios"
      |          ^^^^^^^^^
      |
      = help: a recipe's name has only a-z, 0-9, '-', '.' and '_'
    ---
    error: "./images/a.img.xz" is not a recipe's name
     --> cluster.toml:7:10
      |
    7 | base   = "./images/a.img.xz"
      |          ^^^^^^^^^^^^^^^^^^^
      |
      = help: for a file, write `base = { path = … }`
    ---
    error: "https://example.org/a.img.xz" is not a recipe's name
     --> cluster.toml:7:10
      |
    7 | base   = "https://example.org/a.img.xz"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: for an address, write `base = { url = … }`
    ---
    error: `base` has both a path and an address
     --> cluster.toml:7:28
      |
    7 | base   = { path = "a.img", url = "https://example.org/a.img" }
      |            ---- the path   ^^^ only one of the two
      |
      = help: keep `path` for a file at hand, or `url` for one to download
    ---
    error: [image.base] has no `path`
     --> cluster.toml:7:10
      |
    7 | base   = { sha256 = "" }
      |          ^^^^^^^^^^^^^^^ `path` is missing
      |
      = help: add `path = "inputs/file"`

    error: a SHA-256 digest is 64 hexadecimal digits, this is 0 characters
     --> cluster.toml:7:21
      |
    7 | base   = { sha256 = "" }
      |                     ^^
      |
      = help: `sha256sum FILE` prints it
    ---
    error: unknown key `pth` in [image.base]
     --> cluster.toml:7:12
      |
    7 | base   = { pth = "a.img" }
      |            ^^^
      |
      = help: did you mean `path`?
    "#);
}

#[test]
fn wrong_digests_paths_and_addresses_are_told() {
    let sha512 = format!("{{ path = \"a\", sha256 = \"{}\" }}", "ab".repeat(64));
    assert_snapshot!(said_of_each(&[
        (BASE, "{ path = \"a\", sha256 = \"cdf4\" }"),
        (BASE, "{ path = \"a\", sha256 = \"sha256:12\" }"),
        (BASE, &sha512),
        (BASE, "{ path = \"\" }"),
        (BASE, "{ path = \"a\\nb\" }"),
        (BASE, "{ url = \"ftp://example.org/a\" }"),
        (BASE, "{ url = \"https:///a\" }"),
        (BASE, "{ url = \"https://example.org/a b\" }"),
    ]), @r#"
    error: a SHA-256 digest is 64 hexadecimal digits, this is 4 characters
     --> cluster.toml:7:33
      |
    7 | base   = { path = "a", sha256 = "cdf4" }
      |                                 ^^^^^^
      |
      = help: `sha256sum FILE` prints it
    ---
    error: a SHA-256 digest is 64 hexadecimal digits, this is 9 characters, some not hexadecimal
     --> cluster.toml:7:33
      |
    7 | base   = { path = "a", sha256 = "sha256:12" }
      |                                 ^^^^^^^^^^^
      |
      = help: `sha256sum FILE` prints it
    ---
    error: this is a SHA-512 digest, expected SHA-256
     --> cluster.toml:7:33
      |
    7 | ... = "abababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababababab" }
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: `sha256sum FILE` prints the right one
    ---
    error: the path is empty
     --> cluster.toml:7:19
      |
    7 | base   = { path = "" }
      |                   ^^
    ---
    error: the path has a control character
     --> cluster.toml:7:19
      |
    7 | base   = { path = "a\nb" }
      |                   ^^^^^^
    ---
    error: an address begins with https:// or http://
     --> cluster.toml:7:18
      |
    7 | base   = { url = "ftp://example.org/a" }
      |                  ^^^^^^^^^^^^^^^^^^^^^
      |
      = help: for a file at hand, write `path` instead of `url` in the cluster file
    ---
    error: the address names no host
     --> cluster.toml:7:18
      |
    7 | base   = { url = "https:///a" }
      |                  ^^^^^^^^^^^^
    ---
    error: the address has a blank or a control character
     --> cluster.toml:7:18
      |
    7 | base   = { url = "https://example.org/a b" }
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}
