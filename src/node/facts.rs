//! What scripts on the node may know of it.

use super::NodeInputs;
use super::context::Paths;
use super::draft::Draft;

/// Lines that a shell and systemd's `EnvironmentFile=` both read: names,
/// addresses and lists of them with commas, so nothing needs quotes.
pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    let (cluster, node) = (inputs.cluster, inputs.node);
    draft.file(
        Paths::DEFAULT.node_facts,
        format!(
            "# Written by pidoop.\n\
             PIDOOP_CLUSTER={}\n\
             PIDOOP_NODE={}\n\
             PIDOOP_ROLE={}\n\
             PIDOOP_ADDRESS={}\n\
             PIDOOP_MASTER={}\n\
             PIDOOP_SERVICES={}\n\
             PIDOOP_USER={}\n",
            cluster.name,
            node.name,
            node.role,
            node.address,
            cluster.master().name,
            inputs.services.join(","),
            cluster.access.user,
        ),
    );
    if node.role.is_master() {
        draft.file(
            Paths::DEFAULT.cluster_id,
            format!("{}\n", inputs.key.cluster_id()),
        );
    }
}
