//! Hadoop properties the user sets.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

/// Bytes of the cluster file that something was read from.
pub type SourceSpan = Range<usize>;

/// A Hadoop configuration file of properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum ConfigFile {
    /// `core-site.xml`.
    #[serde(rename = "core-site.xml")]
    Core,
    /// `hdfs-site.xml`.
    #[serde(rename = "hdfs-site.xml")]
    Hdfs,
    /// `yarn-site.xml`.
    #[serde(rename = "yarn-site.xml")]
    Yarn,
    /// `mapred-site.xml`.
    #[serde(rename = "mapred-site.xml")]
    Mapred,
    /// `capacity-scheduler.xml`.
    #[serde(rename = "capacity-scheduler.xml")]
    CapacityScheduler,
}

impl ConfigFile {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Core,
        Self::Hdfs,
        Self::Yarn,
        Self::Mapred,
        Self::CapacityScheduler,
    ];

    /// The file's name.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Core => "core-site.xml",
            Self::Hdfs => "hdfs-site.xml",
            Self::Yarn => "yarn-site.xml",
            Self::Mapred => "mapred-site.xml",
            Self::CapacityScheduler => "capacity-scheduler.xml",
        }
    }
}

/// A value the user gave a property, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Property {
    /// The value as Hadoop will read it.
    pub value: String,
    /// The key's place in the cluster file.
    #[serde(skip)]
    pub span: SourceSpan,
}

/// Properties by file and key.
pub type Properties = BTreeMap<ConfigFile, BTreeMap<String, Property>>;
