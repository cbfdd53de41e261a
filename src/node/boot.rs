//! What the firmware reads, and who a node's disk is.

use super::NodeInputs;
use super::draft::Draft;
use super::network::COUNTRY;
use crate::edit::TextEdit;
use crate::edit::text::CmdlineEdit;

/// Without it no unit's memory limit counts.
const MEMORY_CGROUP: &str = "cgroup_enable=memory";

/// Memory for the GPU, in MiB: the least the firmware takes. A node has no
/// screen; without this it keeps 64 or 76. The Pi 5 has no such setting.
const GPU_MEM: &str = "gpu_mem=16";

pub(super) fn write(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    // Raspberry Pi's device trees switch the memory controller off, without
    // which no unit's memory limit counts (raspberrypi/linux #6980).
    for change in [
        CmdlineEdit::Remove("cgroup_disable=memory".to_owned()),
        CmdlineEdit::Ensure(MEMORY_CGROUP.to_owned()),
    ] {
        draft.boot_edit("cmdline.txt", TextEdit::Cmdline(change));
    }
    if inputs.profile.release.is_raspberry_pi_os() && !inputs.node.board.name.starts_with("pi5") {
        let line = GPU_MEM.to_owned();
        draft.boot_edit("config.txt", TextEdit::ConfigLine { line });
    }
    keep_through_updates(inputs, draft);
    disk_id(inputs, draft);
    // Nothing a running node needs is on the firmware partition. Without this
    // a slow or damaged one ends the boot at an emergency prompt, on a machine
    // that has no screen (systemd.mount(5)).
    if let Some(mount_point) = &inputs.profile.boot_mount {
        let (mount_point, add) = (mount_point.to_string(), vec!["nofail".to_owned()]);
        let remove = Vec::new();
        draft.edit(
            "/etc/fstab",
            TextEdit::FstabOptions {
                mount_point,
                add,
                remove,
            },
        );
    }
    let machine_id = inputs.key.machine_id(&inputs.node.name);
    // With an id of its own a node has no "first boot" in systemd's sense: no
    // unit with ConditionFirstBoot runs and no preset is applied.
    draft.file("/etc/machine-id", format!("{machine_id}\n"));
    draft.link("/var/lib/dbus/machine-id", "/etc/machine-id");
}

/// Debian writes cmdline.txt anew with each kernel, and adds what this file
/// has (raspi-firmware, `kernel/postinst.d/z50-raspi-firmware`). The package
/// of the same name in Raspberry Pi OS leaves the line alone.
fn keep_through_updates(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    const EXTRA: &str = "/etc/default/raspi-extra-cmdline";
    let profile = inputs.profile;
    if profile.release.is_raspberry_pi_os() || !profile.has("/etc/default/raspi-firmware") {
        return;
    }
    let mut words = vec![MEMORY_CGROUP.to_owned()];
    if let Some(wifi) = inputs
        .cluster
        .network
        .wifi
        .as_ref()
        .filter(|_| inputs.node.wifi)
    {
        words.push(format!("{COUNTRY}={}", wifi.country));
    }
    if profile.has(EXTRA) {
        for word in words {
            draft.edit(EXTRA, TextEdit::Cmdline(CmdlineEdit::Ensure(word)));
        }
    } else {
        draft.file(EXTRA, format!("{}\n", words.join(" ")));
    }
}

/// The new id in both files that name the old one; the MBR's own four bytes
/// are set with the partition table.
fn disk_id(inputs: &NodeInputs<'_>, draft: &mut Draft<'_>) {
    let Some(before) = inputs.profile.disk_id else {
        return;
    };
    let replace = TextEdit::ReplaceWord {
        from: before.to_string(),
        to: inputs.key.disk_id(&inputs.node.name).to_string(),
    };
    draft
        .edit("/etc/fstab", replace.clone())
        .boot_edit("cmdline.txt", replace);
}

#[cfg(test)]
mod tests {

    use rstest::rstest;

    use super::*;
    use crate::cluster::Board;
    use crate::node::fake_cluster::cluster;
    use crate::node::made::Made;
    use crate::node::reader::Reader;
    use crate::node::{ClusterKey, Release};

    #[rstest]
    #[case(
        Release::Bullseye,
        "console=serial0,115200 console=tty1 root=PARTUUID=5f69fdf4-02 \
    rootfstype=ext4 fsck.repair=yes rootwait cgroup_enable=memory"
    )]
    #[case(
        Release::Trixie,
        "console=serial0,115200 console=tty1 root=PARTUUID=5f69fdf4-02 \
    rootfstype=ext4 fsck.repair=yes rootwait cgroup_enable=memory"
    )]
    fn the_command_line_loses_its_triggers(#[case] release: Release, #[case] expected: &str) {
        let made = Made::new(release, &cluster(), 1);
        let cmdline = made.cmdline();
        assert_eq!(cmdline.trim_end(), expected);
        // The release's scripts match these anywhere (raspberrypi-sys-mods).
        assert!(
            !cmdline.contains(" resize") && !cmdline.contains("firstboot"),
            "{cmdline}"
        );
    }

    #[test]
    fn the_disk_has_one_id_in_every_file() {
        let made = Made::new(Release::Bookworm, &cluster(), 2);
        let id = ClusterKey::new([7; 32]).disk_id(&cluster().nodes[2].name);
        let fstab = made.text("/etc/fstab");
        for partition in [1, 2] {
            assert!(
                fstab.contains(&format!("PARTUUID={} /", id.part_uuid(partition))),
                "{fstab}"
            );
        }
        assert!(
            made.cmdline()
                .contains(&format!("root=PARTUUID={} ", id.part_uuid(2)))
        );
        assert!(!fstab.contains("50a7d0a6"), "{fstab}");
    }

    #[test]
    fn each_node_has_a_machine_id_of_its_own() {
        let ids = [0, 1, 2]
            .map(|index| Made::new(Release::Trixie, &cluster(), index).text("/etc/machine-id"));
        assert!(ids.iter().all(|id| id.len() == 33));
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    }

    #[rstest]
    #[case("pi4-4gb", Release::Trixie, true)]
    #[case("pi5-8gb", Release::Trixie, false)]
    #[case("pi4-4gb", Release::Debian13, false)]
    fn the_gpu_gets_little_where_it_can_be_said(
        #[case] board: &str,
        #[case] release: Release,
        #[case] expected: bool,
    ) {
        let mut cluster = cluster();
        cluster.nodes[0].board = Board::named(board).unwrap();
        let made = Made::new(release, &cluster, 0);
        let config = Reader(&made.boot).text("/config.txt").unwrap().unwrap();
        assert_eq!(config.contains(GPU_MEM), expected, "{config}");
    }
}
