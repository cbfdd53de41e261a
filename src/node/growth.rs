//! Filling the card at first boot.

use super::NodeInputs;
use super::draft::Draft;

/// Our own unit for it, in the `base` overlay.
pub(super) const GROW_UNIT: &str = "pidoop-grow.service";

/// One small idempotent unit for every release, in place of the release's own
/// machinery: that also gives the disk a new id, deletes host keys, or hangs
/// on systemd's first boot, which a node with a machine id does not have.
pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    if inputs.profile.release.is_raspberry_pi_os() {
        draft
            .remove("/etc/systemd/system/sysinit.target.wants/rpi-resize.service")
            .mask_packaged("rpi-resize.service")
            .remove("/etc/init.d/resize2fs_once")
            .remove("/etc/rc3.d/S01resize2fs_once")
            .mask("resize2fs_once.service");
    }
    draft.enable(GROW_UNIT);
}
