//! What runs on a node.

use super::NodeInputs;
use super::draft::Draft;

pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    for unit in inputs.services {
        draft.enable(unit);
    }
}

#[cfg(test)]
mod tests {

    use crate::node::Release;
    use crate::node::fake_cluster::cluster;
    use crate::node::made::Made;

    #[test]
    fn daemons_of_the_role_start_at_boot() {
        let wants = "/etc/systemd/system/multi-user.target.wants";
        let master = Made::new(Release::Trixie, &cluster(), 0);
        let link = format!("{wants}/hdfs-namenode.service");
        assert_eq!(
            master.link(&link).unwrap(),
            "/etc/systemd/system/hdfs-namenode.service"
        );
        assert!(!master.has(&format!("{wants}/hdfs-datanode.service")));
        let worker = Made::new(Release::Trixie, &cluster(), 1);
        assert!(worker.has(&format!("{wants}/hdfs-datanode.service")));
        assert!(!worker.has(&link));
    }

    #[test]
    fn what_only_takes_memory_is_masked_where_it_is() {
        let made = Made::new(Release::Trixie, &cluster(), 0);
        assert_eq!(
            made.link("/etc/systemd/system/apt-daily.timer").unwrap(),
            "/dev/null"
        );
        assert!(!made.has("/etc/systemd/system/ModemManager.service"));
    }
}
