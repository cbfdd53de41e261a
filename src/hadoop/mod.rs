//! Hadoop's configuration, from the resolved cluster.
//!
//! [`MemoryPlan`] shares out the memory of every board; [`configuration`] turns
//! it and the cluster into the files of a node's configuration directory.
//! [`check_overrides`] and [`check_properties`] judge the properties a user
//! set, and [`compat`] whether Java, Hadoop and the base image fit together.

pub mod compat;
mod core;
mod defaults;
mod deprecated;
mod env;
#[cfg(test)]
mod fixture;
mod hdfs;
mod jvm;
mod keys;
mod layout;
mod log4j;
mod mapred;
pub mod memory;
mod overrides;
mod platform;
mod scheduler;
mod service;
mod site;
#[cfg(test)]
mod snapshots;
mod topology;
mod traffic;
mod value;
mod version;
mod xml;
mod yarn;

pub use compat::{BaseJvmFacts, CompatProblem, HadoopFacts, ImageType, JavaFacts, Severity};
pub use defaults::{Defaults, DefaultsError};
pub use keys::check_properties;
pub use layout::{Layout, StateDir};
pub use memory::{JVM_OVERHEAD_MIB, MemoryClass, MemoryPlan, NodeMemory};
pub use overrides::check_overrides;
pub use platform::{Arch, GlibcVersion, Libc};
pub use service::{Daemon, Port};
pub use site::{ConfigInputs, SiteProperties, configuration, generated, properties};
pub use version::{HadoopVersion, HadoopVersionError};
