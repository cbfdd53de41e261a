//! What an archive is, when it is not what was asked for.

use std::collections::BTreeSet;

use super::StagedArchive;

/// What an archive seems to be, as "is …" or "has …", for messages that refuse
/// it.
pub(super) fn describe(archive: &StagedArchive) -> String {
    let has = |test: &dyn Fn(&str) -> bool| archive.entries().iter().any(|entry| test(&entry.name));
    let ends = |suffix: &'static str| has(&|name: &str| name.ends_with(suffix));
    let within = |part: &'static str| has(&|name: &str| name.contains(part));
    let found = if ends("/hadoop-common-project/pom.xml") {
        "is Hadoop's source code, which would have to be compiled first"
    } else if within("/hadoop-project-dist/") && ends(".html") {
        "is Hadoop's documentation (a -site archive)"
    } else if within("share/hadoop/common/hadoop-common-") {
        "is a Hadoop release"
    } else if ends("bin/spark-submit") {
        "is a Spark release"
    } else if ends("bin/java.exe") {
        "is a Java for Windows"
    } else if within("Contents/Home/") || within("Contents/MacOS/") {
        "is a Java for macOS"
    } else if ends("src/java.base/share/classes/module-info.java") {
        "is Java's source code, which would have to be compiled first"
    } else if within("/jmods/") || ends(".jmod") {
        "has Java's modules, but no runtime"
    } else if ends("bin/java") || ends("lib/server/libjvm.so") {
        "is a Java runtime"
    } else if ends(".debuginfo") || within("static-libs") {
        "has debugging data or static libraries of Java, but no runtime"
    } else if ends("bin/mvn") {
        "is Maven"
    } else if archive.entries().is_empty() {
        "is empty"
    } else {
        return format!(
            "has none of the files looked for; it holds {}",
            sample(archive)
        );
    };
    found.to_owned()
}

/// The first few names at the top of the archive.
fn sample(archive: &StagedArchive) -> String {
    let top = |name: &str| name.split('/').next().unwrap_or_default().to_owned();
    let names: BTreeSet<String> = archive
        .entries()
        .iter()
        .map(|entry| top(&entry.name))
        .collect();
    let shown: Vec<&str> = names.iter().take(4).map(String::as_str).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
