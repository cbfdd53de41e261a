use insta::assert_snapshot;
use proptest::prelude::*;
use serde::Serialize;

use super::*;
use crate::edit::Owner;

#[derive(Serialize)]
struct Context {
    node: Node,
    workers: Vec<&'static str>,
}

#[derive(Serialize)]
struct Node {
    name: &'static str,
    role: &'static str,
}

fn context(role: &'static str) -> Context {
    Context {
        node: Node { name: "n1", role },
        workers: vec!["w1", "w2"],
    }
}

fn owners() -> Owners {
    [("root", Owner::ROOT), ("hadoop", Owner::new(900, 901))]
        .map(|(name, owner)| (name.to_owned(), owner))
        .into()
}

fn overlay(files: &[(&str, &str)]) -> Result<Overlay, OverlayError> {
    let listing = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    Overlay::parse("demo", listing)
}

/// The edits as a plan shows them, with what files contain.
fn shown(files: &[(&str, &str)], role: &'static str) -> String {
    let edits = match overlay(files).and_then(|overlay| overlay.edits(&context(role), &owners())) {
        Ok(edits) => edits,
        Err(error) => return format!("error: {error}"),
    };
    let mut lines = Vec::new();
    for (volume, edits) in [("boot", edits.boot), ("root", edits.root)] {
        for edit in edits {
            let mut line = format!("{volume} {edit}");
            if let crate::edit::Edit::PutFile { content, .. } = &edit {
                line.push_str(&format!(" {:?}", String::from_utf8_lossy(content.bytes())));
            }
            lines.push(line);
        }
    }
    lines.join("\n")
}

const MANIFEST: &str = r#"
owner = "root"
[[rule]]
path = "usr/local/bin/*"
mode = "0755"
[[rule]]
path = "etc/hadoop/**"
owner = "root:hadoop"
mode = 0o640
[[rule]]
path = "etc/hadoop/master"
when = "node.role == 'master'"
[[link]]
path = "/etc/systemd/system/a.service"
target = "/dev/null"
[[dir]]
path = "/var/lib/hadoop/data"
owner = "hadoop"
mode = "0700"
[[dir]]
path = "/var/lib/hadoop"
owner = "hadoop"
"#;

const FILES: &[(&str, &str)] = &[
    ("overlay.toml", MANIFEST),
    ("usr/local/bin/run", "#!/bin/sh\n"),
    ("etc/hadoop/master", "me\n"),
    (
        "etc/hadoop/workers.j2",
        "{% for name in workers %}\n  {% if name != \"w9\" %}\n{{ name }}\n  {% endif %}\n{% endfor %}\n",
    ),
    ("etc/motd.j2", "<{{ node.name }}>"),
    ("var/empty/.gitkeep", ""),
];

