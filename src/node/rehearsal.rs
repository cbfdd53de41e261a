//! What tells an emulator how the node is.

use super::NodeInputs;
use super::draft::Draft;

/// Reports how the node is, in the `base` overlay.
const REPORT_UNIT: &str = "pidoop-report.service";

/// Puts the cluster to work once, in the `hadoop` overlay; for the master.
const JOB_UNIT: &str = "pidoop-smoke-job.service";

/// Both wait for a word on the kernel command line that no card has, so a
/// rehearsal boots the image as it is, and a Raspberry Pi never runs them.
pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    draft.enable(REPORT_UNIT);
    if inputs.node.role.is_master() {
        draft.enable(JOB_UNIT);
    }
}

#[cfg(test)]
mod tests {

    use crate::node::Release;
    use crate::node::fake_cluster::cluster;
    use crate::node::made::Made;

    #[test]
    fn every_node_can_report_and_the_master_can_run_a_job() {
        let wants = "/etc/systemd/system/multi-user.target.wants";
        for (index, job) in [(0, true), (1, false)] {
            let made = Made::new(Release::Trixie, &cluster(), index);
            assert!(made.has(&format!("{wants}/pidoop-report.service")));
            let unit = format!("{wants}/pidoop-smoke-job.service");
            assert_eq!(made.has(&unit), job);
            assert!(!made.cmdline().contains("pidoop."), "{}", made.cmdline());
        }
    }

    #[test]
    fn the_node_knows_its_services() {
        let facts = Made::new(Release::Trixie, &cluster(), 1).text("/etc/pidoop/node.conf");
        let line = "PIDOOP_SERVICES=hdfs-datanode.service,yarn-nodemanager.service\n";
        assert!(facts.contains(line), "{facts}");
    }
}
