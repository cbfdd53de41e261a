use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

#[test]
fn wrong_recipes_are_told() {
    assert_snapshot!(said_of_each(&[
        ("schema = 1", "schema = 9"),
        ("kind = \"spark\"\n", ""),
        ("description = \"Apache Spark\"\nversion", "versoin"),
        ("arch = \"arm64\"", "arch = \"aarch64\""),
        ("sidecar = { suffix = \".sha512\", kind = \"sha512\" }", "sha512 = \"ab\""),
        ("sidecar = { suffix = \".sha512\", kind = \"sha512\" }\n", ""),
        ("suffix = \".sha512\", kind = \"sha512\"", "suffix = \"sums\", kind = \"md5\""),
        ("urls = [\"https://example.org/spark.tgz\"]", "urls = []\nunpacked_sha256 = \"\""),
        ("[requires]", "[[source]]\narch = \"arm64\"\nurls = [\"http://x/y\"]\nsha256 = 1\n[requires]"),
    ]), @r#"
    error: schema 9 is not one this version reads
     --> r.toml:1:10
      |
    1 | schema = 9
      |          ^ only 1 is
      |
      = help: write `schema = 1`, or use the version of pidoop this file is for
    ---
    error: the file has no `kind`
     --> r.toml:1:1
      |
    1 | schema = 1
      | ^ `kind` is missing
      |
      = help: add `kind = "base"`
    ---
    error: the file has no `description`
     --> r.toml:1:1
      |
    1 | schema = 1
      | ^ `description` is missing
      |
      = help: add `description = "What it is"`

    error: unknown key `versoin` in the file
     --> r.toml:4:1
      |
    4 | versoin = "4.3.0"
      | ^^^^^^^
      |
      = help: did you mean `version`?
    ---
    error: unknown architecture "aarch64"
     --> r.toml:9:8
      |
    9 | arch = "aarch64"
      |        ^^^^^^^^^
      |
      = help: did you mean `arm64`?
    ---
    error: a SHA-512 digest is 128 hexadecimal digits, this is 2 characters
      --> r.toml:11:10
       |
    11 | sha512 = "ab"
       |          ^^^^
       |
       = help: `sha512sum FILE` prints it
    ---
    error: nothing says what the file must be
     --> r.toml:8:1
      |
    8 | [[source]]
      | ^^^^^^^^^^ no digest
      |
      = help: add `sha256`, `sha512` or `sidecar`
    ---
    error: "sums" is not a suffix
      --> r.toml:11:22
       |
    11 | sidecar = { suffix = "sums", kind = "md5" }
       |                      ^^^^^^
       |
       = help: write it like `.sha512`

    error: a sidecar is "sha256" or "sha512", not "md5"
      --> r.toml:11:37
       |
    11 | sidecar = { suffix = "sums", kind = "md5" }
       |                                     ^^^^^
    ---
    error: `urls` is empty
      --> r.toml:10:1
       |
    10 | urls = []
       | ^^^^

    error: unknown key `unpacked_sha256` in [[source]]
      --> r.toml:11:1
       |
    11 | unpacked_sha256 = ""
       | ^^^^^^^^^^^^^^^
       |
       = help: [[source]] may have arch, version, urls, sha256, sha512, size, sidecar and signature
    ---
    error: two sources for arm64
      --> r.toml:13:1
       |
     8 | [[source]]
       | ---------- the first
    ...
    13 | [[source]]
       | ^^^^^^^^^^
       |
       = help: give further addresses of the same file in its `urls`

    error: `sha256` is an integer, expected a string
      --> r.toml:16:10
       |
    16 | sha256 = 1
       |          ^ an integer
       |
       = help: write it like `sha256 = "64 hexadecimal digits"`
    "#);
    assert_snapshot!(said_of_each(&[
        ("min = 17", "min = 25"),
        ("min = 17", "min = 17, supported = [\"17\"]"),
        ("into = \"/opt/spark-4\"", "into = \"/usr\""),
        ("into = \"/opt/spark-4\"", "into = \"/opt/../etc/x\""),
        ("link = \"/opt/spark\"", "link = \"/opt/spark-4/current\""),
        ("\"examples\"", "\"/examples\", \"a[\""),
        ("owner = \"hadoop\"", "owner = \"alice\""),
        ("unit = \"spark-history.service\"", "unit = \"spark-history\""),
        ("roles = [\"master\"]", "role = \"master\""),
    ]), @r#"
    error: no version is in this range
      --> r.toml:14:26
       |
    14 | java = { min = 25, max = 21, note = "why" }
       |                --        ^^
       |                |
       |                the least
    ---
    error: `supported` is a list, expected a list of major versions
      --> r.toml:14:32
       |
    14 | java = { min = 17, supported = ["17"], max = 21, note = "why" }
       |                                ^^^^^^ a list
       |
       = help: write it like `supported = [8, 11]`
    ---
    error: "/usr" is a directory of the system
      --> r.toml:18:8
       |
    18 | into = "/usr"
       |        ^^^^^^
       |
       = help: name one below it, such as `/opt/thing-1.0`
    ---
    error: image path "/opt/../etc/x" has an empty, '.' or '..' component
      --> r.toml:18:8
       |
    18 | into = "/opt/../etc/x"
       |        ^^^^^^^^^^^^^^^
    ---
    error: the link and the directory lie within each other
      --> r.toml:19:8
       |
    18 | into = "/opt/spark-4"
       |        -------------- the directory
    19 | link = "/opt/spark-4/current"
       |        ^^^^^^^^^^^^^^^^^^^^^^
    ---
    error: "/examples" cannot match: names of members begin below the archive
      --> r.toml:20:9
       |
    20 | drop = ["/examples", "a[", "**/*.cmd"]
       |         ^^^^^^^^^^^
       |
       = help: write it without a slash in front

    error: "a[" is not a pattern: unclosed character class; missing ']'
      --> r.toml:20:22
       |
    20 | drop = ["/examples", "a[", "**/*.cmd"]
       |                      ^^^^
    ---
    error: the owner is "root" or "hadoop", not "alice"
      --> r.toml:21:9
       |
    21 | owner = "alice"
       |         ^^^^^^^
       |
       = help: programs belong to root unless they change themselves
    ---
    error: "spark-history" is not the name of a unit
      --> r.toml:27:8
       |
    27 | unit = "spark-history"
       |        ^^^^^^^^^^^^^^^
       |
       = help: write it like `thing.service`
    ---
    error: unknown key `role` in [[service]]
      --> r.toml:26:1
       |
    26 | role = "master"
       | ^^^^
       |
       = help: did you mean `roles`?
    "#);
}

#[test]
fn a_recipe_says_where_its_file_comes_from() {
    let text = "schema = 1\nkind = \"base\"\nname = \"b\"\ndescription = \"d\"\nversion = \"1\"\n";
    assert_snapshot!(said_of(text), @r#"
    error: the recipe does not say where the file comes from
     --> r.toml:1:1
      |
    1 | schema = 1
      | ^
      |
      = help: add a `[[source]]`, or say in `supply` how to get it

    error: the file has no `release`
     --> r.toml:1:1
      |
    1 | schema = 1
      | ^ `release` is missing
      |
      = help: add `release = "trixie"`
    "#);
    assert!(
        parse(&format!(
            "{text}release = \"trixie\"\nsupply = \"Make one\"\n"
        ))
        .is_ok()
    );
}

proptest! {
    #[test]
    fn any_mutation_is_answered(
        at in 0usize..VALID.len(),
        length in 0usize..30,
        piece in "[ -~\n]{0,12}",
    ) {
        let mut text = VALID.to_owned();
        text.replace_range(at..(at + length).min(VALID.len()), &piece);
        if let Err(problems) = parse(&text) {
            prop_assert!(!problems.is_empty());
            render("r.toml", &text, &problems, Color::Off);
        }
    }
}
