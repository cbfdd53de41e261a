//! What was found.

use camino::Utf8PathBuf;

use super::scope::Scope;
use crate::bake::ImageDifference;

/// Everything that was compared.
#[derive(Debug)]
pub(super) struct Outcome {
    /// What the two sides are called.
    pub(super) labels: [String; 2],
    /// Each image.
    pub(super) images: Vec<Compared>,
    /// Images of nodes that the cluster file does not have.
    pub(super) strays: Vec<Utf8PathBuf>,
}

/// One image.
#[derive(Debug)]
pub(super) struct Compared {
    /// Whose it is; `None` where two images are compared.
    pub(super) node: Option<String>,
    /// Where it is, or would be.
    pub(super) image: Utf8PathBuf,
    pub(super) state: State,
}

/// What became of comparing it.
#[derive(Debug)]
pub(super) enum State {
    /// It was not built.
    Missing,
    /// It is damaged, or no image.
    Unreadable(String),
    /// It was compared.
    Seen(ImageDifference),
}

impl Compared {
    /// Whether it differs.
    pub(super) fn differs(&self) -> bool {
        match &self.state {
            State::Missing | State::Unreadable(_) => true,
            State::Seen(difference) => !difference.is_empty(),
        }
    }
}

impl Outcome {
    /// Whether anything does.
    pub(super) fn differs(&self) -> bool {
        !self.strays.is_empty() || self.images.iter().any(Compared::differs)
    }

    /// Forgets what is not in `scope`.
    pub(super) fn keep_only(&mut self, scope: &Scope) {
        if scope.is_everything() {
            return;
        }
        for image in &mut self.images {
            if let State::Seen(difference) = &mut image.state {
                difference.layout.clear();
                difference.root.retain(|found| scope.has_root(&found.path));
                difference.boot.retain(|found| scope.has_boot(&found.path));
            }
        }
    }

    /// The end of the matter in one sentence.
    pub(super) fn verdict(&self) -> String {
        let differing = self.images.iter().filter(|image| image.differs()).count();
        let one = self.images.len() == 1;
        let is_cluster = self.images.iter().any(|image| image.node.is_some());
        let mut words = match (is_cluster, differing) {
            (false, 0) => "the images do not differ".to_owned(),
            (false, _) => "the images differ".to_owned(),
            (true, 0) if one => "the image is what a build would make".to_owned(),
            (true, 0) => "the images are what a build would make".to_owned(),
            (true, _) => format!(
                "{differing} of {} images {} from what a build would make",
                self.images.len(),
                if differing == 1 { "differs" } else { "differ" }
            ),
        };
        if let [first, ..] = &self.strays[..] {
            words.push_str(&format!(
                "; {first}{} no node's of this cluster",
                match self.strays.len() {
                    1 => " is".to_owned(),
                    more => format!(" and {} more are", more - 1),
                }
            ));
        }
        words
    }
}
