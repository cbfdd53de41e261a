//! The tiny world, published on a server.

use std::time::Duration;

use camino::Utf8Path;
use fs_err as fs;
use pidoop::source::Sha256;

use crate::support::server::{Answer, Server};
use crate::support::world::{ClusterFile, Sandbox, world};

/// The architecture of the tiny world, which is this machine's.
pub(crate) const ARCH: &str = if cfg!(target_arch = "x86_64") {
    "amd64"
} else {
    "arm64"
};

pub(crate) const BASE: &str = "tiny-base";
pub(crate) const JAVA: &str = "temurin-17";
pub(crate) const HADOOP: &str = "hadoop-3.5.0";

/// A server with the inputs of the usual cluster, below `/current/`.
pub(crate) struct Publisher {
    pub(crate) server: Server,
    files: [File; 3],
}

/// A published file and the recipe for it.
struct File {
    recipe: &'static str,
    name: &'static str,
    bytes: Vec<u8>,
}

impl Publisher {
    pub(crate) fn new() -> Self {
        let world = world();
        let file = |recipe, name, path: &Utf8Path| File {
            recipe,
            name,
            bytes: fs::read(path).unwrap(),
        };
        let publisher = Self {
            server: Server::new(),
            files: [
                file(BASE, "tiny.img.xz", &world.packed_base()),
                file(JAVA, "jre%2B1.tar.gz", &world.java()),
                file(HADOOP, "hadoop.tar.gz", &world.hadoop()),
            ],
        };
        publisher.serve_all(|answer| answer);
        publisher
    }

    /// Serves everything, with what `how` makes of each answer.
    pub(crate) fn serve_all(&self, how: impl Fn(Answer) -> Answer) {
        for file in &self.files {
            self.serve(file.recipe, [how(self.answer(file.recipe))]);
        }
    }

    /// So that everything takes a while: so many pieces each, with pauses.
    pub(crate) fn serve_slowly(&self, pieces: usize, pause: Duration) {
        for file in &self.files {
            let bytes = (file.bytes.len() / pieces).max(1);
            self.serve(file.recipe, [self.answer(file.recipe).pace(bytes, pause)]);
        }
    }

    /// The file of a recipe as it is.
    pub(crate) fn answer(&self, recipe: &str) -> Answer {
        Answer::file(self.bytes(recipe))
    }

    /// Serves these answers for a recipe's file.
    pub(crate) fn serve<const N: usize>(&self, recipe: &str, answers: [Answer; N]) {
        self.server.serve(&self.path(recipe), answers);
    }

    fn file(&self, recipe: &str) -> &File {
        let file = self.files.iter().find(|file| file.recipe == recipe);
        file.unwrap_or_else(|| panic!("no file for {recipe}"))
    }

    pub(crate) fn bytes(&self, recipe: &str) -> &[u8] {
        &self.file(recipe).bytes
    }

    pub(crate) fn sha256(&self, recipe: &str) -> String {
        Sha256::of(self.bytes(recipe)).to_string()
    }

    /// Where a recipe's file is on the server.
    pub(crate) fn path(&self, recipe: &str) -> String {
        format!("/current/{}", self.file(recipe).name)
    }

    pub(crate) fn url(&self, recipe: &str) -> String {
        self.server.url(&self.path(recipe))
    }

    pub(crate) fn hits(&self, recipe: &str) -> usize {
        self.server.hits(&self.path(recipe))
    }

    /// The text of a recipe, with this in its source.
    pub(crate) fn recipe(&self, recipe: &str, source: &str) -> String {
        let source = format!("[[source]]\narch = \"{ARCH}\"\n{source}\n");
        let built_in = match recipe {
            BASE => {
                return format!(
                    "schema = 1\nkind = \"base\"\nname = \"{BASE}\"\ndescription = \"Tiny\"\n\
                     version = \"1\"\nrelease = \"trixie\"\n\n{source}"
                );
            }
            JAVA => include_str!("../../../recipes/temurin-17.toml"),
            _ => include_str!("../../../recipes/hadoop-3.5.0.toml"),
        };
        let (head, rest) = built_in.split_once("[[source]]").unwrap();
        let end = ["\n[requires]", "\n[unpack]"]
            .iter()
            .filter_map(|title| rest.find(title))
            .min()
            .unwrap();
        format!("{head}{source}{}", &rest[end..])
    }

    /// What the source of a recipe usually says.
    pub(crate) fn source(&self, recipe: &str) -> String {
        let (url, sha256) = (self.url(recipe), self.sha256(recipe));
        format!("urls = [\"{url}\"]\nsha256 = \"{sha256}\"")
    }

    /// A sandbox with a cluster whose inputs are recipes, and these recipes.
    pub(crate) fn sandbox(&self) -> Sandbox {
        let sandbox = Sandbox::with(&by_recipes());
        for recipe in [BASE, JAVA, HADOOP] {
            self.write_recipe(&sandbox, recipe, &self.source(recipe));
        }
        sandbox
    }

    pub(crate) fn write_recipe(&self, sandbox: &Sandbox, recipe: &str, source: &str) {
        let name = format!("recipes/{recipe}.toml");
        sandbox.write(&name, self.recipe(recipe, source));
    }

    /// The directory `name` of a sandbox with all files in it, as a mirror.
    pub(crate) fn fill_directory(&self, sandbox: &Sandbox, name: &str) {
        for file in &self.files {
            let plain = file.name.replace("%2B", "+");
            sandbox.write(&format!("{name}/{plain}"), &file.bytes);
        }
    }
}

/// The usual cluster with inputs by recipes.
pub(crate) fn by_recipes() -> ClusterFile {
    let quoted = |name: &str| format!("\"{name}\"");
    ClusterFile::new(world()).inputs(&quoted(BASE), &quoted(JAVA), &quoted(HADOOP))
}

/// What cluster.lock says.
pub(crate) fn lock(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path("cluster.lock")).unwrap()
}

/// One value in the lock.
pub(crate) fn locked(sandbox: &Sandbox, input: &str, key: &str) -> Option<String> {
    let table: toml::Table = lock(sandbox).parse().unwrap();
    let value = table.get(input)?.get(key)?;
    Some(
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    )
}
