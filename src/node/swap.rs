//! Swap in compressed memory, or none; never on the card.

use super::draft::Draft;
use super::{NodeInputs, Release};
use crate::cluster::Swap;

/// Our own unit for it, in the `base` overlay.
pub(super) const ZRAM_UNIT: &str = "pidoop-zram.service";

pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    let profile = inputs.profile;
    if profile.has("/etc/rpi/swap.conf") || profile.release == Release::Trixie {
        // Up to 2 GiB would be written to the card at first boot (rpi-swap).
        draft
            .file(
                "/etc/rpi/swap.conf.d/90-pidoop.conf",
                "# Written by pidoop.\n[Main]\nMechanism=none\n",
            )
            .mask_packaged("rpi-resize-swap-file.service");
    }
    if profile.has("/etc/dphys-swapfile") {
        draft
            .remove("/etc/systemd/system/multi-user.target.wants/dphys-swapfile.service")
            .mask("dphys-swapfile.service");
    }
    draft.remove("/var/swap");
    if inputs.cluster.settings.swap == Swap::Zram {
        draft.enable(ZRAM_UNIT);
    }
}
