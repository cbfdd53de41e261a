//! A place of a test's own: home, cache, cluster file, output.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::super::tools::run;
use super::{ClusterFile, Run, copy_sparsely, world};

/// A directory with a home in it, gone at the end of the test.
pub(crate) struct Sandbox {
    _temporary: tempfile::TempDir,
    dir: Utf8PathBuf,
    /// Its `PATH`.
    path: String,
    program: Utf8PathBuf,
}

/// The secret of the tests' clusters, so that all of them can be compared.
pub(crate) const CLUSTER_KEY: &str =
    "c0ffee11223344556677889abbccddeefff1a2b3c4d5e6f7a8b9cadbecfd1e2f";

/// A passphrase with everything that has a meaning to one of its readers. No
/// network has it.
pub(crate) const PASSPHRASE: &str = " tiny\\world #\";='$x ";

impl Sandbox {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let temporary = tempfile::Builder::new()
            .prefix("pidoop-test-")
            .tempdir()
            .unwrap();
        let dir = Utf8PathBuf::from_path_buf(temporary.path().to_owned()).unwrap();
        for name in ["home", "tmp"] {
            fs::create_dir(dir.join(name)).unwrap();
        }
        let program = Utf8PathBuf::from_path_buf(cargo_bin!("pidoop").to_owned()).unwrap();
        // Ordinary users do not have the sbin directories in it.
        let path = "/usr/local/bin:/usr/bin:/bin".to_owned();
        Self {
            _temporary: temporary,
            dir,
            path,
            program,
        }
    }

    /// One with a cluster file and the tests' cluster key.
    pub(crate) fn with(cluster: &ClusterFile) -> Self {
        let sandbox = Self::new();
        sandbox.write_cluster(cluster);
        sandbox.write_cluster_key();
        sandbox
    }

    /// The same, with a cache in which the usual layer is.
    pub(crate) fn warm(cluster: &ClusterFile) -> Self {
        let sandbox = Self::with(cluster);
        fs::create_dir_all(sandbox.cache().parent().unwrap()).unwrap();
        copy_sparsely(&world().warm_cache(), &sandbox.cache());
        sandbox
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        self.dir.join(name)
    }

    /// The image of a node.
    pub(crate) fn image(&self, node: &str) -> Utf8PathBuf {
        self.path(&format!("out/tiny-{node}.img"))
    }

    /// Where pidoop keeps what can be made again.
    pub(crate) fn cache(&self) -> Utf8PathBuf {
        self.path("home/.cache/pidoop")
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes the cluster file.
    pub(crate) fn write_cluster(&self, cluster: &ClusterFile) {
        self.write("cluster.toml", cluster.text());
    }

    /// Writes the tests' cluster key.
    pub(crate) fn write_cluster_key(&self) {
        self.write("cluster.key", format!("{CLUSTER_KEY}\n"));
        self.set_mode("cluster.key", 0o600);
    }

    /// Writes the passphrase file of a wireless cluster.
    pub(crate) fn write_passphrase(&self) {
        self.write("wifi.passphrase", format!("{PASSPHRASE}\n"));
        self.set_mode("wifi.passphrase", 0o600);
    }

    /// Sets the mode of a file.
    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    /// Puts a program in front of all others.
    pub(crate) fn install_program(&mut self, name: &str, script: &str) {
        self.write(&format!("programs/{name}"), script);
        self.set_mode(&format!("programs/{name}"), 0o755);
        self.path = format!("{}:{}", self.path("programs"), self.path);
    }

    /// Gives everything to a user, who may not be able to reach the build
    /// directory: the program comes along.
    pub(crate) fn give_to(&mut self, user: u32) {
        let program = self.path("pidoop");
        fs::copy(&self.program, &program).unwrap();
        self.program = program;
        run(
            "chown",
            &["-R", &format!("{user}:{user}"), self.dir.as_str()],
        );
    }

    /// Names in a directory, sorted; none if it is not there.
    pub(crate) fn names(&self, dir: &str) -> Vec<String> {
        names(&self.path(dir))
    }

    /// Names in the output directory that are not hidden: what pidoop says is
    /// complete.
    pub(crate) fn finished(&self) -> Vec<String> {
        let mut names = self.names("out");
        names.retain(|name| !name.starts_with('.'));
        names
    }

    /// pidoop with these arguments, separated by blanks, in an environment of
    /// its own.
    pub(crate) fn command(&self, args: &str) -> Command {
        self.wrapped(&[], args)
    }

    /// The same, run by another program that is given pidoop and `args` as its
    /// last arguments.
    pub(crate) fn wrapped(&self, wrapper: &[&str], args: &str) -> Command {
        let mut command = match wrapper {
            [] => Command::new(&self.program),
            [program, rest @ ..] => {
                let mut command = Command::new(program);
                command.args(rest).arg(&self.program);
                command
            }
        };
        command
            .args(args.split_whitespace())
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .current_dir(&self.dir);
        command
    }

    /// Runs pidoop with these arguments to its end.
    pub(crate) fn run(&self, args: &str) -> Run {
        self.finish(self.command(args), args)
    }

    /// Runs a command to its end.
    pub(crate) fn finish(&self, mut command: Command, args: &str) -> Run {
        let output = command.output().unwrap();
        let places = [
            (self.dir.as_str(), "$HERE"),
            (world().dir.as_str(), "$WORLD"),
        ];
        Run::new(format!("pidoop {args}"), &output, &places)
    }
}

/// Names in a directory, sorted; none if it is not there.
pub(crate) fn names(dir: &Utf8Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string();
    let mut names: Vec<String> = entries.map(|entry| name(entry).unwrap()).collect();
    names.sort();
    names
}
