//! `[hadoop.properties."FILE"]`, for all nodes or for one.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::cluster::{ConfigFile, Properties, Property};
use crate::diagnostic::{Problem, Section, nearest};

/// The properties of a `[hadoop]` section. What is wrong is reported; the rest
/// is returned.
pub(super) fn read(hadoop: Option<Section<'_>>) -> Properties {
    let mut properties = Properties::new();
    let Some(mut hadoop) = hadoop else {
        return properties;
    };
    let section = hadoop.section("properties");
    hadoop.finish();
    let Some(section) = section else {
        return properties;
    };
    for (name, value) in section.entries() {
        let Some(file) = config_file(&section, &name) else {
            continue;
        };
        let Some(inner) = section.within(name.get_ref(), value) else {
            section.problems().add(
                Problem::new(
                    value.span(),
                    format!("{:?} is not a section", name.get_ref()),
                )
                .help("put `\"property.name\" = \"value\"` lines under it"),
            );
            continue;
        };
        let values = properties.entry(file).or_default();
        for (key, value) in inner.entries() {
            if let Some(property) = property(&inner, &key, value) {
                values.insert((*key.get_ref()).to_owned(), property);
            }
        }
        inner.dismiss();
    }
    section.dismiss();
    properties
}

fn config_file(section: &Section<'_>, name: &Spanned<&str>) -> Option<ConfigFile> {
    let found = ConfigFile::ALL
        .into_iter()
        .find(|file| file.file_name() == *name.get_ref());
    if found.is_none() {
        let known = ConfigFile::ALL.map(ConfigFile::file_name);
        let quoted = known.map(|name| format!("\"{name}\"")).join(", ");
        let text = *name.get_ref();
        // `hdfs-site` and an unquoted `hdfs-site.xml` (a key within a key) both
        // come to the name without its ending.
        let with_ending = format!("{text}.xml");
        let meant = nearest(text, known).or_else(|| known.into_iter().find(|k| *k == with_ending));
        let help = match meant {
            Some(meant) => format!("did you mean \"{meant}\", in quotes? Known are {quoted}"),
            None => format!("known are {quoted}"),
        };
        section.problems().add(
            Problem::new(
                name.span(),
                format!("{text:?} is not a configuration file of Hadoop"),
            )
            .help(help),
        );
    }
    found
}

fn property(
    section: &Section<'_>,
    key: &Spanned<&str>,
    value: &Spanned<DeValue<'_>>,
) -> Option<Property> {
    let name = *key.get_ref();
    let refuse = |problem: Problem| {
        section.problems().add(problem);
        None
    };
    if let DeValue::Table(table) = value.get_ref() {
        let whole = format!("{name}.{}", first_path(table));
        return refuse(
            Problem::new(
                key.span(),
                format!("the property name `{whole}` is not quoted"),
            )
            .help(format!(
                "write `\"{whole}\" = …`: dots outside quotes make sections"
            )),
        );
    }
    let well_formed = !name.is_empty()
        && name
            .chars()
            .all(|c| !c.is_control() && !c.is_whitespace() && !"<>&\"'".contains(c));
    if !well_formed {
        return refuse(Problem::new(
            key.span(),
            format!("{name:?} is not a property's name"),
        ));
    }
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.to_string(),
            Err(_) => {
                return refuse(Problem::new(value.span(), format!("`{name}` is too large")));
            }
        },
        DeValue::Float(number) => {
            if number.as_str().contains(['n', 'i']) {
                return refuse(
                    Problem::new(value.span(), format!("`{name}` is not a finite number"))
                        .help("write it as a string if Hadoop is to read it as it stands"),
                );
            }
            number.as_str().to_owned()
        }
        DeValue::Array(_) => {
            section.wrong_type(&format!("\"{name}\""), value, "one value", "\"a,b\"");
            return None;
        }
        DeValue::Datetime(_) | DeValue::Table(_) => {
            let expected = "a string, a number or a boolean";
            section.wrong_type(&format!("\"{name}\""), value, expected, "\"value\"");
            return None;
        }
    };
    // XML 1.0 has no way to write these.
    if text.chars().any(|c| c.is_control() && !"\n\t".contains(c)) {
        return refuse(
            Problem::new(
                value.span(),
                format!("the value of `{name}` has a control character"),
            )
            .help("a configuration file cannot hold it"),
        );
    }
    Some(Property {
        value: text,
        span: key.span(),
    })
}

/// The rest of a dotted name that became tables.
fn first_path(table: &DeTable<'_>) -> String {
    let Some((key, value)) = table.iter().min_by_key(|(key, _)| key.span().start) else {
        return String::new();
    };
    match value.get_ref() {
        DeValue::Table(inner) => format!("{}.{}", key.get_ref(), first_path(inner)),
        _ => key.get_ref().to_string(),
    }
}
