//! A world small enough to be made in seconds, from Debian's own tools: base
//! images of all systems, a Java and a Hadoop archive for the architecture
//! of this machine. Nothing in it runs; everything in it is real to the tools
//! that read it.

mod archive;
mod cluster_file;
mod disk;
mod image;
mod outcome;
mod sandbox;
mod system;
mod tree;

use std::fs::{File, TryLockError};
use std::sync::{LazyLock, OnceLock};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use super::tools::run;

pub(crate) use archive::{Intruder, Java, cut, make_hadoop};
pub(crate) use cluster_file::{ClusterFile, PUBLIC_KEY, SSID};
pub(crate) use disk::{assemble, debugfs, make_ext4, make_fat, make_fat_with, make_image};
pub(crate) use image::{Image, assert_same_bytes, holds, same_bytes};
pub(crate) use outcome::Run;
pub(crate) use sandbox::{CLUSTER_KEY, PASSPHRASE, Sandbox, names};
pub(crate) use system::Flavour;

/// Inputs that all tests read and none writes.
pub(crate) struct World {
    dir: Utf8PathBuf,
    /// Held as long as the world is needed.
    _lock: File,
}

/// The world, made when first asked for.
pub(crate) fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(World::make);
    &WORLD
}

impl World {
    fn make() -> Self {
        let worlds = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("worlds");
        fs::create_dir_all(&worlds).unwrap();
        sweep(&worlds);
        // Kept beyond this process, for no destructor of a static runs; the
        // next run sweeps it away.
        let dir = tempfile::Builder::new()
            .prefix("world-")
            .tempdir_in(&worlds)
            .unwrap()
            .keep();
        let dir = Utf8PathBuf::from_path_buf(dir).unwrap();
        let lock = File::create(dir.join("lock")).unwrap();
        lock.try_lock().unwrap();
        let world = Self { dir, _lock: lock };
        Java::default().make(&world.java());
        make_hadoop(61, &world.hadoop());
        world
    }

    /// The raw base image of a system, made when first asked for.
    pub(crate) fn base(&self, flavour: Flavour) -> Utf8PathBuf {
        static MADE: [OnceLock<()>; Flavour::ALL.len()] =
            [const { OnceLock::new() }; Flavour::ALL.len()];
        let image = self.dir.join(format!("{}.img", flavour.name()));
        MADE[flavour as usize].get_or_init(|| make_image(flavour, &image));
        image
    }

    /// The usual base image, packed as publishers do, made when first asked for.
    pub(crate) fn packed_base(&self) -> Utf8PathBuf {
        static MADE: OnceLock<()> = OnceLock::new();
        let (image, packed) = (self.base(Flavour::Trixie), self.dir.join("trixie.img.xz"));
        MADE.get_or_init(|| {
            let script = format!("xz -0 -T1 -c '{image}' > '{packed}'");
            run("sh", &["-c", &script]);
        });
        packed
    }

    /// A cache after a build of the usual cluster, made when first asked for.
    /// To be copied, never used.
    fn warm_cache(&self) -> Utf8PathBuf {
        self.usual_build().join("cache")
    }

    /// The image of a node of the usual cluster, for comparisons.
    pub(crate) fn usual_image(&self, node: &str) -> Utf8PathBuf {
        self.usual_build().join(format!("out/tiny-{node}.img"))
    }

    fn usual_build(&self) -> &Utf8Path {
        static MADE: OnceLock<()> = OnceLock::new();
        MADE.get_or_init(|| {
            let sandbox = Sandbox::with(&ClusterFile::new(self));
            sandbox.run("build").works();
            for (from, to) in [(sandbox.cache(), "cache"), (sandbox.path("out"), "out")] {
                copy_sparsely(&from, &self.dir.join(to));
            }
        });
        &self.dir
    }

    /// A directory with the images of `master` and `worker1` on this system,
    /// made when first asked for. To be read, never changed.
    pub(crate) fn built(&self, flavour: Flavour) -> Utf8PathBuf {
        static MADE: [OnceLock<()>; Flavour::ALL.len()] =
            [const { OnceLock::new() }; Flavour::ALL.len()];
        let dir = self.dir.join(format!("built-{}", flavour.name()));
        MADE[flavour as usize].get_or_init(|| {
            self.build(&Sandbox::with(&self.small_cluster(flavour)), &dir);
        });
        dir
    }

    /// The cluster that [`built`](Self::built) is of: its user has another name
    /// than the base's.
    pub(crate) fn small_cluster(&self, flavour: Flavour) -> ClusterFile {
        ClusterFile::new(self)
            .base(&self.base(flavour))
            .first_nodes(2)
            .user("keeper")
    }

    /// The same with `worker1` on Wi-Fi.
    pub(crate) fn built_wireless(&self, flavour: Flavour) -> Utf8PathBuf {
        static MADE: [OnceLock<()>; Flavour::ALL.len()] =
            [const { OnceLock::new() }; Flavour::ALL.len()];
        let dir = self.dir.join(format!("wireless-{}", flavour.name()));
        MADE[flavour as usize].get_or_init(|| {
            let cluster = self.small_cluster(flavour).wireless("worker1");
            let sandbox = Sandbox::with(&cluster);
            sandbox.write_passphrase();
            self.build(&sandbox, &dir);
        });
        dir
    }

    fn build(&self, sandbox: &Sandbox, dir: &Utf8Path) {
        sandbox.run("build").works();
        copy_sparsely(&sandbox.path("out"), dir);
    }

    /// The Java archive.
    pub(crate) fn java(&self) -> Utf8PathBuf {
        self.dir.join("jre-17.tar.gz")
    }

    /// The Hadoop archive.
    pub(crate) fn hadoop(&self) -> Utf8PathBuf {
        self.dir.join("hadoop-3.5.0.tar.gz")
    }
}

/// Copies a file or directory with its times and holes.
pub(crate) fn copy_sparsely(from: &Utf8Path, to: &Utf8Path) {
    run("cp", &["-a", "--sparse=always", from.as_str(), to.as_str()]);
}

/// Removes worlds whose process is gone.
fn sweep(worlds: &Utf8Path) {
    for entry in worlds.read_dir_utf8().unwrap() {
        let dir = entry.unwrap().into_path();
        let held = match File::open(dir.join("lock")) {
            Ok(lock) => matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
            // It is just being made, or was left half made; see to it later.
            Err(_) => true,
        };
        if !held {
            let _ = fs::remove_dir_all(dir);
        }
    }
}
