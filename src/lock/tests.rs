use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::cluster::SourceChoice;
use crate::diagnostic::{Color, render};
use crate::recipe::Arch;

fn base() -> LockedInput {
    LockedInput {
        asked: Asked::Recipe("raspios-trixie-lite-arm64-latest".to_owned()),
        version: Some("2026-09-15".to_owned()),
        arch: Some(Arch::Arm64),
        urls: vec!["https://h/2026-09-15.img.xz".to_owned()],
        sha256: "cd".repeat(32),
        sha512: None,
        size: 529_000_000,
        unpacked_sha256: Some("ab".repeat(32)),
        date: "2026-11-26".to_owned(),
    }
}

fn java() -> LockedInput {
    LockedInput {
        asked: Asked::Path("inputs/my \"java\".tar.gz".to_owned()),
        version: None,
        arch: None,
        urls: Vec::new(),
        sha256: "11".repeat(32),
        size: 7,
        unpacked_sha256: None,
        ..base()
    }
}

fn hadoop() -> LockedInput {
    LockedInput {
        asked: Asked::Recipe("hadoop-3.5.0".to_owned()),
        version: Some("3.5.0".to_owned()),
        urls: ["https://a/h.tgz", "https://b/h.tgz"]
            .map(str::to_owned)
            .into(),
        sha512: Some("22".repeat(64)),
        unpacked_sha256: None,
        ..base()
    }
}

fn lock() -> Lock {
    let inputs = [("base", base()), ("java", java()), ("hadoop", hadoop())];
    Lock {
        inputs: inputs.map(|(name, input)| (name.to_owned(), input)).into(),
    }
}

