//! What is inside a Java runtime.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::elf::{ElfFacts, inspect_file, is_elf};
use super::format::looks_like;
use super::{Cache, Sha256, SourceError, StagedArchive, decompress, kind};
use crate::hadoop::{ImageType, JavaFacts, Libc};

/// Version of what is kept of a runtime; raise it when the same archive would
/// give other facts.
const VERSION: u32 = 1;

const NEEDED: &str = "a Java runtime for Linux is needed: a .tar.gz with bin/java and a release \
                      file, such as Temurin's OpenJDK17U-jre_aarch64_linux_hotspot_….tar.gz";

/// A Java runtime in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JavaArchive {
    /// The directory in the archive that is `JAVA_HOME`; empty for its root.
    pub home: String,
    /// What it is and needs.
    pub facts: JavaFacts,
}

/// What was seen in a Java runtime by [`inspect_java`] before; none if it was not
/// looked into.
///
/// # Errors
/// The cache cannot be read.
pub fn recall_java(archive: &Sha256, cache: &Cache) -> Result<Option<JavaArchive>, SourceError> {
    cache.note(&note(archive))
}

fn note(archive: &Sha256) -> String {
    format!("java-{VERSION}-{archive}")
}

/// Looks into a staged Java runtime, and keeps what was seen.
///
/// # Errors
/// [`SourceError::WrongContents`] when the archive is something else: a Java
/// for another system, source code, another product.
pub fn inspect_java(archive: &StagedArchive, cache: &Cache) -> Result<JavaArchive, SourceError> {
    let java = look(archive)?;
    cache.keep_note(&note(&archive.sha256()), &java)?;
    Ok(java)
}

