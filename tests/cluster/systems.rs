//! The chapters about the systems: whole, themselves, open to the right people.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};

use super::cluster_file::{self, MASTER, WORKERS};
use super::scenario::Story;

impl Story<'_> {
    /// Each system started whole and is the node it should be. Gives what must
    /// stay as it is for ever.
    pub(crate) fn systems_are_well(
        &mut self,
        boots: usize,
    ) -> Result<BTreeMap<&'static str, String>> {
        self.no_unit_failed()?;
        let mut identities = BTreeMap::new();
        let mut hosts = BTreeSet::new();
        for entry in cluster_file::nodes() {
            let ask = |command: &str| self.cluster.user(entry, command);
            let name = entry.name;
            let hostname = ask("hostname")?;
            ensure!(hostname == name, "{name} calls itself {hostname}");
            hosts.insert(ask("cat /etc/hosts")?);

            let kept = ask("sudo journalctl --quiet --no-pager --list-boots | wc -l")?;
            let place = ask("sudo ls /var/log/journal/$(cat /etc/machine-id)")?;
            ensure!(
                place.contains("system.journal") && kept == boots.to_string(),
                "{name} kept the journal of {kept} boots, not {boots}; it has {place}"
            );
            let key = ask("cat /etc/ssh/ssh_host_ed25519_key.pub")?;
            let id = ask("cat /etc/machine-id")?;
            identities.insert(name, format!("{id} {key}"));
        }
        self.progress
            .holds("every system has its name and keeps its journal");

        let hosts: Vec<_> = hosts.into_iter().collect();
        ensure!(
            hosts.len() == 1,
            "hosts files differ:\n{}",
            hosts.join("\n---\n")
        );
        ensure!(
            !hosts[0].contains("127.0.1.1"),
            "127.0.1.1 is back:\n{}",
            hosts[0]
        );
        self.progress
            .holds("the hosts file is the same everywhere, without 127.0.1.1");

        let parts = identities.values().flat_map(|all| {
            let (id, key) = all.split_once(' ').unwrap_or((all, ""));
            // Type, then the key itself; the comment may be the node's name.
            [id, key.split(' ').nth(1).unwrap_or_default()]
        });
        let different = parts.collect::<BTreeSet<_>>().len();
        ensure!(
            different == 2 * identities.len(),
            "nodes share an identity: {identities:?}"
        );
        self.progress.holds("machine ids and host keys differ");
        Ok(identities)
    }

    pub(crate) fn no_unit_failed(&mut self) -> Result<()> {
        for entry in cluster_file::nodes() {
            let ask = |command: &str| self.cluster.user(entry, command);
            // Waits for the end of the boot; what is wrong the next one tells.
            ask("systemctl is-system-running --wait || true")?;
            let failed = ask("systemctl list-units --failed --plain --no-legend")?;
            ensure!(
                failed.is_empty(),
                "units that failed on {}:\n{failed}",
                entry.name
            );
        }
        self.progress.holds("every system booted whole");
        Ok(())
    }

    /// Every login of this test proves the user's; here are the others.
    pub(crate) fn doors_open_to_the_right_people(&mut self) -> Result<()> {
        let stranger = self
            .cluster
            .ssh
            .with_key(self.workshop.key_pair("stranger")?);
        for entry in cluster_file::nodes() {
            let output = stranger.run(entry.address, "true").run()?;
            ensure!(
                output.words().contains("Permission denied"),
                "a key that {} does not know got: {}",
                entry.name,
                output.words()
            );
        }
        self.progress.holds("a stranger's key opens nothing");

        for worker in WORKERS {
            let login = format!(
                "ssh -T -o StrictHostKeyChecking=yes -o BatchMode=yes {} 'id -un; hostname'",
                worker.name
            );
            let who = self.cluster.hadoop_text(MASTER, &login)?;
            ensure!(
                who == format!("hadoop\n{}", worker.name),
                "{login} became {who:?}"
            );
        }
        self.progress
            .holds("hadoop gets from the master to the workers, no questions asked");
        Ok(())
    }
}
