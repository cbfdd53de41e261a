//! Programs by name, package and version.

use std::collections::BTreeMap;
use std::env;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::{Call, ToolError, Version};

/// An external program.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// Name of its executable.
    pub name: &'static str,
    /// The Debian package that has it.
    pub package: &'static str,
    /// How to learn its version, if an old one will not do.
    pub probe: Option<Probe>,
}

/// What a program said when it was asked for its version, if it was.
type Answer = Arc<Mutex<Option<Option<Version>>>>;

/// How to learn a program's version, and how old it may be.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// Arguments that make it print its version, on either stream.
    pub args: &'static [&'static str],
    /// The oldest version that will do.
    pub minimum: Version,
}

/// The oldest e2fsprogs that understands what Raspberry Pi OS Trixie makes:
/// `orphan_file` and `metadata_csum_seed` (e2fsprogs release notes 1.47.0).
const E2FSPROGS_MINIMUM: Version = Version::new(1, 47, 0);

const fn e2fsprogs(name: &'static str, args: &'static [&'static str]) -> Tool {
    Tool {
        name,
        package: "e2fsprogs",
        probe: Some(Probe {
            args,
            minimum: E2FSPROGS_MINIMUM,
        }),
    }
}

/// Edits ext4 filesystems in files.
pub const DEBUGFS: Tool = e2fsprogs("debugfs", &["-V"]);
/// Judges ext4 filesystems.
pub const E2FSCK: Tool = e2fsprogs("e2fsck", &["-V"]);
/// Copies the metadata of ext4 filesystems. Its package's other programs are
/// asked for their version.
pub const E2IMAGE: Tool = Tool::any_version("e2image", "e2fsprogs");
/// Changes the size of ext4 filesystems. It has no option to print its
/// version, but does so before its usage.
pub const RESIZE2FS: Tool = e2fsprogs("resize2fs", &[]);

/// Judges OpenPGP signatures against a given keyring, and nothing else.
pub const GPGV: Tool = Tool::any_version("gpgv", "gpgv");

impl Tool {
    /// A program of which any version will do.
    pub const fn any_version(name: &'static str, package: &'static str) -> Self {
        Self {
            name,
            package,
            probe: None,
        }
    }

    /// Where the program is: the first match in `PATH`, then `/usr/sbin` and
    /// `/sbin`, which ordinary users often do not have there.
    ///
    /// # Errors
    /// [`ToolError::Missing`] if it is nowhere.
    pub fn locate(&self) -> Result<Utf8PathBuf, ToolError> {
        find_in(&search_path(), self.name).ok_or(ToolError::Missing {
            tool: self.name,
            package: self.package,
        })
    }

    /// Asks for the version in a thread of its own, so that it is known by the time
    /// it is needed. Whatever goes wrong is told then.
    pub fn ask_ahead(self) {
        // Without a thread it is asked when it is needed.
        let _ = std::thread::Builder::new()
            .name(format!("{} version", self.name))
            .spawn(move || self.version().is_ok());
    }

    /// The version of the program found; `None` if it does not tell. It is asked
    /// once: who comes meanwhile waits for the answer.
    ///
    /// # Errors
    /// [`ToolError::Missing`], or what went wrong asking.
    pub fn version(&self) -> Result<Option<Version>, ToolError> {
        let Some(probe) = self.probe else {
            return Ok(None);
        };
        static KNOWN: LazyLock<Mutex<BTreeMap<Utf8PathBuf, Answer>>> =
            LazyLock::new(Mutex::default);
        let program = self.locate()?;
        let answer = {
            let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(program.clone()).or_default())
        };
        let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(version) = *answer {
            return Ok(version);
        }
        let output = Call::unchecked(*self, program)
            .args(probe.args.iter().copied())
            .run()?;
        let text = format!("{}\n{}", output.stdout_text(), output.stderr_text());
        let version = Version::find(&text);
        *answer = Some(version);
        Ok(version)
    }

    /// Checks that the program is here and new enough.
    ///
    /// # Errors
    /// [`ToolError::Missing`] or [`ToolError::TooOld`]. A program that does
    /// not tell its version passes.
    pub fn check(&self) -> Result<Utf8PathBuf, ToolError> {
        let program = self.locate()?;
        if let (Some(probe), Some(found)) = (self.probe, self.version()?)
            && found < probe.minimum
        {
            return Err(ToolError::TooOld {
                tool: self.name,
                found,
                needed: probe.minimum,
                package: self.package,
            });
        }
        Ok(program)
    }

    /// A call of this program, to be given arguments and run.
    ///
    /// # Errors
    /// Those of [`Tool::check`].
    pub fn call(&self) -> Result<Call, ToolError> {
        Ok(Call::unchecked(*self, self.check()?))
    }
}

