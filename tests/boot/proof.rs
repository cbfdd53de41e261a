//! All that is proved of one profile.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::baked::{Baked, USER};
use super::bench::Bench;
use super::checks::{self, Evidence};
use super::disk::Disk;
use super::facts::Facts;
use super::interrupt;
use super::ledger::Ledger;
use super::profile::Profile;
use super::progress::Progress;
use super::ssh::Ssh;
use super::workplace::Workplace;
use super::{cuts, left_on, stock};

/// The proofs of a profile, and where they are written down.
pub(crate) struct Proof<'a> {
    pub(crate) profile: Profile,
    pub(crate) workplace: &'a Workplace,
    pub(crate) progress: &'a mut Progress,
    pub(crate) ledger: &'a mut Ledger,
}

impl Proof<'_> {
    /// Runs them. What does not hold is written down, and the next proof goes on;
    /// an error means that there is nothing to prove with.
    pub(crate) fn run(mut self, with_stock: bool, power_cuts: u32, seed: u64) -> Result<()> {
        let name = self.profile.name();
        if with_stock && self.profile.is_raspberry_pi_os() {
            self.progress
                .say(&format!("{name}: the stock image, as it is"));
            let result = stock::show(&mut self);
            self.done(&format!("{name} stock"), result)?;
        }
        self.progress.say(&format!("{name}: baking"));
        let baked = Baked::make(self.profile, self.workplace)?;
        if with_stock && self.profile.has_cloud_init() {
            self.progress
                .say(&format!("{name}: baked, with cloud-init left on"));
            let result = left_on::show(&mut self, &baked);
            self.done(&format!("{name} cloud-init left on"), result)?;
        }
        let result = self.two_boots(&baked);
        let scene = format!("{name} first boot");
        let Some(up_after) = self.done(&scene, result)? else {
            return Ok(());
        };
        cuts::cut(&mut self, &baked, power_cuts, seed, up_after)
    }

    /// Boots a card twice. How long the first took.
    fn two_boots(&mut self, baked: &Baked) -> Result<Duration> {
        let name = self.profile.name();
        let mut bench = self.bench(&baked.image, name)?;
        self.progress.say(&format!("{name}: first boot"));
        let first = bench.boot()?;
        self.progress
            .say(&format!("{name}: up after {} s", first.as_secs()));
        self.judge(&format!("{name} first boot"), baked, &bench, 1)?;
        bench.shut_down()?;
        self.judge_card(&format!("{name} first boot"), baked, &bench)?;

        self.progress.say(&format!("{name}: second boot"));
        let second = bench.boot()?;
        self.progress
            .say(&format!("{name}: up after {} s", second.as_secs()));
        self.judge(&format!("{name} second boot"), baked, &bench, 2)?;
        bench.shut_down()?;
        self.judge_card(&format!("{name} second boot"), baked, &bench)?;
        Ok(first)
    }

    /// A machine with `image` in it.
    pub(crate) fn bench(&self, image: &camino::Utf8Path, name: &str) -> Result<Bench> {
        Bench::with(image, name, self.workplace.logs())
    }

    /// Applies every check to a machine that is up.
    pub(crate) fn judge(
        &mut self,
        scene: &str,
        baked: &Baked,
        bench: &Bench,
        boots: usize,
    ) -> Result<()> {
        self.note(scene, "up", &Ok(()));
        let ssh = Ssh {
            user: USER.to_owned(),
            key: self.workplace.key().into(),
            known_hosts: baked.known_hosts.clone().into(),
        };
        let facts = Facts::ask(bench, &ssh)?;
        let evidence = Evidence {
            baked,
            facts: &facts,
            card_bytes: bench.card_bytes(),
            boots,
        };
        for (name, check) in checks::of_running(self.profile) {
            let result = check(&evidence);
            self.note(scene, name, &result);
        }
        Ok(())
    }

    /// Looks at the card of a machine that is off.
    pub(crate) fn judge_card(&mut self, scene: &str, baked: &Baked, bench: &Bench) -> Result<()> {
        let faults = Disk::open(bench.card())?.faults()?;
        let clean = || {
            ensure!(faults.is_empty(), "{}", faults.join("\n"));
            Ok(())
        };
        self.note(scene, "fsck clean", &clean());
        let result = same_ids(bench, baked);
        self.note(scene, "disk id on the card", &result);
        Ok(())
    }

    /// Writes down a result.
    pub(crate) fn note(&mut self, scene: &str, check: &str, result: &Result<()>) {
        let line = self.ledger.note(scene, check, result);
        self.progress.say(&line);
    }

    /// What a story came to; its early end is written down as one more failure.
    pub(crate) fn done<T>(&mut self, scene: &str, result: Result<T>) -> Result<Option<T>> {
        // A signal ends everything.
        interrupt::check()?;
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.note(scene, "the story ends well", &Err(error));
                Ok(None)
            }
        }
    }
}

/// The three places that name the disk still do, read from outside.
fn same_ids(bench: &Bench, baked: &Baked) -> Result<()> {
    let disk = Disk::open(bench.card())?;
    for (what, found, expected) in [
        ("the disk id", disk.id.clone(), &baked.disk_id),
        ("fstab", disk.needed("/etc/fstab")?, &baked.fstab),
        (
            "cmdline.txt",
            disk.boot_text("cmdline.txt")?,
            &baked.cmdline,
        ),
    ] {
        ensure!(
            found == *expected,
            "{what} is {found:?}, baked was {expected:?}"
        );
    }
    Ok(())
}
