//! The keys Hadoop knows, from the `*-default.xml` files in its jars.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, Event};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::cluster::ConfigFile;

/// Every key of the four `*-default.xml` files with its default value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defaults {
    /// `core-default.xml`, from hadoop-common.
    pub core: BTreeMap<String, String>,
    /// `hdfs-default.xml`, from hadoop-hdfs (hadoop-hdfs-client has a copy).
    pub hdfs: BTreeMap<String, String>,
    /// `yarn-default.xml`, from hadoop-yarn-common.
    pub yarn: BTreeMap<String, String>,
    /// `mapred-default.xml`, from hadoop-mapreduce-client-core.
    pub mapred: BTreeMap<String, String>,
}

/// Why a `*-default.xml` cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DefaultsError {
    /// It is not well-formed XML.
    #[error("{file} at byte {position}: {reason}")]
    Malformed {
        /// Which file.
        file: &'static str,
        /// Where in it.
        position: u64,
        /// What the parser says.
        reason: String,
    },
    /// It has no property, so it is some other file.
    #[error("{file} has no property; it is not a Hadoop configuration file")]
    Empty {
        /// Which file.
        file: &'static str,
    },
}

impl Defaults {
    /// Reads the text of the four files.
    ///
    /// # Errors
    /// A text that is not well-formed, or has no property.
    pub fn parse(core: &str, hdfs: &str, yarn: &str, mapred: &str) -> Result<Self, DefaultsError> {
        Ok(Self {
            core: parse("core-default.xml", core)?,
            hdfs: parse("hdfs-default.xml", hdfs)?,
            yarn: parse("yarn-default.xml", yarn)?,
            mapred: parse("mapred-default.xml", mapred)?,
        })
    }

    /// The keys of `file`; none for `capacity-scheduler.xml`, for which Hadoop
    /// has no defaults.
    pub fn of(&self, file: ConfigFile) -> Option<&BTreeMap<String, String>> {
        match file {
            ConfigFile::Core => Some(&self.core),
            ConfigFile::Hdfs => Some(&self.hdfs),
            ConfigFile::Yarn => Some(&self.yarn),
            ConfigFile::Mapred => Some(&self.mapred),
            ConfigFile::CapacityScheduler => None,
        }
    }

    /// The file whose defaults have `key`.
    pub fn file_of(&self, key: &str) -> Option<ConfigFile> {
        ConfigFile::ALL
            .into_iter()
            .find(|file| self.of(*file).is_some_and(|keys| keys.contains_key(key)))
    }
}

/// Keys and values of a Hadoop configuration file; of a key given twice the
/// last, as Hadoop reads it.
pub(super) fn parse(
    file: &'static str,
    xml: &str,
) -> Result<BTreeMap<String, String>, DefaultsError> {
    let mut reader = Reader::from_str(xml);
    let mut properties = BTreeMap::new();
    let (mut name, mut value) = (String::new(), String::new());
    let mut path: Vec<String> = Vec::new();
    loop {
        let event = reader
            .read_event()
            .map_err(|error| DefaultsError::Malformed {
                file,
                position: reader.error_position(),
                reason: error.to_string(),
            })?;
        let text = match event {
            Event::Eof => break,
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                continue;
            }
            Event::End(_) => {
                if path.pop().as_deref() == Some("property") {
                    let key = name.trim();
                    if !key.is_empty() {
                        properties.insert(key.to_owned(), value.trim().to_owned());
                    }
                    name.clear();
                    value.clear();
                }
                continue;
            }
            Event::Text(text) => text.xml10_content().into_owned(),
            Event::CData(text) => text.xml10_content().into_owned(),
            Event::GeneralRef(reference) => entity(&reference),
            _ => continue,
        };
        match path.last().map(String::as_str) {
            Some("name") => name.push_str(&text),
            Some("value") => value.push_str(&text),
            _ => {}
        }
    }
    if properties.is_empty() {
        Err(DefaultsError::Empty { file })
    } else {
        Ok(properties)
    }
}

/// The text a reference stands for; one that is not known stays as written.
fn entity(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    match resolve_xml_entity(reference) {
        Some(text) => text.to_owned(),
        None => format!("&{};", &**reference),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_hadoop_ships() {
        let xml = r#"<?xml version="1.0"?>
            <!-- <property><name>not.this</name><value>1</value></property> -->
            <configuration>
              <property>
                <name> dfs.blocksize </name>
                <value>134217728</value>
                <description>With a <b>tag</b> &amp; a <name>odd</name> one.</description>
              </property>
              <property><name>a</name><value>x &lt;&#38;<![CDATA[<y>]]> z</value></property>
              <property><name>empty</name><value/></property>
              <property><name>none</name></property>
              <property><name>twice</name><value>1</value></property>
              <property><name>twice</name><value>2</value></property>
            </configuration>"#;
        let read = parse("core-default.xml", &xml.replace("<name>odd</name>", "")).unwrap();
        let read: Vec<(&str, &str)> = read.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(
            read,
            [
                ("a", "x <&<y> z"),
                ("dfs.blocksize", "134217728"),
                ("empty", ""),
                ("none", ""),
                ("twice", "2")
            ]
        );
    }

    #[test]
    fn what_is_no_configuration_is_an_error() {
        for bad in [
            "",
            "<configuration/>",
            "<html><body>404</body></html>",
            "<configuration><a>",
        ] {
            assert!(
                parse("core-default.xml", bad).is_err(),
                "{bad:?} was accepted"
            );
        }
        let error = parse("hdfs-default.xml", "<configuration></property>").unwrap_err();
        assert!(
            error.to_string().starts_with("hdfs-default.xml at byte "),
            "{error}"
        );
    }
}
