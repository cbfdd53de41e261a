//! Filling the card at first boot.

use super::draft::Draft;

/// Our own unit for it, in the `base` overlay.
pub(super) const GROW_UNIT: &str = "pidoop-grow.service";

/// One small idempotent unit for every release, in place of the release's own
/// machinery: that also gives the disk a new id, deletes host keys, or hangs
/// on systemd's first boot, which a node with a machine id does not have.
pub(super) fn write(draft: &mut Draft<'_>) {
    draft.enable(GROW_UNIT);
}
