//! Everything that makes a copy of the layer one node.

use thiserror::Error;

use super::draft::Draft;
use super::{
    AuthorizedKey, ClusterKey, IdentityError, Passphrase, Profile, boot, clock, facts, growth,
    habits, hosts, journal, locale, network, rehearsal, services, ssh, storage, swap, users,
    wizard,
};
use crate::cluster::{Cluster, Node};
use crate::edit::{Edits, ImagePathError};

/// What a personality is made from.
#[derive(Clone, Copy, Debug)]
pub struct NodeInputs<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The node of it that is made.
    pub node: &'a Node,
    /// What the base image is.
    pub profile: &'a Profile,
    /// The cluster's secret.
    pub key: &'a ClusterKey,
    /// Who may log in as the user.
    pub authorized_keys: &'a [AuthorizedKey],
    /// The secret of the Wi-Fi network, if nodes are on one.
    pub passphrase: Option<&'a Passphrase>,
    /// Units that start at boot, by name: those of the node's role.
    pub services: &'a [String],
    /// The moment every inode is dated with, in seconds since 1970; the clock
    /// of a board without battery starts there.
    pub epoch: i64,
}

/// Why a node cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Nobody could log in.
    #[error(
        "nobody could log in: give access.authorized_keys a public key, or access.password_hash \
         a hash"
    )]
    NoWayIn,
    /// The chosen user name belongs to a system account.
    #[error(
        "the base image has a user {name} with uid {uid} already; choose another name in \
         access.user"
    )]
    UserTaken {
        /// The name.
        name: String,
        /// Whose it is.
        uid: u32,
    },
    /// The chosen user name belongs to a group that has nothing to do with it.
    #[error(
        "the base image has a group {name} with gid {gid} already, and the user needs one of its \
         name; choose another name in access.user"
    )]
    GroupTaken {
        /// The name.
        name: String,
        /// Whose it is.
        gid: u32,
    },
    /// No id is left for a user.
    #[error("the base image has no free id between 1000 and 59999 for the user {0}")]
    NoFreeId(&'static str),
    /// A time zone the base does not have.
    #[error("the base image has no time zone {zone}{}", help(.near))]
    Timezone {
        /// What was asked for.
        zone: String,
        /// A similar one.
        near: Option<String>,
    },
    /// A base without time zones.
    #[error(
        "the base image has no time zones; set settings.timezone = \"Etc/UTC\", or install the \
         package tzdata in the image"
    )]
    NoZones,
    /// A locale the base does not have compiled.
    #[error(
        "the locale {locale} is not compiled in the base image, and that cannot be done offline; \
         take one of: {}",
        .compiled.join(", ")
    )]
    Locale {
        /// What was asked for.
        locale: String,
        /// What there is.
        compiled: Vec<String>,
    },
    /// A node on Wi-Fi whose base cannot be.
    #[error(
        "{node} cannot be on Wi-Fi: {reason}; {remedy}, or give {node} a cable (leave out `wifi = true`)"
    )]
    Wifi {
        /// Which node.
        node: String,
        /// Why not.
        reason: &'static str,
        /// What would change it.
        remedy: &'static str,
    },
    /// A moment outside the calendar.
    #[error("{0} seconds since 1970 is no date a clock can be set to")]
    Epoch(i64),
    /// A name that makes no path; a defect, not a mistake of the user.
    #[error(transparent)]
    Path(#[from] ImagePathError),
    /// A key that could not be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

fn help(near: &Option<String>) -> String {
    match near {
        Some(near) => format!("; did you mean {near}?"),
        None => String::new(),
    }
}

/// The edits that turn a copy of the layer into this node, beside what
/// overlays and Hadoop's configuration bring.
///
/// # Errors
/// A [`NodeError`] that says what to change.
pub fn personality(inputs: &NodeInputs<'_>) -> Result<Edits, NodeError> {
    let mut draft = Draft::new(inputs.profile);
    habits::write(inputs, &mut draft);
    users::write(inputs, &mut draft)?;
    ssh::write(inputs, &mut draft)?;
    hosts::write(inputs, &mut draft);
    network::write(inputs, &mut draft)?;
    boot::write(inputs, &mut draft);
    growth::write(&mut draft);
    wizard::write(inputs, &mut draft);
    clock::write(inputs, &mut draft)?;
    journal::write(inputs, &mut draft);
    swap::write(inputs, &mut draft);
    locale::write(inputs, &mut draft)?;
    facts::write(inputs, &mut draft);
    storage::write(inputs, &mut draft)?;
    services::write(inputs, &mut draft);
    rehearsal::write(inputs, &mut draft);
    draft.finish()
}

#[cfg(test)]
mod tests {

    use rstest::rstest;

    use super::*;
    use crate::cluster::Swap;
    use crate::node::Release;
    use crate::node::fake_base::base;
    use crate::node::fake_cluster::{EPOCH, cluster, with_inputs};
    use crate::node::made::Made;

    fn edits(release: Release, cluster: &Cluster, index: usize) -> Result<Edits, NodeError> {
        let (root, boot) = base(release);
        let profile = Profile::detect(&root, &boot).unwrap();
        with_inputs(cluster, index, &profile, personality)
    }

    #[rstest]
    fn applying_a_personality_twice_changes_nothing(
        #[values(
            Release::Bullseye,
            Release::Bookworm,
            Release::Trixie,
            Release::Debian12,
            Release::Debian13
        )]
        release: Release,
    ) {
        let cluster = cluster();
        let mut made = Made::new(release, &cluster, 1);
        let (root, boot) = (made.root.clone(), made.boot.clone());
        made.apply(&edits(release, &cluster, 1).unwrap());
        assert!(
            made.root.diff(&root).is_empty(),
            "{:?}",
            made.root.diff(&root)
        );
        assert!(made.boot.diff(&boot).is_empty());
    }

    #[test]
    fn the_wizard_and_cloud_init_have_nothing_left_to_do() {
        let made = Made::new(Release::Trixie, &cluster(), 0);
        assert_eq!(
            made.link("/etc/systemd/system/userconfig.service").unwrap(),
            "/dev/null"
        );
        assert_eq!(
            made.link("/etc/systemd/system/getty.target.wants/getty@tty1.service")
                .unwrap(),
            "/usr/lib/systemd/system/getty@.service"
        );
        assert!(made.has("/etc/cloud/cloud-init.disabled"));
        let debian = Made::new(Release::Debian13, &cluster(), 0);
        assert!(!debian.has("/etc/cloud") && !debian.has("/etc/systemd/system/userconfig.service"));
    }

    #[test]
    fn seeds_on_the_firmware_partition_go() {
        let cluster = cluster();
        let (root, boot) = base(Release::Trixie);
        let seeds = [
            "ssh",
            "userconf.txt",
            "user-data",
            "network-config",
            "custom.toml",
            "FIRSTRUN.SH",
        ];
        let boot = seeds
            .iter()
            .fold(boot, |boot, seed| boot.file(&format!("/{seed}"), "x"));
        let profile = Profile::detect(&root, &boot).unwrap();
        let edits = with_inputs(&cluster, 0, &profile, |inputs| personality(inputs).unwrap());
        let mut made = Made {
            root: crate::edit::Tree::read_from(&root).unwrap(),
            boot: crate::edit::Tree::read_from(&boot).unwrap(),
        };
        made.apply(&edits);
        let names: Vec<String> = made.boot.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(names, ["/", "/cmdline.txt", "/config.txt"]);
    }

    #[test]
    fn clocks_start_at_the_epoch_and_follow_the_master() {
        let cluster = cluster();
        let made = Made::new(Release::Bookworm, &cluster, 1);
        assert_eq!(made.text("/etc/fake-hwclock.data"), "2026-09-15 00:00:00\n");
        assert_eq!(EPOCH % 86_400, 0);
        let servers = made.text("/etc/systemd/timesyncd.conf.d/10-pidoop.conf");
        assert!(
            servers.contains("NTP=master 0.debian.pool.ntp.org "),
            "{servers}"
        );
        assert!(servers.ends_with(" 192.168.1.1\n"), "{servers}");
        assert_eq!(
            made.attributes("/var/lib/systemd/timesync/clock"),
            "0644 996:996"
        );
        let time = "/etc/systemd/system/multi-user.target.wants/pidoop-time.service";
        assert!(!made.has(time));
        let mut own = cluster.clone();
        own.network.ntp = vec!["ntp.lan".to_owned()];
        let master = Made::new(Release::Trixie, &own, 0);
        let servers = master.text("/etc/systemd/timesyncd.conf.d/10-pidoop.conf");
        assert!(servers.ends_with("[Time]\nNTP=ntp.lan\n"), "{servers}");
        assert!(master.has(time) && !master.has("/etc/fake-hwclock.data"));
        let wait = "/etc/systemd/system/systemd-time-wait-sync.service.d/10-pidoop.conf";
        assert!(
            master
                .text(wait)
                .contains("ExecStart=-/usr/bin/timeout 60 /usr/lib/systemd/")
        );
    }

    #[test]
    fn the_journal_is_kept_and_bounded() {
        let mut cluster = cluster();
        cluster.settings.journal_mib = 77;
        let made = Made::new(Release::Trixie, &cluster, 1);
        let text = made.text("/etc/systemd/journald.conf.d/90-pidoop.conf");
        assert!(
            text.ends_with("Storage=persistent\nSystemMaxUse=77M\n"),
            "{text}"
        );
        assert_eq!(made.attributes("/var/log/journal"), "2755 0:999");
    }

    #[rstest]
    #[case(Swap::Zram, true)]
    #[case(Swap::None, false)]
    fn nothing_swaps_to_the_card(#[case] swap: Swap, #[case] zram: bool) {
        let mut cluster = cluster();
        cluster.settings.swap = swap;
        let trixie = Made::new(Release::Trixie, &cluster, 1);
        assert!(
            trixie
                .text("/etc/rpi/swap.conf.d/90-pidoop.conf")
                .contains("Mechanism=none")
        );
        let link = "/etc/systemd/system/multi-user.target.wants/pidoop-zram.service";
        assert_eq!(trixie.has(link), zram);
        let bookworm = Made::new(Release::Bookworm, &cluster, 1);
        let mask = "/etc/systemd/system/dphys-swapfile.service";
        assert_eq!(bookworm.link(mask).unwrap(), "/dev/null");
    }

    #[test]
    fn the_card_is_filled_by_our_own_unit_alone() {
        let made = Made::new(Release::Trixie, &cluster(), 1);
        let link = "/etc/systemd/system/multi-user.target.wants/pidoop-grow.service";
        assert_eq!(
            made.link(link).unwrap(),
            "/etc/systemd/system/pidoop-grow.service"
        );
        let mask = "/etc/systemd/system/rpi-resize.service";
        assert_eq!(made.link(mask).unwrap(), "/dev/null");
        let made = Made::new(Release::Bookworm, &cluster(), 1);
        let mask = "/etc/systemd/system/resize2fs_once.service";
        assert_eq!(made.link(mask).unwrap(), "/dev/null");
    }

    #[test]
    fn places_and_language_are_set() {
        let made = Made::new(Release::Trixie, &cluster(), 0);
        assert_eq!(
            made.link("/etc/localtime").unwrap(),
            "/usr/share/zoneinfo/Europe/London"
        );
        assert_eq!(made.text("/etc/timezone"), "Europe/London\n");
        assert_eq!(made.text("/etc/default/locale"), "LANG=en_GB.UTF-8\n");
    }

    #[rstest]
    #[case("Europe/Lodnon", "en_GB.UTF-8", "did you mean Europe/London?")]
    #[case("Mars/Olympus", "en_GB.UTF-8", "has no time zone Mars/Olympus")]
    #[case(
        "Etc/UTC",
        "de_DE.UTF-8",
        "take one of: C.UTF-8, C, POSIX, en_GB.UTF-8"
    )]
    fn what_the_base_does_not_have_is_refused(
        #[case] zone: &str,
        #[case] locale: &str,
        #[case] expected: &str,
    ) {
        let mut cluster = cluster();
        cluster.settings.timezone = zone.to_owned();
        cluster.settings.locale = locale.to_owned();
        let message = edits(Release::Trixie, &cluster, 0).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains("Mars/Olympus;"), "{message}");
    }

    #[test]
    fn a_base_without_zones_is_at_utc_or_refused() {
        let mut cluster = cluster();
        let (root, boot) = base(Release::Debian13);
        let root = root.without("/usr/share/zoneinfo");
        let profile = Profile::detect(&root, &boot).unwrap();
        let error = with_inputs(&cluster, 0, &profile, |inputs| {
            personality(inputs).unwrap_err()
        });
        assert!(matches!(error, NodeError::NoZones), "{error}");
        cluster.settings.timezone = "Etc/UTC".to_owned();
        assert!(with_inputs(&cluster, 0, &profile, personality).is_ok());
    }

    #[test]
    fn the_master_alone_knows_the_cluster_id() {
        let cluster = cluster();
        let master = Made::new(Release::Trixie, &cluster, 0);
        assert!(master.text("/etc/pidoop/cluster-id").starts_with("CID-"));
        let facts = master.text("/etc/pidoop/node.conf");
        assert!(facts.contains("PIDOOP_ROLE=master\n") && facts.contains("PIDOOP_USER=keeper\n"));
        assert!(!Made::new(Release::Trixie, &cluster, 1).has("/etc/pidoop/cluster-id"));
    }

    #[test]
    fn data_directories_are_baked_empty() {
        let cluster = cluster();
        let master = Made::new(Release::Trixie, &cluster, 0);
        assert_eq!(
            master.attributes("/var/lib/hadoop/hdfs/name"),
            "0700 1001:1001"
        );
        assert!(!master.has("/var/lib/hadoop/hdfs/name/current"));
        assert!(!master.has("/var/lib/hadoop/hdfs/data") && !master.has("/var/lib/hadoop/yarn"));
        let worker = Made::new(Release::Trixie, &cluster, 1);
        assert_eq!(
            worker.attributes("/var/lib/hadoop/hdfs/data"),
            "0700 1001:1001"
        );
        assert_eq!(
            worker.attributes("/var/lib/hadoop/yarn/local"),
            "0755 1001:1001"
        );
        assert_eq!(worker.attributes("/var/log/hadoop"), "0755 1001:1001");
        assert!(!worker.has("/var/lib/hadoop/hdfs/name"));
    }
}
