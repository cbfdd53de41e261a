//! The recipes there are, and what is said about wrong ones.

mod catalogue;
mod embedded;
mod sources;
mod wrong;

use super::*;
use crate::diagnostic::{Color, render};

const VALID: &str = r#"schema = 1
kind = "spark"
name = "spark-4"
description = "Apache Spark"
version = "4.3.0"
overlays = ["spark"]

[[source]]
arch = "arm64"
urls = ["https://example.org/spark.tgz"]
sidecar = { suffix = ".sha512", kind = "sha512" }

[requires]
java = { min = 17, max = 21, note = "why" }

[unpack]
strip = 1
into = "/opt/spark-4"
link = "/opt/spark"
drop = ["examples", "**/*.cmd"]
owner = "hadoop"

[[service]]
name = "spark-history"
description = "Spark history server"
roles = ["master"]
unit = "spark-history.service"
"#;

fn said_of(text: &str) -> String {
    match parse(text) {
        Ok(_) => panic!("nothing was said of:\n{text}"),
        Err(problems) => render("r.toml", text, &problems, Color::Off),
    }
}

fn said_of_each(changes: &[(&str, &str)]) -> String {
    let said: Vec<String> = changes
        .iter()
        .map(|(from, to)| {
            assert!(VALID.contains(from), "{from:?} is not in the recipe");
            said_of(&VALID.replacen(from, to, 1))
        })
        .collect();
    said.join("---\n")
}

#[test]
fn a_component_needs_no_rust() {
    let Recipe::Component(spark) = parse(VALID).unwrap() else {
        panic!("not a component")
    };
    assert_eq!(spark.kind, ComponentKind::Other("spark".to_owned()));
    assert_eq!(spark.unpack.owner, UnpackOwner::Hadoop);
    assert_eq!(spark.unpack.drop, ["examples", "**/*.cmd"]);
    assert_eq!(spark.java_major(), None);
    assert_eq!(
        spark.sources[0].sidecar.as_ref().unwrap().kind,
        SidecarKind::Sha512
    );
}

#[test]
fn java_versions_have_two_schemes() {
    let Recipe::Component(mut java) =
        parse(&VALID.replace("kind = \"spark\"", "kind = \"java\"")).unwrap()
    else {
        panic!("not a component")
    };
    for (version, major) in [
        ("17.0.20.1+1", Some(17)),
        ("8u442b06", Some(8)),
        ("1.8.0_402", Some(8)),
        ("x", None),
    ] {
        java.version = version.to_owned();
        assert_eq!(java.java_major(), major, "{version}");
    }
}

#[test]
fn architectures_go_by_several_names() {
    for arch in Arch::ALL {
        assert_eq!(Arch::from_debian(arch.debian()), Some(arch));
        assert_eq!(Arch::from_elf_machine(arch.elf_machine()), Some(arch));
    }
    assert_eq!(Arch::from_debian("armhf"), None);
    assert_eq!(Arch::from_elf_machine(40), None, "32-bit ARM");
}
