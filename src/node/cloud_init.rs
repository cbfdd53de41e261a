//! cloud-init, kept from doing the work again.

use super::NodeInputs;
use super::draft::Draft;

/// Seeds on the firmware partition of Trixie (pi-gen `stage2/04-cloud-init`).
const SEEDS: &[&str] = &["user-data", "meta-data", "network-config"];

/// Left on, it may rename the user, delete host keys and write `/etc/hosts`
/// anew at every boot.
pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    if !inputs.profile.has("/etc/cloud") {
        return;
    }
    draft
        .file("/etc/cloud/cloud-init.disabled", "Written by pidoop.\n")
        .remove("/etc/netplan/50-cloud-init.yaml");
    for seed in SEEDS {
        draft.boot_remove(seed);
    }
}
