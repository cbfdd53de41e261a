//! Boot proofs: what pidoop bakes survives the first boot of each release.
//!
//! Images that behave like Raspberry Pi OS Bullseye, Bookworm and Trixie, and a
//! plain Debian, are baked and booted in QEMU from the card, twice, with checks
//! after each boot and of the card behind it; then the power of first boots is cut
//! at random moments. Beside that each stock image is booted as it is, to see that
//! its first boot really does what the checks look for.
//!
//! Needs QEMU and large inputs; `scripts/boot-proof` provides both and runs it.
//! Nothing here needs root. No packet leaves the machines' own network.

mod baked;
mod bench;
#[path = "../it/support/chance.rs"]
mod chance;
mod checks;
#[path = "../cluster/cluster_file.rs"]
#[allow(dead_code, reason = "the cluster test uses all of it")]
mod cluster_file;
mod cuts;
mod disk;
mod facts;
mod inputs;
#[path = "../cluster/interrupt.rs"]
#[allow(dead_code, reason = "the cluster test uses all of it")]
mod interrupt;
mod ledger;
mod left_on;
mod profile;
#[path = "../cluster/program.rs"]
#[allow(dead_code, reason = "the cluster test uses all of it")]
mod program;
#[path = "../cluster/progress.rs"]
#[allow(dead_code, reason = "the cluster test uses all of it")]
mod progress;
mod proof;
#[path = "../cluster/ssh.rs"]
#[allow(dead_code, reason = "the cluster test uses all of it")]
mod ssh;
mod stock;
mod stock_debian;
mod stock_probe;
mod workplace;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use ledger::Ledger;
use profile::Profile;
use progress::Progress;
use workplace::Workplace;

const USAGE: &str = "\
usage: cargo test --test boot -- [OPTION...] [PROFILE...]

  PROFILE     bullseye, bookworm, trixie or debian; all by default
  --cuts N    cut the power of N first boots of each profile (default 3)
  --seed N    of the moments of the cuts (default: the time)
  --no-stock  leave out the boots of stock images
  --no-boots  leave out the two boots that nobody disturbs
  --in DIR    work in DIR and leave everything there";

/// Power cuts of each profile unless said otherwise: twelve of all.
const CUTS: u32 = 3;

/// What the command line asks for.
pub(crate) struct Options {
    profiles: Vec<Profile>,
    pub(crate) cuts: u32,
    pub(crate) seed: u64,
    pub(crate) stock: bool,
    pub(crate) boots: bool,
    directory: Option<PathBuf>,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let mut options = Self {
            profiles: Vec::new(),
            cuts: CUTS,
            seed: now.as_secs(),
            stock: true,
            boots: true,
            directory: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().context(USAGE);
            match word.as_str() {
                "--cuts" => options.cuts = value()?.parse().context(USAGE)?,
                "--seed" => options.seed = value()?.parse().context(USAGE)?,
                "--no-stock" => options.stock = false,
                "--no-boots" => options.boots = false,
                "--in" => options.directory = Some(std::path::absolute(value()?)?),
                name => match Profile::named(name) {
                    Some(profile) => options.profiles.push(profile),
                    None => bail!("{name:?} means nothing here\n{USAGE}"),
                },
            }
        }
        if options.profiles.is_empty() {
            options.profiles = Profile::ALL.to_vec();
        }
        Ok(options)
    }
}

fn main() -> ExitCode {
    let mut progress = Progress::start();
    match Options::parse(std::env::args().skip(1)).and_then(|options| run(&options, &mut progress))
    {
        Ok(code) => code,
        Err(error) => {
            progress.say(&format!("cannot run: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options, progress: &mut Progress) -> Result<ExitCode> {
    interrupt::listen()?;
    for profile in &options.profiles {
        inputs::Inputs::find(*profile)?;
    }
    let workplace = Workplace::open(options.directory.as_deref())?;
    progress.say(&format!(
        "{} with {} power cuts each, seed {}",
        options
            .profiles
            .iter()
            .map(|profile| profile.name())
            .collect::<Vec<_>>()
            .join(", "),
        options.cuts,
        options.seed
    ));
    let mut ledger = Ledger::default();
    for profile in &options.profiles {
        let proof = proof::Proof {
            profile: *profile,
            workplace: &workplace,
            progress,
            ledger: &mut ledger,
        };
        proof.run(options)?;
    }
    progress.say(&ledger.to_string());
    workplace.close(progress)?;
    Ok(ledger.finish())
}
