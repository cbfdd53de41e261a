//! What is inside a Hadoop release.

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::elf::{inspect_file, is_elf};
use super::jar::{has_member, member};
use super::{Cache, Sha256, SourceError, StagedArchive, kind};
use crate::hadoop::{Defaults, HadoopFacts, HadoopVersion};

/// Version of what is kept of a release; raise it when the same archive would
/// give other facts.
const VERSION: u32 = 1;

const NEEDED: &str = "a binary Hadoop release is needed, such as hadoop-3.5.0-aarch64.tar.gz from \
                      downloads.apache.org/hadoop/common";

/// How the names of the jars that are looked into begin, below the home; a version
/// follows.
const COMMON: &str = "share/hadoop/common/hadoop-common-";
const HDFS: &str = "share/hadoop/hdfs/hadoop-hdfs-";
const HDFS_CLIENT: &str = "share/hadoop/hdfs/hadoop-hdfs-client-";
const YARN: &str = "share/hadoop/yarn/hadoop-yarn-common-";
const MAPRED: &str = "share/hadoop/mapreduce/hadoop-mapreduce-client-core-";
const JARS: [&str; 5] = [COMMON, HDFS, HDFS_CLIENT, YARN, MAPRED];

/// Where native libraries are, below the home.
const NATIVE: &str = "lib/native/";

/// A Hadoop release in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HadoopArchive {
    /// The directory in the archive that is `HADOOP_HOME`; empty for its root.
    pub home: String,
    /// What it is and needs.
    pub facts: HadoopFacts,
    /// The jar with the example jobs, below the home.
    pub examples_jar: Option<String>,
}

/// What was seen in a Hadoop release by [`inspect_hadoop`] before; none if it was
/// not looked into.
///
/// # Errors
/// The cache cannot be read.
pub fn recall_hadoop(
    archive: &Sha256,
    cache: &Cache,
) -> Result<Option<HadoopArchive>, SourceError> {
    cache.note(&note(archive))
}

fn note(archive: &Sha256) -> String {
    format!("hadoop-{VERSION}-{archive}")
}

/// Looks into a staged Hadoop release, and keeps what was seen.
///
/// # Errors
/// [`SourceError::WrongContents`] when the archive is something else (source
/// code, documentation, another product) or lacks what a release has.
pub fn inspect_hadoop(
    archive: &StagedArchive,
    cache: &Cache,
) -> Result<HadoopArchive, SourceError> {
    let hadoop = Release::find(archive)?.look()?;
    cache.keep_note(&note(&archive.sha256()), &hadoop)?;
    Ok(hadoop)
}

/// Whether [`inspect_hadoop`] may look into the file of this name, which begins with
/// this: the `JARS` of a release, and its native libraries. What it finds is
/// kept for all recipes, so none can keep these from it.
pub fn hadoop_looks_into(name: &str, head: &[u8]) -> bool {
    let is_jar = JARS.iter().any(|jar| release_jar(name, jar).is_some());
    is_jar || name.contains(NATIVE) && is_elf(head)
}

/// A release whose place in its archive is known.
struct Release<'a> {
    archive: &'a StagedArchive,
    /// What is in front of `share`, with a slash behind it.
    home: String,
    /// The version as jars spell it.
    version: String,
}

impl<'a> Release<'a> {
    fn find(archive: &'a StagedArchive) -> Result<Self, SourceError> {
        let mut found: Vec<(&str, &str)> = archive
            .entries()
            .iter()
            .filter_map(|entry| release_jar(&entry.name, COMMON))
            .collect();
        found.sort_unstable();
        let wrong = |looks_like| wrong(archive, looks_like);
        match found[..] {
            [(home, version)] => Ok(Self {
                archive,
                home: home.to_owned(),
                version: version.to_owned(),
            }),
            [] => Err(wrong(kind::describe(archive))),
            [(_, one), (_, other), ..] => Err(wrong(format!(
                "has two releases of Hadoop in it, {one} and {other}"
            ))),
        }
    }

    fn look(&self) -> Result<HadoopArchive, SourceError> {
        let version: HadoopVersion = self.version.parse().map_err(|_| {
            wrong(
                self.archive,
                format!("has a hadoop-common-{}.jar", self.version),
            )
        })?;
        let common = self.jar(COMMON)?;
        let class = self.need(&common, "org/apache/hadoop/fs/FileSystem.class")?;
        let [0xca, 0xfe, 0xba, 0xbe, _, _, high, low, ..] = class[..] else {
            return Err(wrong(
                self.archive,
                "has a damaged FileSystem.class".to_owned(),
            ));
        };
        let hdfs = self.jar(HDFS)?;
        let webapps = format!("{}share/hadoop/hdfs/webapps/hdfs", self.home);
        let has_webapps = self.archive.contains(&webapps) || has_member(&hdfs, "webapps/hdfs/")?;
        let (native_arch, native_needs_glibc) = self.native()?;
        let examples = format!(
            "share/hadoop/mapreduce/hadoop-mapreduce-examples-{}.jar",
            self.version
        );
        let has_examples = self.archive.is_file(&format!("{}{examples}", self.home));
        Ok(HadoopArchive {
            home: self.home.trim_end_matches('/').to_owned(),
            facts: HadoopFacts {
                version,
                class_major: u16::from_be_bytes([high, low]),
                has_webapps,
                native_arch,
                native_needs_glibc,
                defaults: self.defaults(&common, &hdfs)?,
            },
            examples_jar: has_examples.then_some(examples),
        })
    }

