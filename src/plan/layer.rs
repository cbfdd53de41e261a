//! The layer: what all nodes share, built once.

use serde::Serialize;

use super::{BaseFacts, Component};
use crate::edit::{Edit, cache_key, digest};

/// Partitions of Raspberry Pi OS begin and end on this boundary, in bytes
/// (pi-gen `export-image/prerun.sh`, ALIGN since 2025-03).
const ALIGN: u64 = 8 << 20;

/// Base and components: holds nothing that belongs to one node or one owner,
/// and no secret.
#[derive(Clone, Debug, Serialize)]
pub struct Layer {
    /// SHA-256 over everything that decides its bytes, lower-case hex.
    pub id: String,
    /// Length of the root partition, in bytes.
    pub root_bytes: u64,
    /// What is done to the base.
    #[serde(skip)]
    pub edits: Vec<Edit>,
}

/// Changes when the same plan would give other bytes.
const FORMAT: &str = "pidoop-layer-2";

impl Layer {
    /// The layer of these inputs. `free_bytes` is what stays free for logs
    /// and data until the card is filled at first boot; `writer` names the
    /// e2fsprogs that will write it.
    pub fn new(
        base: &BaseFacts,
        components: &[Component],
        free_bytes: u64,
        epoch: i64,
        writer: &str,
    ) -> Self {
        let edits: Vec<Edit> = components.iter().flat_map(Component::edits).collect();
        let content: u64 = components
            .iter()
            .map(|component| component.content_bytes)
            .sum();
        let needed = with_overhead(base.root_used_bytes + content + free_bytes);
        let root_bytes = needed.max(base.root_bytes).next_multiple_of(ALIGN);

        let id = cache_key(&[
            FORMAT.as_bytes(),
            base.sha256.as_bytes(),
            &root_bytes.to_le_bytes(),
            &epoch.to_le_bytes(),
            writer.as_bytes(),
            &digest(&edits),
        ]);
        Self {
            id: hex::encode(id),
            root_bytes,
            edits,
        }
    }
}

/// Adds what ext4 itself takes as it grows: inode tables (256 bytes for each
/// 16 KiB, 1.6 %), bitmaps and descriptors, and the 5 % reserved for root,
/// which the daemons, not being root, cannot use.
fn with_overhead(bytes: u64) -> u64 {
    bytes + bytes / 12
}
