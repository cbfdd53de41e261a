//! Overlays: directories laid onto an image.
//!
//! An overlay is a listing of files below a directory. A name ending in `.j2`
//! is a template over the resolved cluster and node; `overlay.toml` says who
//! owns what, which modes files have, and which links and empty directories
//! there are. [`Overlay::edits`] turns one into edits.
//!
//! ```toml
//! volume = "root"            # or "boot", the firmware partition
//! owner = "root"             # of files no rule gives another owner
//! mode = "0644"              # of files no rule gives another mode
//!
//! [[rule]]                   # the last rule that matches decides
//! path = "usr/local/bin/*"   # `*` stays within a directory, `**` does not
//! mode = "0755"
//! owner = "root:hadoop"
//! when = "node.role == 'master'"   # no file otherwise
//!
//! [[link]]
//! path = "/etc/systemd/system/apt-daily.timer"
//! target = "/dev/null"
//!
//! [[dir]]                    # mode 0755 unless it says otherwise
//! path = "/var/lib/hadoop"
//! owner = "hadoop"
//! mode = "0750"
//! ```
//!
//! Without an `overlay.toml`, all files are `root`'s with mode 0644. A file
//! named `.gitkeep` is not one of the overlay.

mod catalogue;
mod error;
mod manifest;
#[allow(clippy::module_inception)]
mod overlay;
mod template;
#[cfg(test)]
mod tests;

pub use catalogue::Overlays;
pub use error::OverlayError;
pub use manifest::{DirEntry, LinkEntry, Manifest, OwnerName, Rule, Volume};
pub use overlay::{Listing, Overlay, Owners};