    fn defaults(&self, common: &Utf8Path, hdfs: &Utf8Path) -> Result<Defaults, SourceError> {
        let yarn = self.jar(YARN)?;
        let mapred = self.jar(MAPRED)?;
        // Since the client was split off, both HDFS jars may have a copy.
        let hdfs_xml = match member(hdfs, "hdfs-default.xml")? {
            Some(bytes) => text(&bytes),
            None => self.text(&self.jar(HDFS_CLIENT)?, "hdfs-default.xml")?,
        };
        Defaults::parse(
            &self.text(common, "core-default.xml")?,
            &hdfs_xml,
            &self.text(&yarn, "yarn-default.xml")?,
            &self.text(&mapred, "mapred-default.xml")?,
        )
        .map_err(|error| {
            wrong(
                self.archive,
                format!("has defaults that cannot be read: {error}"),
            )
        })
    }

    /// One of the [`JARS`] of this release, on the host.
    fn jar(&self, begin: &str) -> Result<camino::Utf8PathBuf, SourceError> {
        let member = format!("{}{begin}{}.jar", self.home, self.version);
        match self.archive.file(&member) {
            Some(host) => Ok(host.to_owned()),
            None => Err(wrong(
                self.archive,
                format!("is a Hadoop release without {member}"),
            )),
        }
    }

    fn text(&self, jar: &Utf8Path, name: &str) -> Result<String, SourceError> {
        Ok(text(&self.need(jar, name)?))
    }

    fn need(&self, jar: &Utf8Path, name: &str) -> Result<Vec<u8>, SourceError> {
        let missing = || {
            wrong(
                self.archive,
                format!("is a Hadoop release whose jars lack {name}"),
            )
        };
        member(jar, name)?.ok_or_else(missing)
    }

    /// Architectures of the native libraries, and the C library they need.
    fn native(&self) -> Result<NativeFacts, SourceError> {
        let below = format!("{}{NATIVE}", self.home);
        let mut facts = NativeFacts::default();
        for (_, host, _) in self
            .archive
            .files()
            .filter(|(name, ..)| name.starts_with(&below))
        {
            if let Some(elf) = inspect_file(host)? {
                facts.0.insert(elf.arch);
                facts.1 = facts.1.max(elf.needs_glibc);
            }
        }
        Ok(facts)
    }
}

type NativeFacts = (
    std::collections::BTreeSet<crate::hadoop::Arch>,
    Option<crate::hadoop::GlibcVersion>,
);

/// Home and version, if this is the name of a jar that begins like this. Tests and
/// sources lie beside it under similar names.
fn release_jar<'a>(name: &'a str, begin: &str) -> Option<(&'a str, &'a str)> {
    let (home, version) = name.split_once(begin)?;
    let version = version.strip_suffix(".jar")?;
    let extra = ["-tests", "-sources", "-test-sources", "-javadoc"];
    let plain = !version.contains('/') && !extra.iter().any(|suffix| version.ends_with(suffix));
    (plain && (home.is_empty() || home.ends_with('/'))).then_some((home, version))
}

