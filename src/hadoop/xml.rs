//! Hadoop's configuration files as XML.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::site::SiteProperties;
use crate::cluster::ConfigFile;

/// The file with these properties, sorted by key.
pub(super) fn document(file: ConfigFile, properties: &SiteProperties) -> String {
    // Writing to memory has no way to fail, nor is what is written other than
    // UTF-8.
    let bytes = write(file, properties).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn write(file: ConfigFile, properties: &SiteProperties) -> io::Result<Vec<u8>> {
    let name = file.file_name();
    let header = format!(
        "\n  {name}, written by pidoop from cluster.toml. The next build writes it anew:\n  \
         set properties under [hadoop.properties.\"{name}\"] in cluster.toml, not here.\n"
    );
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer.write_event(Event::Comment(BytesText::from_escaped(header)))?;
    writer
        .create_element("configuration")
        .write_inner_content(|writer| {
            for (key, value) in properties.iter() {
                writer
                    .create_element("property")
                    .write_inner_content(|writer| {
                        writer
                            .create_element("name")
                            .write_text_content(BytesText::new(key))?;
                        writer
                            .create_element("value")
                            .write_text_content(BytesText::new(value))?;
                        Ok(())
                    })?;
            }
            Ok(())
        })?;
    let mut bytes = writer.into_inner();
    bytes.push(b'\n');
    Ok(bytes)
}
