//! Whether a Java runtime, a Hadoop release and a base image fit together.
//!
//! What is in each of them is plain data ([`JavaFacts`], [`HadoopFacts`],
//! [`BaseJvmFacts`]), read from archives and images elsewhere. [`check`] turns
//! the errors people meet on a running Pi into refusals before an image is
//! made.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

mod problem;

pub use problem::{CompatProblem, Severity};

use super::{Arch, Defaults, GlibcVersion, HadoopVersion, Libc};

/// Which parts of a Java distribution a runtime has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageType {
    /// The runtime alone; it has no `jps` or `jstack`.
    Jre,
    /// With the development tools.
    Jdk,
}

/// What is known of a Java runtime: its `release` file, `bin/java` and
/// `libjvm.so`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JavaFacts {
    /// `JAVA_VERSION`, such as `17.0.15` or `1.8.0_442`.
    pub version: String,
    /// The feature release: 8, 11, 17, 21.
    pub major: u32,
    /// Architecture of `bin/java`, from its ELF header.
    pub arch: Arch,
    /// C library it is built for.
    pub libc: Libc,
    /// `IMAGE_TYPE`, where the vendor writes one; else by whether `bin/javac`
    /// is there, if that was looked at.
    pub image_type: Option<ImageType>,
    /// `MODULES`; none for Java 8, which has none.
    pub modules: Option<BTreeSet<String>>,
    /// Whether `lib/server/libjvm.so` (Java 8: `lib/ARCH/server/libjvm.so`) is
    /// there.
    pub has_server_vm: bool,
    /// `PT_INTERP` of `bin/java`, such as `/lib/ld-linux-aarch64.so.1`.
    pub interpreter: Option<String>,
    /// The highest `GLIBC_` version any of its binaries asks for.
    pub needs_glibc: Option<GlibcVersion>,
}

/// What is known of a Hadoop release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HadoopFacts {
    /// Its version, from the name of `hadoop-common-V.jar`.
    pub version: HadoopVersion,
    /// Class file major version of `org/apache/hadoop/fs/FileSystem.class`: 52
    /// is Java 8, 61 Java 17.
    pub class_major: u16,
    /// Whether `share/hadoop/hdfs/webapps/hdfs` is there, in the tree or in a
    /// jar.
    pub has_webapps: bool,
    /// Architectures of the libraries in `lib/native`; empty when there are
    /// none.
    pub native_arch: BTreeSet<Arch>,
    /// The highest `GLIBC_` version those libraries ask for.
    pub native_needs_glibc: Option<GlibcVersion>,
    /// The keys this release knows.
    pub defaults: Defaults,
}

/// What is known of the base image, as far as a Java runtime cares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseJvmFacts {
    /// Architecture of its programs.
    pub arch: Arch,
    /// Version of its C library; none if that could not be told.
    pub glibc: Option<GlibcVersion>,
    /// ELF loaders that exist in it, by the path a binary names them with
    /// (symbolic links followed), such as `/lib/ld-linux-aarch64.so.1`.
    pub loaders: BTreeSet<String>,
}

/// Modules that daemons, shells and tasks load. Found by running a NameNode on
/// a trimmed Java 17: jdk.security.auth is loaded by name, so no tool that
/// follows class references finds it.
const NEEDED_MODULES: [&str; 12] = [
    "java.base",
    "java.desktop",
    "java.instrument",
    "java.management",
    "java.naming",
    "java.rmi",
    "java.security.jgss",
    "java.security.sasl",
    "java.sql",
    "jdk.management",
    "jdk.security.auth",
    "jdk.unsupported",
];

/// The largest heap a 32-bit process on a Pi can be expected to reserve in one
/// piece, in MiB. Libraries and stacks split the 3 GiB it can address.
const HEAP_LIMIT_32_BIT_MIB: u32 = 1536;

/// Everything that does not fit between a runtime, a release and a base image;
/// refusals first.
pub fn check(java: &JavaFacts, hadoop: &HadoopFacts, base: &BaseJvmFacts) -> Vec<CompatProblem> {
    let mut problems = check_runtime(java, base);
    problems.extend(check_release(java.major, hadoop));
    problems.extend(check_native(hadoop, base));
    problems.sort_by_key(CompatProblem::severity);
    problems
}