/// Directories searched for programs, as one `PATH` value.
pub(super) fn search_path() -> String {
    let mut path = env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned());
    for sbin in ["/usr/sbin", "/sbin"] {
        if !path.split(':').any(|dir| dir == sbin) {
            path.push(':');
            path.push_str(sbin);
        }
    }
    path
}

fn find_in(path: &str, name: &str) -> Option<Utf8PathBuf> {
    path.split(':')
        // Relative entries would make what runs depend on where we stand.
        .filter(|dir| dir.starts_with('/'))
        .map(|dir| Utf8Path::new(dir).join(name))
        .find(|file| {
            fs::metadata(file)
                .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many want to know at once.
    #[test]
    fn a_program_is_asked_once() {
        let dir = tempfile::tempdir().unwrap();
        let script = Utf8Path::from_path(dir.path()).unwrap().join("told");
        let text = format!("#!/bin/sh\necho x >> {script}.calls\nsleep 0.2\necho told 7.8.9\n");
        // Written elsewhere: what is open for writing cannot be run, and a child of
        // another test may have it open.
        let mut cp = std::process::Command::new("cp")
            .args(["/dev/stdin", script.as_str()])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut cp.stdin.take().unwrap(), text.as_bytes()).unwrap();
        assert!(cp.wait().unwrap().success());
        fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
        let told = Tool {
            name: String::leak(script.to_string()),
            ..e2fsprogs("", &[])
        };
        told.ask_ahead();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    assert_eq!(told.version().unwrap(), Some(Version::new(7, 8, 9)));
                });
            }
        });
        assert_eq!(
            fs::read_to_string(format!("{script}.calls")).unwrap(),
            "x\n"
        );
    }

    #[test]
    fn a_missing_program_names_its_package() {
        let tool = Tool::any_version("pidoop-no-such-program", "some-package");
        let message = tool.locate().unwrap_err().to_string();
        assert!(message.contains("apt install some-package"), "{message}");
    }

    #[test]
    fn sbin_is_searched_though_path_lacks_it() {
        assert!(search_path().split(':').any(|dir| dir == "/usr/sbin"));
        assert!(find_in("relative:/usr/sbin", "debugfs").is_some());
        assert!(find_in("usr/sbin", "debugfs").is_none());
    }

    #[test]
    fn an_old_program_is_refused_with_both_versions() {
        let args = &["-V"];
        let minimum = Version::new(99, 0, 0);
        let tool = Tool {
            probe: Some(Probe { args, minimum }),
            ..DEBUGFS
        };
        let error = tool.check().unwrap_err();
        assert!(matches!(error, ToolError::TooOld { .. }), "{error}");
        assert!(error.to_string().contains("99.0.0"), "{error}");
    }

    #[test]
    fn every_e2fsprogs_program_tells_its_version() {
        for tool in [DEBUGFS, E2FSCK, RESIZE2FS] {
            let version = tool.version().unwrap();
            assert!(
                version >= Some(E2FSPROGS_MINIMUM),
                "{}: {version:?}",
                tool.name
            );
        }
    }
}
