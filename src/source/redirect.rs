//! Where a server sends one on to.

/// The address that `location` means for who asked for `base` (RFC 9110,
/// section 10.2.2; RFC 3986, section 5.2); none if it is none that can be
/// fetched from.
pub(super) fn target(base: &str, location: &str) -> Option<String> {
    let location = location.split('#').next().unwrap_or_default().trim();
    if location.is_empty() {
        return None;
    }
    let (scheme, rest) = base.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let path = tail.split(['?', '#']).next().unwrap_or_default();
    let joined = if let Some(there) = location.strip_prefix("//") {
        format!("{scheme}://{there}")
    } else if is_absolute(location) {
        location.to_owned()
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{}", without_dots(location))
    } else if location.starts_with('?') {
        format!("{scheme}://{authority}{path}{location}")
    } else {
        let directory = path.rfind('/').map_or("/", |at| &path[..=at]);
        let whole = format!("{directory}{location}");
        format!("{scheme}://{authority}{}", without_dots(&whole))
    };
    let known = joined.starts_with("http://") || joined.starts_with("https://");
    known.then_some(joined)
}

/// Whether a text begins with a scheme.
fn is_absolute(location: &str) -> bool {
    location.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// A path in which `.` and `..` have been carried out.
fn without_dots(location: &str) -> String {
    let (path, query) = match location.find('?') {
        Some(at) => location.split_at(at),
        None => (location, ""),
    };
    let mut kept: Vec<&str> = Vec::new();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    for (index, part) in parts.iter().enumerate() {
        let last = index + 1 == parts.len();
        match *part {
            "." | ".." => {
                if *part == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            part => kept.push(part),
        }
    }
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://other/y", Some("https://other/y"))]
    #[case("//other/y", Some("http://other/y"))]
    #[case("/y?z=1", Some("http://h:8/y?z=1"))]
    #[case("y", Some("http://h:8/a/y"))]
    #[case("./y/../z", Some("http://h:8/a/z"))]
    #[case("../../y", Some("http://h:8/y"))]
    #[case("..", Some("http://h:8/"))]
    #[case("?z", Some("http://h:8/a/x?z"))]
    #[case("/y#part", Some("http://h:8/y"))]
    #[case("ftp://h/y", None)]
    #[case("file:///etc/passwd", None)]
    #[case("", None)]
    fn targets_are_as_browsers_take_them(#[case] location: &str, #[case] expected: Option<&str>) {
        let found = target("http://h:8/a/x?q=1", location);
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_host_alone_is_a_base_too() {
        assert_eq!(target("http://h", "y").as_deref(), Some("http://h/y"));
        assert_eq!(target("http://h?q", "/y").as_deref(), Some("http://h/y"));
    }
}