fn wrong(archive: &StagedArchive, looks_like: String) -> SourceError {
    SourceError::WrongContents {
        path: archive.path().to_owned(),
        looks_like,
        needed: NEEDED.to_owned(),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;

    use camino::Utf8Path;
    use rstest::rstest;

    use super::super::testing::{self, scratch, sh};
    use super::*;

    const XML: &str = "<configuration><property><name>KEY</name><value>1</value></property>\
                       </configuration>";

    fn jar(path: &Utf8Path, members: &[(&str, &[u8])]) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut zip = zip::ZipWriter::new(File::create(path).unwrap());
        for (name, bytes) in members {
            zip.start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
    }

    fn xml(key: &str) -> Vec<u8> {
        XML.replace("KEY", key).into_bytes()
    }

    /// A release with one key in each of its defaults.
    fn release(root: &Utf8Path) {
        let share = root.join("t/hadoop-3.5.0/share/hadoop");
        let class = [&[0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 61][..], b"rest"].concat();
        jar(
            &share.join("common/hadoop-common-3.5.0.jar"),
            &[
                ("core-default.xml", &xml("fs.defaultFS")),
                ("org/apache/hadoop/fs/FileSystem.class", &class),
            ],
        );
        jar(&share.join("common/hadoop-common-3.5.0-tests.jar"), &[]);
        jar(&share.join("hdfs/hadoop-hdfs-3.5.0.jar"), &[("x", b"")]);
        jar(
            &share.join("hdfs/hadoop-hdfs-client-3.5.0.jar"),
            &[("hdfs-default.xml", &xml("dfs.replication"))],
        );
        jar(
            &share.join("yarn/hadoop-yarn-common-3.5.0.jar"),
            &[("yarn-default.xml", &xml("yarn.acl.enable"))],
        );
        jar(
            &share.join("mapreduce/hadoop-mapreduce-client-core-3.5.0.jar"),
            &[("mapred-default.xml", &xml("mapreduce.job.maps"))],
        );
        jar(
            &share.join("mapreduce/hadoop-mapreduce-examples-3.5.0.jar"),
            &[],
        );
        sh(
            root,
            "cd t/hadoop-3.5.0; mkdir -p share/hadoop/hdfs/webapps/hdfs lib/native; \
             cp /bin/sh lib/native/libhadoop.so; echo text > lib/native/README",
        );
    }

    fn inspected(root: &Utf8Path) -> Result<HadoopArchive, SourceError> {
        testing::inspected(root, hadoop_looks_into, inspect_hadoop)
    }

    #[test]
    fn a_release_is_read() {
        let (_dir, root) = scratch();
        release(&root);
        let hadoop = inspected(&root).unwrap();
        let shell = inspect_file("/bin/sh".into()).unwrap().unwrap();
        assert_eq!(hadoop.home, "hadoop-3.5.0");
        assert_eq!(hadoop.facts.version, "3.5.0".parse().unwrap());
        assert_eq!(hadoop.facts.class_major, 61);
        assert!(hadoop.facts.has_webapps);
        assert_eq!(hadoop.facts.native_arch, [shell.arch].into());
        assert_eq!(hadoop.facts.native_needs_glibc, shell.needs_glibc);
        let defaults = &hadoop.facts.defaults;
        assert!(defaults.core.contains_key("fs.defaultFS"));
        assert!(defaults.hdfs.contains_key("dfs.replication"));
        assert!(defaults.yarn.contains_key("yarn.acl.enable"));
        assert!(defaults.mapred.contains_key("mapreduce.job.maps"));
        let examples = "share/hadoop/mapreduce/hadoop-mapreduce-examples-3.5.0.jar";
        assert_eq!(hadoop.examples_jar.as_deref(), Some(examples));
        assert_eq!(inspected(&root).unwrap(), hadoop, "from the notes");
    }

    #[test]
    fn what_a_release_may_lack_is_told() {
        let (_dir, root) = scratch();
        release(&root);
        sh(
            &root,
            "cd t/hadoop-3.5.0; rm -r lib share/hadoop/hdfs/webapps; rm -r share/hadoop/mapreduce/*examples*",
        );
        let hadoop = inspected(&root).unwrap();
        assert!(!hadoop.facts.has_webapps && hadoop.facts.native_arch.is_empty());
        assert_eq!(hadoop.examples_jar, None);
        let in_jar = root.join("t/hadoop-3.5.0/share/hadoop/hdfs/hadoop-hdfs-3.5.0.jar");
        jar(
            &in_jar,
            &[
                ("webapps/hdfs/index.html", b""),
                ("hdfs-default.xml", &xml("dfs.x")),
            ],
        );
        let hadoop = inspected(&root).unwrap();
        assert!(hadoop.facts.has_webapps && hadoop.facts.defaults.hdfs.contains_key("dfs.x"));
    }

    #[rstest]
    #[case::source(
        "mkdir -p t/h-src/hadoop-common-project; : > t/h-src/hadoop-common-project/pom.xml",
        "is Hadoop's source code"
    )]
    #[case::site(
        "mkdir -p t/r/hadoop-project-dist/x; : > t/r/hadoop-project-dist/x/index.html",
        "is Hadoop's documentation"
    )]
    #[case::java("mkdir -p t/jdk/bin; cp /bin/sh t/jdk/bin/java", "is a Java runtime")]
    #[case::spark("mkdir -p t/s/bin; : > t/s/bin/spark-submit", "is a Spark release")]
    #[case::two(
        "d=share/hadoop/common; mkdir -p t/a/$d t/b/$d; \
        : > t/a/$d/hadoop-common-3.4.3.jar; : > t/b/$d/hadoop-common-3.5.0.jar",
        "two releases"
    )]
    #[case::partly(
        "d=share/hadoop/common; mkdir -p t/a/$d; cd t/a/$d; echo x > core-default.xml; \
        python3 -m zipfile -c hadoop-common-3.4.3.jar core-default.xml",
        "jars lack org/apache"
    )]
    fn what_is_no_release_is_named(#[case] make: &str, #[case] words: &str) {
        let (_dir, root) = scratch();
        sh(&root, make);
        let message = inspected(&root).unwrap_err().to_string();
        assert!(
            message.contains(words) && message.contains("binary Hadoop"),
            "{message}"
        );
    }
}
