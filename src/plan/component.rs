//! A component of the layer: an archive and where it goes.

use serde::Serialize;

use crate::edit::{ArchiveId, Edit, ImagePath, Mode, Owner, Unpack};

/// Java or Hadoop, at hand and ready to bake.
#[derive(Clone, Debug, Serialize)]
pub struct Component {
    /// What it is for: `java` or `hadoop`.
    pub kind: String,
    /// Name of the recipe whose rules apply.
    pub recipe: String,
    /// Version found in the archive itself.
    pub version: String,
    /// Where it came from, in words; without directories when serialised.
    #[serde(serialize_with = "super::origin::portable")]
    pub origin: String,
    /// The archive.
    pub archive: ArchiveId,
    /// The directory its members go below.
    pub into: ImagePath,
    /// A link with a stable name to that directory, if the recipe has one.
    pub link: Option<ImagePath>,
    /// Which members, and how.
    pub unpack: Unpack,
    /// What it takes on the root filesystem, in bytes.
    pub content_bytes: u64,
}

impl Component {
    /// The edits that bake it in.
    pub fn edits(&self) -> Vec<Edit> {
        let mut edits = vec![
            Edit::MakeDir {
                path: self.into.clone(),
                owner: Owner::ROOT,
                mode: Mode::EXECUTABLE,
            },
            Edit::UnpackTree {
                archive: self.archive.clone(),
                into: self.into.clone(),
                unpack: self.unpack.clone(),
            },
        ];
        edits.extend(self.link.iter().map(|link| Edit::Symlink {
            path: link.clone(),
            target: self.into.as_str().to_owned(),
        }));
        edits
    }
}
