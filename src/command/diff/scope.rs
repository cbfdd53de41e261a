//! Which paths are looked at.

use crate::command::Failure;
use crate::edit::ImagePath;

/// What begins the paths of the firmware partition.
pub(super) const BOOT: &str = "boot:";

/// The paths that `--path` names; all, if it names none.
#[derive(Debug)]
pub(super) struct Scope {
    root: Vec<ImagePath>,
    boot: Vec<ImagePath>,
}

impl Scope {
    /// From the command line.
    pub(super) fn parse(paths: &[String]) -> Result<Self, Failure> {
        let (mut root, mut boot) = (Vec::new(), Vec::new());
        for text in paths {
            let (list, path) = match text.strip_prefix(BOOT) {
                Some(path) => (&mut boot, path),
                None => (&mut root, text.as_str()),
            };
            let path = match path.trim_end_matches('/') {
                "" if !path.is_empty() => "/",
                path => path,
            };
            let path = ImagePath::new(path).map_err(|error| {
                Failure::usage(format!("--path {text}: {error}"))
                    .hint("give whole paths, such as /etc/hosts or boot:/cmdline.txt")
            })?;
            list.push(path);
        }
        Ok(Self { root, boot })
    }

    /// Whether every path is.
    pub(super) fn is_everything(&self) -> bool {
        self.root.is_empty() && self.boot.is_empty()
    }

    /// Whether this path of the root partition is.
    pub(super) fn has_root(&self, path: &ImagePath) -> bool {
        self.root.iter().any(|top| path.is_within(top))
    }

    /// Whether this path of the firmware partition is.
    pub(super) fn has_boot(&self, path: &ImagePath) -> bool {
        self.boot.iter().any(|top| path.is_within(top))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_a_partition_and_all_below() {
        let texts = ["/etc/", "boot:/cmdline.txt", "/opt/a"].map(str::to_owned);
        let scope = Scope::parse(&texts).unwrap();
        let path = |text| ImagePath::new(text).unwrap();
        assert!(scope.has_root(&path("/etc/hosts")) && scope.has_root(&path("/opt/a")));
        assert!(!scope.has_root(&path("/opt/ab")) && !scope.has_root(&path("/cmdline.txt")));
        assert!(scope.has_boot(&path("/cmdline.txt")) && !scope.has_boot(&path("/etc/hosts")));
        assert!(!scope.is_everything() && Scope::parse(&[]).unwrap().is_everything());
        let all = Scope::parse(&["boot:/".to_owned()]).unwrap();
        assert!(all.has_boot(&path("/x")));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["etc", "", "boot:", "boot:x", "/a/../b"] {
            let error = Scope::parse(&[text.to_owned()]).unwrap_err().to_string();
            assert!(error.contains("boot:/cmdline.txt"), "{error}");
        }
    }
}
