//! All that is proved of one profile.

use std::time::Duration;

use anyhow::{Result, ensure};
use camino::Utf8Path;

use super::Options;
use super::baked::Baked;
use super::bench::Bench;
use super::checks::{self, Evidence};
use super::cluster_file::USER;
use super::disk::{Disk, Left};
use super::facts::Facts;
use super::interrupt;
use super::ledger::Ledger;
use super::profile::Profile;
use super::progress::Progress;
use super::ssh::Ssh;
use super::workplace::Workplace;
use super::{cuts, left_on, stock, stock_debian};

/// How long a first boot takes where none was seen.
const USUAL_BOOT: Duration = Duration::from_secs(90);

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
    pub(crate) fn run(mut self, options: &Options) -> Result<()> {
        let name = self.profile.name();
        if options.stock {
            self.progress
                .say(&format!("{name}: the stock image, as it is"));
            let result = match self.profile {
                Profile::Debian => stock_debian::show(&mut self),
                _ => stock::show(&mut self),
            };
            self.done(&format!("{name} stock"), result)?;
        }
        self.progress.say(&format!("{name}: baking"));
        let baked = Baked::make(self.profile, self.workplace)?;
        if options.stock && self.profile.has_cloud_init() {
            self.progress
                .say(&format!("{name}: baked, with cloud-init left on"));
            let result = left_on::show(&mut self, &baked);
            self.done(&format!("{name} cloud-init left on"), result)?;
        }
        let mut up_after = USUAL_BOOT;
        if options.boots {
            let result = self.two_boots(&baked);
            match self.done(&format!("{name} first boot"), result)? {
                Some(seen) => up_after = seen,
                None => return Ok(()),
            }
        }
        cuts::cut(&mut self, &baked, options.cuts, options.seed, up_after)
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
        self.judge_card(&format!("{name} first boot"), baked, &bench, Left::ShutDown)?;

        self.progress.say(&format!("{name}: second boot"));
        let second = bench.boot()?;
        self.progress
            .say(&format!("{name}: up after {} s", second.as_secs()));
        self.judge(&format!("{name} second boot"), baked, &bench, 2)?;
        bench.shut_down()?;
        self.judge_card(
            &format!("{name} second boot"),
            baked,
            &bench,
            Left::ShutDown,
        )?;
        Ok(first)
    }

    /// A machine with a baked image in it.
    pub(crate) fn bench(&self, image: &Utf8Path, name: &str) -> Result<Bench> {
        Bench::with(image, name, self.workplace.logs(), false)
    }

    /// A machine with a stock image in it, which wants an address.
    pub(crate) fn bench_for_stock(&self, image: &Utf8Path) -> Result<Bench> {
        let name = format!("{}.stock", self.profile.name());
        Bench::with(image, &name, self.workplace.logs(), true)
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
    pub(crate) fn judge_card(
        &mut self,
        scene: &str,
        baked: &Baked,
        bench: &Bench,
        left: Left,
    ) -> Result<()> {
        let faults = Disk::open(bench.card())?.faults(left)?;
        let clean = || {
            ensure!(faults.is_empty(), "{}", faults.join("\n"));
            Ok(())
        };
        self.note(scene, "fsck clean", &clean());
        let result = same_ids(bench, baked, left);
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

/// The places that name the disk still do, read from outside. After a cut fstab is
/// left out: without the journal nobody can say what the filesystem is like.
fn same_ids(bench: &Bench, baked: &Baked, left: Left) -> Result<()> {
    let disk = Disk::open(bench.card())?;
    let mut places = vec![
        ("the disk id", disk.id.clone(), &baked.disk_id),
        (
            "cmdline.txt",
            disk.boot_text("cmdline.txt")?,
            &baked.cmdline,
        ),
    ];
    if left == Left::ShutDown {
        places.push(("fstab", disk.needed("/etc/fstab")?, &baked.fstab));
    }
    for (what, found, expected) in places {
        ensure!(
            found == *expected,
            "{what} is {found:?}, baked was {expected:?}"
        );
    }
    Ok(())
}