#[test]
fn a_listing_becomes_edits() {
    assert_snapshot!(shown(FILES, "master"), @r##"
    root dir   0755 900:901 /var/lib/hadoop
    root dir   0700 900:901 /var/lib/hadoop/data
    root file  0640 0:901 /etc/hadoop/master (3 bytes) "me\n"
    root file  0640 0:901 /etc/hadoop/workers (6 bytes) "w1\nw2\n"
    root file  0644 0:0 /etc/motd (4 bytes) "<n1>"
    root file  0755 0:0 /usr/local/bin/run (10 bytes) "#!/bin/sh\n"
    root link  /etc/systemd/system/a.service -> /dev/null
    "##);
}

#[test]
fn a_condition_leaves_files_out() {
    let worker = shown(FILES, "worker");
    assert!(!worker.contains("/etc/hadoop/master"), "{worker}");
    assert!(worker.contains("/etc/hadoop/workers"), "{worker}");
}

#[test]
fn the_order_of_the_listing_does_not_matter() {
    let mut reversed = FILES.to_vec();
    reversed.reverse();
    assert_eq!(shown(FILES, "master"), shown(&reversed, "master"));
}

#[test]
fn an_overlay_may_be_for_the_firmware_partition() {
    let files = [("overlay.toml", "volume = \"boot\""), ("config.txt", "x\n")];
    assert_snapshot!(shown(&files, "worker"), @r#"boot file  0644 0:0 /config.txt (2 bytes) "x\n""#);
}

#[test]
fn template_errors_name_file_and_line() {
    let said = [
        "one\ntwo {{ nothing }}\n",
        "one\n\n{% if %}\n",
        "{{ node.nmae }}",
        "{% if node.absent %}x{% endif %}",
        "{% for x in node.name.y %}{% endfor %}",
        "{% include \"etc/other\" %}",
    ]
    .map(|template| {
        shown(
            &[("etc/a.j2", template), ("etc/other.j2", "\n{{ missing }}")],
            "worker",
        )
    })
    .join("\n");
    assert_snapshot!(said, @r#"
    error: demo/etc/a.j2:2: undefined value: `nothing` is undefined
    error: demo/etc/a.j2:3: syntax error: unexpected end of block
    error: demo/etc/a.j2:1: undefined value: `node.nmae` is undefined
    error: demo/etc/a.j2:1: undefined value: `node.absent` is undefined
    error: demo/etc/a.j2:1: undefined value: `node.name.y` is undefined
    error: demo/etc/a.j2:1: could not render include: error in "etc/other": undefined value: `missing` is undefined (in etc/other:2)
    "#);
    let listing = vec![("etc/a.j2".to_owned(), b"ok\n\xff".to_vec())];
    assert_snapshot!(Overlay::parse("demo", listing).unwrap_err(), @"demo/etc/a.j2:2: this is not UTF-8 text");
}

#[test]
fn what_cannot_be_laid_is_refused() {
    let said = [
        &[("../etc/passwd", "")][..],
        &[("/etc/passwd", "")],
        &[(".j2", "")],
        &[("etc/a", ""), ("etc/a.j2", "")],
        &[("etc/a", ""), ("etc/a/b", "")],
        &[
            ("etc/a", ""),
            ("overlay.toml", "[[link]]\npath = \"etc/a\"\ntarget = \"b\""),
        ],
        &[(
            "overlay.toml",
            "[[link]]\npath = \"/a\"\ntarget = \"b\"\n[[dir]]\npath = \"/a/c\"",
        )],
        &[("overlay.toml", "owner = \"alice\""), ("etc/a", "")],
        &[("overlay.toml", "[[dir]]\npath = \"/a\"\nwhen = \"node.x\"")],
    ]
    .map(|files| shown(files, "worker"))
    .join("\n");
    assert_snapshot!(said, @r#"
    error: overlay demo: image path "/../etc/passwd" has an empty, '.' or '..' component
    error: overlay demo: image path "//etc/passwd" has an empty, '.' or '..' component
    error: overlay demo: the file ".j2" has no name
    error: overlay demo: etc/a and etc/a.j2 are both for /etc/a; keep one
    error: overlay demo: a file and a directory are both for /etc/a; keep one
    error: overlay demo: a file and a link are both for /etc/a; keep one
    error: overlay demo: a link and a directory are both for /a; keep one
    error: overlay demo: /etc/a belongs to "alice"; known are hadoop, root
    error: demo/overlay.toml:3: undefined value: `node.x` has no value
    "#);
}

#[test]
fn problems_of_the_manifest_have_places() {
    let manifest = r#"volume = "firmware"
owner = "Me"
mode = 644
[[rule]]
path = "etc/none"
[[rule]]
path = "etc/[a"
when = "node.role =="
[[link]]
path = "/"
target = ""
[[dir]]
pth = "/var"
mode = "0999"
"#;
    assert_snapshot!(shown(&[("overlay.toml", manifest), ("etc/a", "")], "worker"), @r#"
    error: error: a volume is "root" or "boot", not "firmware"
     --> demo/overlay.toml:1:10
      |
    1 | volume = "firmware"
      |          ^^^^^^^^^^
      |
      = help: boot is the firmware partition

    error: "Me" is not the name of a user
     --> demo/overlay.toml:2:9
      |
    2 | owner = "Me"
      |         ^^^^
      |
      = help: write it like `hadoop`, or `root:hadoop` for another group

    error: this is not a mode
     --> demo/overlay.toml:3:8
      |
    3 | mode = 644
      |        ^^^
      |
      = help: write four octal digits, such as `mode = "0755"`

    error: no file of the overlay matches this pattern
     --> demo/overlay.toml:5:8
      |
    5 | path = "etc/none"
      |        ^^^^^^^^^^
      |
      = help: patterns match whole paths in the image, without `.j2` and the leading slash

    error: "etc/[a" is not a pattern: unclosed character class; missing ']'
     --> demo/overlay.toml:7:8
      |
    7 | path = "etc/[a"
      |        ^^^^^^^^

    error: this is not a condition: syntax error: unexpected end of input, expected expression (in <expression>:1)
     --> demo/overlay.toml:8:8
      |
    8 | when = "node.role =="
      |        ^^^^^^^^^^^^^^

    error: the root directory is not an overlay's
      --> demo/overlay.toml:10:8
       |
    10 | path = "/"
       |        ^^^

    error: this cannot be what a link points at
      --> demo/overlay.toml:11:10
       |
    11 | target = ""
       |          ^^

    error: unknown key `pth` in [[dir]]
      --> demo/overlay.toml:13:1
       |
    13 | pth = "/var"
       | ^^^
       |
       = help: did you mean `path`?

    error: this is not a mode
      --> demo/overlay.toml:14:8
       |
    14 | mode = "0999"
       |        ^^^^^^
       |
       = help: write four octal digits, such as `mode = "0755"`
    "#);
}

#[test]
fn a_users_overlay_takes_the_place_of_ours_as_a_whole() {
    let listing = |path: &str| vec![(path.to_owned(), Vec::new())];
    let overlays = Overlays::with([
        ("own".to_owned(), listing("etc/one")),
        ("own".to_owned(), listing("etc/two")),
    ])
    .unwrap();
    let edits = overlays.find("own").unwrap().edits(&(), &owners()).unwrap();
    assert_eq!(edits.root.len(), 1);
    assert_eq!(edits.root[0].path().as_str(), "/etc/two");
    let said = overlays.find("onw").unwrap_err().to_string();
    assert!(said.contains("did you mean `own`"), "{said}");
}

#[test]
fn the_embedded_overlays_are_whole() {
    Overlays::embedded().unwrap();
}

proptest! {
    #[test]
    fn any_overlay_is_answered(
        path in "[a-z./]{0,12}(\\.j2)?",
        template in "([a-z {}%\n]|\\{\\{|%\\}|\\{%|node){0,20}",
        manifest in "([ -~\n]|\\[\\[rule\\]\\]\n|path = |\"\\*\"|mode = ){0,12}",
    ) {
        let files = [(path.as_str(), template.as_str()), ("overlay.toml", manifest.as_str())];
        let _ = shown(&files, "worker");
    }
}