/// Whether [`inspect_java`] may look into the file of this name, which begins with
/// this: `bin/java`, `release`, and every program and library. What it finds is kept
/// for all recipes, so none can keep these from it.
pub fn java_looks_into(name: &str, head: &[u8]) -> bool {
    let is_named = |end: &str| {
        let before = name.strip_suffix(end);
        before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    is_named("bin/java") || is_named("release") || is_elf(head)
}

fn look(archive: &StagedArchive) -> Result<JavaArchive, SourceError> {
    let wrong = |looks_like: String| SourceError::WrongContents {
        path: archive.path().to_owned(),
        looks_like,
        needed: NEEDED.to_owned(),
    };
    let home = home(archive).ok_or_else(|| wrong(kind::describe(archive)))?;
    let inside = |name: &str| format!("{home}{name}");
    let java = archive
        .file(&inside("bin/java"))
        .ok_or_else(|| wrong("has a bin/java that is a link to nothing".to_owned()))?;
    let Some(program) = inspect_file(java)? else {
        return Err(wrong(not_for_linux(archive, &decompress::head_of(java)?)));
    };
    let Some(release) = archive.file(&inside("release")) else {
        return Err(wrong(
            "has bin/java, but no release file beside bin".to_owned(),
        ));
    };
    let release = parse_release(&archive.text(release)?);
    let version = release.get("JAVA_VERSION").cloned().unwrap_or_default();
    let Some(major) = major(&version) else {
        return Err(wrong(format!(
            "has a release file without a version ({version:?})"
        )));
    };
    if let Some(system) = release.get("OS_NAME").filter(|system| *system != "Linux") {
        return Err(wrong(format!("is a Java for {system}")));
    }
    let mut needs_glibc = None;
    let mut has_server_vm = false;
    for (name, host, _) in archive.files().filter(|(name, ..)| name.starts_with(&home)) {
        let Some(elf) = inspect_file(host)? else {
            continue;
        };
        needs_glibc = needs_glibc.max(elf.needs_glibc);
        if name.ends_with("/libjvm.so") {
            if elf.arch != program.arch {
                return Err(wrong(format!(
                    "has a bin/java for {} with a libjvm.so for {}",
                    program.arch, elf.arch
                )));
            }
            has_server_vm |= name.ends_with("/server/libjvm.so");
        }
    }
    let has_compiler = archive.is_file(&inside("bin/javac"));
    let facts = JavaFacts {
        major,
        arch: program.arch,
        libc: libc(release.get("LIBC").map(String::as_str), &program),
        image_type: Some(match release.get("IMAGE_TYPE").map(String::as_str) {
            Some("JDK") => ImageType::Jdk,
            Some("JRE") => ImageType::Jre,
            _ if has_compiler => ImageType::Jdk,
            _ => ImageType::Jre,
        }),
        modules: release.get("MODULES").map(|list| {
            list.split_whitespace()
                .map(str::to_owned)
                .collect::<BTreeSet<String>>()
        }),
        has_server_vm,
        interpreter: program.interpreter,
        needs_glibc,
        version,
    };
    Ok(JavaArchive {
        home: home.trim_end_matches('/').to_owned(),
        facts,
    })
}

/// What is in front of `bin/java`, with a slash behind it. A Java 8 JDK has a
/// second one in its `jre`; the outer is meant.
fn home(archive: &StagedArchive) -> Option<String> {
    let homes = archive.entries().iter().filter_map(|entry| {
        let home = entry.name.strip_suffix("bin/java")?;
        (home.is_empty() || home.ends_with('/')).then_some(home)
    });
    homes
        .min_by_key(|home| (home.matches('/').count(), home.len()))
        .map(str::to_owned)
}

fn not_for_linux(archive: &StagedArchive, head: &[u8]) -> String {
    let mach = [[0xcf, 0xfa, 0xed, 0xfe], [0xca, 0xfe, 0xba, 0xbe]];
    if head
        .get(..4)
        .is_some_and(|magic| mach.iter().any(|mach| magic == mach))
    {
        return "is a Java for macOS".to_owned();
    }
    match kind::describe(archive).as_str() {
        "is a Java runtime" => format!("has a bin/java that {}", looks_like(head)),
        other => other.to_owned(),
    }
}

/// `KEY="VALUE"` lines; Java 8 leaves out some of the quotes.
fn parse_release(text: &str) -> BTreeMap<String, String> {
    let line = |line: &str| {
        let (key, value) = line.trim().split_once('=')?;
        Some((key.to_owned(), value.trim_matches('"').to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// The feature release: 8 of `1.8.0_442`, 17 of `17.0.15`, 26 of `26-ea`.
fn major(version: &str) -> Option<u32> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match numbers.next()?.ok()? {
        1 => numbers.next()?.ok(),
        feature => Some(feature),
    }
}

fn libc(said: Option<&str>, program: &ElfFacts) -> Libc {
    let loader = program.interpreter.as_deref().unwrap_or_default();
    match said {
        Some("musl") => Libc::Musl,
        Some("gnu") => Libc::Gnu,
        _ if loader.contains("ld-musl") => Libc::Musl,
        _ if loader.contains("ld-linux") => Libc::Gnu,
        _ => Libc::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use camino::Utf8Path;
    use rstest::rstest;

    use super::super::testing::{self, scratch, sh};
    use super::*;

    const RELEASE: &str = "IMPLEMENTOR=\"X\"\nJAVA_VERSION=\"17.0.15\"\nLIBC=\"gnu\"\n\
                           MODULES=\"java.base jdk.security.auth\"\nOS_ARCH=\"aarch64\"\n\
                           OS_NAME=\"Linux\"\nIMAGE_TYPE=\"JRE\"\n";

    /// A runtime whose programs are this machine's shell.
    fn runtime(root: &Utf8Path, home: &str, release: &str) {
        sh(
            root,
            &format!(
                "mkdir -p t/{home}bin t/{home}lib/server; cp /bin/sh t/{home}bin/java; \
                 cp /bin/sh t/{home}lib/server/libjvm.so"
            ),
        );
        fs::write(root.join(format!("t/{home}release")), release).unwrap();
    }

    fn inspected(root: &Utf8Path) -> Result<JavaArchive, SourceError> {
        testing::inspected(root, java_looks_into, inspect_java)
    }

    #[rstest]
    #[case("jdk-17.0.15+6-jre/")]
    #[case("")]
    fn a_runtime_is_read(#[case] home: &str) {
        let (_dir, root) = scratch();
        runtime(&root, home, RELEASE);
        let shell = inspect_file("/bin/sh".into()).unwrap().unwrap();
        let java = inspected(&root).unwrap();
        assert_eq!(java.home, home.trim_end_matches('/'));
        let facts = JavaFacts {
            version: "17.0.15".to_owned(),
            major: 17,
            arch: shell.arch,
            libc: Libc::Gnu,
            image_type: Some(ImageType::Jre),
            modules: Some(["java.base", "jdk.security.auth"].map(str::to_owned).into()),
            has_server_vm: true,
            interpreter: shell.interpreter,
            needs_glibc: shell.needs_glibc,
        };
        assert_eq!(java.facts, facts);
        assert_eq!(inspected(&root).unwrap().facts, facts, "from the notes");
    }

    #[test]
    fn java_eight_has_its_own_ways() {
        let (_dir, root) = scratch();
        runtime(
            &root,
            "jdk8/",
            "JAVA_VERSION=1.8.0_442\nOS_NAME=\"Linux\"\n",
        );
        sh(
            &root,
            "cd t/jdk8; rm -r lib; mkdir -p jre/bin jre/lib/amd64/server; mv bin/java jre/bin/java; \
             ln -s ../jre/bin/java bin/java; cp /bin/sh bin/javac; \
             cp /bin/sh jre/lib/amd64/server/libjvm.so",
        );
        let java = inspected(&root).unwrap();
        assert_eq!(java.home, "jdk8");
        assert_eq!((java.facts.major, java.facts.modules), (8, None));
        assert_eq!(java.facts.image_type, Some(ImageType::Jdk));
        assert!(java.facts.has_server_vm);
    }

    #[rstest]
    #[case::hadoop(
        "d=t/h/share/hadoop/common; mkdir -p $d; : > $d/hadoop-common-3.5.0.jar",
        "is a Hadoop release"
    )]
    #[case::windows("mkdir -p t/jdk/bin; : > t/jdk/bin/java.exe", "is a Java for Windows")]
    #[case::macos(
        "d=t/jdk/Contents/Home/bin; mkdir -p $d; \
        printf '\\317\\372\\355\\376' > $d/java",
        "is a Java for macOS"
    )]
    #[case::source(
        "d=t/jdk/src/java.base/share/classes; mkdir -p $d; : > $d/module-info.java",
        "is Java's source code"
    )]
    #[case::script(
        "mkdir -p t/jdk/bin; echo '#!/bin/sh' > t/jdk/bin/java",
        "is a text file"
    )]
    #[case::no_release("mkdir -p t/jdk/bin; cp /bin/sh t/jdk/bin/java", "no release file")]
    #[case::other(
        "mkdir -p t/photos; : > t/photos/1.jpg; : > t/READ",
        "it holds READ, photos;"
    )]
    fn what_is_no_runtime_is_named(#[case] make: &str, #[case] words: &str) {
        let (_dir, root) = scratch();
        sh(&root, make);
        let error = inspected(&root).unwrap_err();
        assert!(
            matches!(error, SourceError::WrongContents { .. }),
            "{error}"
        );
        let message = error.to_string();
        assert!(
            message.contains(words) && message.contains("Java runtime for Linux"),
            "{message}"
        );
    }

    #[test]
    fn versions_are_read() {
        let cases = [
            ("1.8.0_442", 8),
            ("11.0.27", 11),
            ("17", 17),
            ("26-ea", 26),
            ("9.0.4+11", 9),
        ];
        for (version, feature) in cases {
            assert_eq!(major(version), Some(feature), "{version}");
        }
        assert_eq!(major(""), None);
        assert_eq!(major("unknown"), None);
    }

    #[test]
    fn musl_is_told_by_word_or_loader() {
        let program = |loader: &str| ElfFacts {
            arch: crate::hadoop::Arch::Aarch64,
            interpreter: Some(loader.to_owned()),
            needs_glibc: None,
        };
        let musl = program("/lib/ld-musl-aarch64.so.1");
        assert_eq!(libc(None, &musl), Libc::Musl);
        assert_eq!(
            libc(Some("musl"), &program("/lib/ld-linux-aarch64.so.1")),
            Libc::Musl
        );
        assert_eq!(
            libc(None, &program("/lib/ld-linux-aarch64.so.1")),
            Libc::Gnu
        );
        assert_eq!(libc(None, &program("/system/bin/linker64")), Libc::Unknown);
    }
}
