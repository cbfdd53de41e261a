//! Swap in compressed memory, or none; never on the card.

use super::NodeInputs;
use super::draft::Draft;
use crate::cluster::Swap;

/// Our own unit for it, in the `base` overlay.
pub(super) const ZRAM_UNIT: &str = "pidoop-zram.service";

pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    draft.remove("/var/swap");
    if inputs.cluster.settings.swap == Swap::Zram {
        draft.enable(ZRAM_UNIT);
    }
}