#[test]
fn the_text_is_stable_and_reads_well() {
    assert_snapshot!(lock(), @r#"
    # What the inputs of the cluster file beside this resolved to. `pidoop fetch` and
    # `pidoop build` write it: commit it, and every machine builds from the same
    # bytes. It changes when the cluster file asks for something else, or by
    # `pidoop fetch --update`; see docs/cluster-lock.md.
    schema = 1

    [base]
    recipe = "raspios-trixie-lite-arm64-latest"
    version = "2026-09-15"
    arch = "arm64"
    urls = [
        "https://h/2026-09-15.img.xz",
    ]
    sha256 = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
    size = 529000000
    unpacked_sha256 = "abababababababababababababababababababababababababababababababab"
    date = "2026-11-26"

    [java]
    path = 'inputs/my "java".tar.gz'
    sha256 = "1111111111111111111111111111111111111111111111111111111111111111"
    size = 7
    date = "2026-11-26"

    [hadoop]
    recipe = "hadoop-3.5.0"
    version = "3.5.0"
    arch = "arm64"
    urls = [
        "https://a/h.tgz",
        "https://b/h.tgz",
    ]
    sha256 = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
    sha512 = "22222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222"
    size = 529000000
    date = "2026-11-26"
    "#);
}

#[test]
fn an_entry_answers_its_own_question_only() {
    let recipe = |name: &str| SourceChoice::Recipe {
        name: name.to_owned(),
        span: 0..0,
    };
    let path = |sha256: Option<String>| SourceChoice::Path {
        path: "inputs/my \"java\".tar.gz".to_owned(),
        sha256,
        recipe: None,
        span: 0..0,
    };
    let lock = lock();
    assert!(lock.answer("hadoop", &recipe("hadoop-3.5.0")).is_some());
    assert!(lock.answer("hadoop", &recipe("hadoop-3.4.3")).is_none());
    assert!(lock.answer("spark", &recipe("hadoop-3.5.0")).is_none());
    assert!(lock.answer("java", &path(None)).is_some());
    assert!(lock.answer("java", &path(Some("11".repeat(32)))).is_some());
    // The cluster file's own word counts more.
    assert!(lock.answer("java", &path(Some("12".repeat(32)))).is_none());
}

#[test]
fn passwords_stay_out_of_it() {
    let choice = SourceChoice::Url {
        url: "https://me:secret@h:8/x?y=@".to_owned(),
        sha256: None,
        recipe: None,
        span: 0..0,
    };
    let asked = Asked::of(&choice);
    assert_eq!(asked, Asked::Url("https://h:8/x?y=@".to_owned()));
    let input = LockedInput { asked, ..java() };
    assert!(input.answers(&choice));
}

#[test]
fn what_moved_is_told() {
    let old = lock();
    let mut new = lock();
    assert_eq!(moved(&old, &new), []);
    for input in new.inputs.values_mut() {
        input.date = "2027-01-01".to_owned();
    }
    assert_eq!(moved(&old, &new), [], "a day alone is no change");
    new.inputs.remove("java");
    let base = new.inputs.get_mut("base").unwrap();
    base.version = Some("2026-12-01".to_owned());
    base.sha256 = "ef".repeat(32);
    new.inputs.get_mut("hadoop").unwrap().size = 1;
    let told: Vec<String> = moved(&old, &new).iter().map(ToString::to_string).collect();
    assert_snapshot!(told.join("\n"), @r#"
    base: raspios-trixie-lite-arm64-latest 2026-09-15 (sha256 cdcdcdcdcdcd) -> raspios-trixie-lite-arm64-latest 2026-12-01 (sha256 efefefefefef)
    hadoop: hadoop-3.5.0, the same file, is described anew
    java: inputs/my "java".tar.gz is no longer asked for
    "#);
    let first = moved(&Lock::default(), &lock());
    assert_eq!(
        first[1].to_string(),
        "hadoop: hadoop-3.5.0, sha256 cdcdcdcdcdcd"
    );
}

#[test]
fn damage_is_placed() {
    let said = |from: &str, to: &str| {
        let text = lock().to_string();
        assert!(text.contains(from));
        let text = text.replacen(from, to, 1);
        let problems = Lock::parse(&text).unwrap_err();
        render("cluster.lock", &text, &problems, Color::Off)
    };
    assert_snapshot!(said("schema = 1", "schema = 2"), @r"
    error: schema 2 is not one this version reads
     --> cluster.lock:5:10
      |
    5 | schema = 2
      |          ^ only 1 is
      |
      = help: write `schema = 1`, or use the version of pidoop this file is for
    ");
    assert_snapshot!(said("size = 7", "size = \"7\"\nsha265 = \"\""), @r#"
    error: `size` is a string, expected an integer
      --> cluster.lock:22:8
       |
    22 | size = "7"
       |        ^^^ a string
       |
       = help: write it like `size = 509684174`

    error: unknown key `sha265` in [java]
      --> cluster.lock:23:1
       |
    23 | sha265 = ""
       | ^^^^^^
       |
       = help: did you mean `sha256`?
    "#);
    assert_snapshot!(said("path = 'inputs/my \"java\".tar.gz'\n", ""), @r"
    error: an input was asked for by `recipe`, `path` or `url`, one of them
      --> cluster.lock:19:1
       |
    19 | [java]
       | ^^^^^^
       |
       = help: take it from your version control again, or remove it: it is then made anew
    ");
    assert_snapshot!(said("schema = 1\n", "schema = 1\nspark = 1\n"), @r"
    error: `spark` is not the section of an input
     --> cluster.lock:6:1
      |
    6 | spark = 1
      | ^^^^^
      |
      = help: take it from your version control again, or remove it: it is then made anew
    ");
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        path in "\\PC{1,20}",
        version in proptest::option::of("\\PC{1,12}"),
        size in 0..i64::MAX as u64,
        digest in "[0-9a-f]{64}",
        is_base in any::<bool>(),
    ) {
        let input = LockedInput {
            asked: Asked::Path(path),
            version,
            size,
            sha256: digest.clone(),
            unpacked_sha256: is_base.then_some(digest),
            ..hadoop()
        };
        let mut lock = lock();
        lock.inputs.insert("java".to_owned(), input);
        prop_assert_eq!(Lock::parse(&lock.to_string()), Ok(lock));
    }
}
