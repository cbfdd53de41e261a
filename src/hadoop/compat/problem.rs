//! One way in which Java, Hadoop and the base image do not fit.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use thiserror::Error;

use crate::hadoop::{Arch, GlibcVersion, HadoopVersion};

/// Whether a [`CompatProblem`] stops a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It is known not to work.
    Refusal,
    /// It works, or may, with something to know.
    Warning,
}

/// One way in which the inputs do not fit. The text says what is wrong, the
/// error it would have caused on the Pi, and what to do.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompatProblem {
    /// The Java runtime is for another processor than the base image.
    #[error(
        "the Java runtime is built for {java} but the base image is {base}: on the Pi it would \
         fail with {:?}; choose the {base} build of this Java",
        if java.bits() < base.bits() { "No such file or directory" }
        else { "cannot execute binary file: Exec format error" }
    )]
    JavaArch {
        /// What the runtime is for.
        java: Arch,
        /// What the base is.
        base: Arch,
    },
    /// The Java runtime needs musl.
    #[error(
        "the Java runtime is built for musl (an alpine-linux build): Raspberry Pi OS has the GNU \
         C library, so starting it would fail with \"No such file or directory\" although the \
         file is there; choose the build without \"alpine\" in its name"
    )]
    JavaMusl,
    /// The loader that `bin/java` names is not in the base image.
    #[error(
        "bin/java asks for the loader {interpreter}, which the base image does not have: starting \
         it would fail with \"No such file or directory\" although the file is there; choose a \
         Java build made for this base image"
    )]
    NoLoader {
        /// The loader's path.
        interpreter: String,
    },
    /// The Java runtime needs a newer C library.
    #[error(
        "the Java runtime needs glibc {needs} but the base image has {has}: it would stop with \
         \"version `GLIBC_{needs}' not found\"; choose a newer base image, or a vendor's Java \
         build for older systems"
    )]
    JavaGlibc {
        /// What it needs.
        needs: GlibcVersion,
        /// What the base has.
        has: GlibcVersion,
    },
    /// Hadoop's classes are for a newer Java.
    #[error(
        "Hadoop {hadoop} is compiled for Java {needs} but the runtime is Java {java}: every \
         command would stop with \"UnsupportedClassVersionError … class file version \
         {class_major}.0\"; set java to a Java {needs} runtime (such as \"temurin-{needs}\")"
    )]
    ClassVersion {
        /// The release.
        hadoop: HadoopVersion,
        /// Java release its classes need.
        needs: u32,
        /// Java release of the runtime.
        java: u32,
        /// Class file version of its classes.
        class_major: u16,
    },
    /// Java 24 and later without `Subject.getSubject`, which this Hadoop calls
    /// (HADOOP-19212).
    #[error(
        "Hadoop {hadoop} does not run on Java {java}: the daemons would stop with \
         \"UnsupportedOperationException: getSubject is not supported\"; use Java {better}, or \
         Hadoop 3.4.3 or later"
    )]
    NoGetSubject {
        /// The release.
        hadoop: HadoopVersion,
        /// Java release of the runtime.
        java: u32,
        /// A Java release it is made for.
        better: u32,
    },
    /// Hadoop before 3.3 on Java 9 or later.
    #[error(
        "Hadoop {hadoop} runs on Java 8 only, the runtime is Java {java}: the ResourceManager \
         would stop with \"NoClassDefFoundError: javax/activation/DataSource\"; use Java 8, or \
         Hadoop 3.3 or later"
    )]
    JavaEightOnly {
        /// The release.
        hadoop: HadoopVersion,
        /// Java release of the runtime.
        java: u32,
    },
    /// A Java release this Hadoop is not made for, but which can work.
    #[error(
        "Hadoop {hadoop} is not tested on Java {java} by its makers; it is on Java {}{}",
        tested.iter().map(u32::to_string).collect::<Vec<_>>().join(" and "),
        if *needs_opens {
            ", so pidoop adds the --add-opens options without which the ResourceManager and \
             NodeManager stop with \"InaccessibleObjectException\""
        } else { "" }
    )]
    UntestedJava {
        /// The release.
        hadoop: HadoopVersion,
        /// Java release of the runtime.
        java: u32,
        /// Java releases it is made for.
        tested: Vec<u32>,
        /// Whether the environment must open packages of java.base itself.
        needs_opens: bool,
    },
    /// Not Hadoop 3.
    #[error(
        "this is Hadoop {hadoop}; pidoop writes the configuration of Hadoop 3, whose commands, \
         ports and keys differ: choose a Hadoop 3 release such as 3.5.0"
    )]
    NotHadoopThree {
        /// The release.
        hadoop: HadoopVersion,
    },
    /// A trimmed runtime without modules that Hadoop loads.
    #[error(
        "the Java runtime lacks {}: the daemons would stop with \"{}\"; use a vendor's JRE, or \
         add the modules to the list given to jlink",
        modules.join(", "),
        if modules.iter().any(|name| name == "jdk.security.auth") {
            "No LoginModule found for com.sun.security.auth.module.UnixLoginModule"
        } else { "NoClassDefFoundError" }
    )]
    MissingModules {
        /// The modules, sorted.
        modules: Vec<String>,
    },
    /// A runtime without the server compiler.
    #[error(
        "the Java runtime has no server VM (lib/server/libjvm.so): such builds are for ARMv6, \
         where \"Server VM is only supported on ARMv7+ VFP\"; long tasks run several times slower \
         than with a vendor's ordinary JRE"
    )]
    NoServerVm,
    /// The archive has no web resources.
    #[error(
        "Hadoop {hadoop} comes without share/hadoop/hdfs/webapps: the NameNode would exit with \
         \"webapps/hdfs not found in CLASSPATH\"; use the binary release, and do not drop \
         that directory in the recipe"
    )]
    NoWebapps {
        /// The release.
        hadoop: HadoopVersion,
    },
    /// `lib/native` is for another processor.
    #[error(
        "Hadoop's native libraries are built for {} but the base image is {base}: they stay \
         unused, and every command warns \"Unable to load native-hadoop library\", which is \
         harmless; use the {base} archive, or drop \"lib/native/**\" in the recipe",
        native.iter().map(|arch| arch.name()).collect::<Vec<_>>().join(", ")
    )]
    NativeArch {
        /// What they are for.
        native: BTreeSet<Arch>,
        /// What the base is.
        base: Arch,
    },
    /// `lib/native` needs a newer C library.
    #[error(
        "Hadoop's native libraries need glibc {needs} but the base image has {has} (\"version \
         `GLIBC_{needs}' not found\"): they stay unused and Java's own code takes over; choose \
         a newer base image, or drop \"lib/native/**\" in the recipe"
    )]
    NativeGlibc {
        /// What they need.
        needs: GlibcVersion,
        /// What the base has.
        has: GlibcVersion,
    },
    /// A heap beyond what a 32-bit process can hold in one piece.
    #[error(
        "the {what} gets a heap of {heap_mib} MiB, but the Java runtime is 32-bit: it would stop \
         with \"Could not reserve enough space for object heap\"; use a 64-bit base image and \
         Java, or set a smaller size for this board"
    )]
    HeapTooLarge {
        /// Whose heap.
        what: String,
        /// Its size.
        heap_mib: u32,
    },
}

impl CompatProblem {
    /// Whether this stops a build.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::UntestedJava { .. }
            | Self::NoServerVm
            | Self::NativeArch { .. }
            | Self::NativeGlibc { .. } => Severity::Warning,
            _ => Severity::Refusal,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Refusal => "error",
            Self::Warning => "warning",
        })
    }
}
