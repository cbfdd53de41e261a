//! `capacity-scheduler.xml`, without which the ResourceManager does not start.

use super::ConfigInputs;
use super::site::SiteProperties;

/// One queue that anybody may use whole.
pub(super) fn properties(inputs: &ConfigInputs<'_>) -> SiteProperties {
    let mut site = SiteProperties::default();
    let mut set = |key: &str, value: &str| {
        site.set(&format!("yarn.scheduler.capacity.{key}"), value);
    };
    set("root.queues", "default");
    set("root.default.capacity", "100");
    set("root.default.maximum-capacity", "100");
    set("root.default.user-limit-factor", "1");
    set("root.default.state", "RUNNING");
    set("root.default.acl_submit_applications", "*");
    set("root.default.acl_administer_queue", "*");
    set("maximum-applications", "100");
    // The share of memory ApplicationMasters may take together. A tenth, as
    // Hadoop ships it, holds back the second job on a cluster of Pis.
    set("maximum-am-resource-percent", "0.5");
    let calculator = if inputs.memory.scheduler.cores_count {
        "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator"
    } else {
        "org.apache.hadoop.yarn.util.resource.DefaultResourceCalculator"
    };
    set("resource-calculator", calculator);
    // How many chances to schedule are passed over for a node with the data:
    // about one for each node.
    set("node-locality-delay", &inputs.worker_count().to_string());
    site
}
