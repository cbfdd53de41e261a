//! Names with rules.

use std::fmt;

use serde::Serialize;

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name_type! {
    /// Name of a cluster: 1 to 32 of `a-z`, `0-9` and `-`, beginning with a
    /// letter, not ending in `-`.
    ClusterName
}

name_type! {
    /// Host name of a node, one DNS label: 1 to 63 of `a-z`, `0-9` and `-`,
    /// beginning with a letter, not ending in `-`. An underscore breaks Java's
    /// parser of `hdfs://` addresses, so it is refused.
    Hostname
}

name_type! {
    /// Unix user name as Raspberry Pi OS accepts it: `^[a-z][a-z0-9-]*$`, at
    /// most 32 characters, not `root` nor the `hadoop` user
    /// (userconf-pi, `userconf`).
    UserName
}

/// What is wrong with a label: shared rule of all three names.
fn check_label(text: &str, what: &str, max: usize) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("a {what} cannot be empty"));
    }
    if text.len() > max {
        return Err(format!(
            "a {what} has at most {max} characters, this has {}",
            text.len()
        ));
    }
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(format!("a {what} begins with a lower-case letter"));
    }
    if let Some(bad) = text
        .chars()
        .find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-'))
    {
        return Err(format!("a {what} has only a-z, 0-9 and '-', not {bad:?}"));
    }
    if text.ends_with('-') {
        return Err(format!("a {what} does not end in '-'"));
    }
    Ok(())
}

impl ClusterName {
    /// Checks `text`; the error says which rule it breaks.
    pub fn new(text: &str) -> Result<Self, String> {
        check_label(text, "cluster name", 32).map(|()| Self(text.to_owned()))
    }
}

impl Hostname {
    /// Checks `text`; the error says which rule it breaks.
    pub fn new(text: &str) -> Result<Self, String> {
        check_label(text, "host name", 63)?;
        if text == "localhost" {
            return Err("a node cannot be called localhost".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl UserName {
    /// Checks `text`; the error says which rule it breaks.
    pub fn new(text: &str) -> Result<Self, String> {
        check_label(text, "user name", 32)?;
        match text {
            "root" => Err("the user cannot be root: log in as another and use sudo".to_owned()),
            "hadoop" => {
                Err("the user hadoop runs the daemons; choose another to log in as".to_owned())
            }
            _ => Ok(Self(text.to_owned())),
        }
    }
}