/// Whether the runtime starts on the base image at all.
fn check_runtime(java: &JavaFacts, base: &BaseJvmFacts) -> Vec<CompatProblem> {
    let mut problems = Vec::new();
    if java.arch != base.arch {
        // Nothing else about a foreign binary is worth saying.
        return vec![CompatProblem::JavaArch {
            java: java.arch,
            base: base.arch,
        }];
    }
    let names_musl = |path: &String| path.contains("ld-musl");
    if java.libc == Libc::Musl || java.interpreter.as_ref().is_some_and(names_musl) {
        problems.push(CompatProblem::JavaMusl);
    } else if let Some(interpreter) = &java.interpreter
        && !base.loaders.contains(interpreter)
    {
        problems.push(CompatProblem::NoLoader {
            interpreter: interpreter.clone(),
        });
    }
    if let (Some(needs), Some(has)) = (java.needs_glibc, base.glibc)
        && needs > has
    {
        problems.push(CompatProblem::JavaGlibc { needs, has });
    }
    if let Some(modules) = &java.modules {
        let missing: Vec<String> = NEEDED_MODULES
            .iter()
            .filter(|name| !modules.contains(**name))
            .map(|name| (*name).to_owned())
            .collect();
        if !missing.is_empty() {
            problems.push(CompatProblem::MissingModules { modules: missing });
        }
    }
    if !java.has_server_vm {
        problems.push(CompatProblem::NoServerVm);
    }
    problems
}

/// The matrix of Hadoop releases and Java releases
/// (cwiki.apache.org "Hadoop Java Versions"; the 3.5.0 release notes).
fn check_release(java: u32, hadoop: &HadoopFacts) -> Vec<CompatProblem> {
    let version = hadoop.version;
    if version.major != 3 {
        return vec![CompatProblem::NotHadoopThree { hadoop: version }];
    }
    let mut problems = Vec::new();
    if !hadoop.has_webapps {
        problems.push(CompatProblem::NoWebapps { hadoop: version });
    }
    // Class files of Java N have the major version N + 44 (JVM specification,
    // table 4.1-A).
    let needs = u32::from(hadoop.class_major).saturating_sub(44);
    let tested = tested_java(version);
    if needs > java {
        problems.push(CompatProblem::ClassVersion {
            hadoop: version,
            needs,
            java,
            class_major: hadoop.class_major,
        });
    } else if java >= 24 && version < HadoopVersion::new(3, 4, 3) {
        let better = tested.last().copied().unwrap_or(17);
        problems.push(CompatProblem::NoGetSubject {
            hadoop: version,
            java,
            better,
        });
    } else if java > 8 && version < HadoopVersion::new(3, 3, 0) {
        problems.push(CompatProblem::JavaEightOnly {
            hadoop: version,
            java,
        });
    } else if !tested.contains(&java) {
        let needs_opens = opens_by_hand(java, version);
        let tested = tested.to_vec();
        problems.push(CompatProblem::UntestedJava {
            hadoop: version,
            java,
            tested,
            needs_opens,
        });
    }
    problems
}

/// Java releases the makers of a Hadoop release support for its daemons.
const fn tested_java(hadoop: HadoopVersion) -> &'static [u32] {
    match hadoop.minor {
        0..=2 => &[8],
        3 | 4 => &[8, 11],
        _ => &[17],
    }
}

/// Whether the environment must open packages of java.base to Hadoop: from
/// Java 16 on they are closed, and launch scripts do it themselves from 3.4.2
/// on (HADOOP-19310).
pub fn opens_by_hand(java_major: u32, hadoop: HadoopVersion) -> bool {
    java_major >= 16 && hadoop < HadoopVersion::new(3, 4, 2)
}

/// Whether the libraries in `lib/native` can be loaded.
fn check_native(hadoop: &HadoopFacts, base: &BaseJvmFacts) -> Vec<CompatProblem> {
    if hadoop.native_arch.is_empty() {
        return Vec::new();
    }
    if !hadoop.native_arch.contains(&base.arch) {
        let native = hadoop.native_arch.clone();
        return vec![CompatProblem::NativeArch {
            native,
            base: base.arch,
        }];
    }
    match (hadoop.native_needs_glibc, base.glibc) {
        (Some(needs), Some(has)) if needs > has => {
            vec![CompatProblem::NativeGlibc { needs, has }]
        }
        _ => Vec::new(),
    }
}

/// Heaps that the runtime cannot reserve; each is named by `what`.
pub fn check_heaps<'a>(
    java: &JavaFacts,
    heaps: impl IntoIterator<Item = (&'a str, u32)>,
) -> Vec<CompatProblem> {
    if java.arch.bits() != 32 {
        return Vec::new();
    }
    heaps
        .into_iter()
        .filter(|(_, heap_mib)| *heap_mib > HEAP_LIMIT_32_BIT_MIB)
        .map(|(what, heap_mib)| CompatProblem::HeapTooLarge {
            what: what.to_owned(),
            heap_mib,
        })
        .collect()
}

#[cfg(test)]
mod tests;
