//! Stock images of Raspberry Pi OS, booted as they are: the hazards are real.
//!
//! Without this, a check of a baked image would hold of an image that does nothing
//! at its first boot as well.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use pidoop::boot::{Event, Report};

use super::bench::Bench;
use super::disk::Disk;
use super::inputs::Inputs;
use super::interrupt::{self, NotYet};
use super::profile::Profile;
use super::program::Program;
use super::proof::Proof;
use super::stock_probe::{self, state, swaps};
use super::workplace::utf8;

/// How long the wizard has to stand in the way before it is taken at its word.
const PATIENCE: Duration = Duration::from_secs(45);

/// How long a boot may take until the wizard is reached.
const BOOT: Duration = Duration::from_secs(1200);

const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

/// Boots a stock image with a host key put in, and sees what becomes of it.
pub(crate) fn show(proof: &mut Proof<'_>) -> Result<()> {
    let profile = proof.profile;
    let name = format!("{} stock", profile.name());
    let base = utf8(Inputs::find(profile)?.base)?;
    let mut bench = proof.bench_for_stock(&base)?;
    let before = Disk::open(bench.card())?;
    let scratch = proof.workplace.directory("stock")?;
    stock_probe::insert(&before, &scratch)?;
    let key = plant(&before, &scratch)?;

    bench.guest.switch_on()?;
    let report = wait_for_wizard(&mut bench)?;
    let on_for = bench.guest.on_for().as_secs();
    proof
        .progress
        .say(&format!("{name}: the wizard was reached within {on_for} s"));
    let mut note = |check: &str, result: Result<()>| proof.note(&name, check, &result);
    note("the wizard holds up the boot", Ok(()));
    note("it swaps to the card", swaps_to_card(&report));
    bench.guest.shut_down(Duration::from_secs(300));
    // Its power may have been cut: the journal has to be replayed first.
    repair(bench.card(), &before)?;

    let after = Disk::open(bench.card())?;
    note("it changes the disk id", new_id(&before.id, &after));
    note("it makes host keys anew", new_keys(&key, &after));
    note(
        "it fills the card",
        filled(&before, &after, bench.card_bytes()),
    );
    note("its triggers are gone", triggers_gone(profile, &after));
    if profile.has_cloud_init() {
        note("cloud-init runs", cloud_init_ran(&after));
    }
    Ok(())
}

/// Puts a host key into the card. Its text.
fn plant(disk: &Disk, scratch: &Utf8Path) -> Result<String> {
    let file: Utf8PathBuf = scratch.join("hostkey");
    if !file.exists() {
        Program::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "baked", "-f"])
            .arg(&file)
            .output()?;
    }
    let mut commands = stock_probe::put(&file, HOST_KEY, "0100600");
    commands.push_str(&stock_probe::put(
        &file.with_extension("pub"),
        &format!("{HOST_KEY}.pub"),
        "0100644",
    ));
    disk.write(&commands)?;
    Ok(fs_err::read_to_string(&file)?)
}

/// Waits until the wizard asks its question, and goes on to ask it.
fn wait_for_wizard(bench: &mut Bench) -> Result<Report> {
    let mut last: Option<Report> = None;
    let mut asked: Option<Instant> = None;
    let result = interrupt::until("the wizard to hold up the boot", BOOT, || {
        bench.look(&mut last)?;
        let Some(report) = &last else {
            return Err(NotYet::Wait(anyhow!("the probe says nothing")));
        };
        if report.event != Event::Booting {
            return Err(NotYet::Never(anyhow!("the probe says {report:?}")));
        }
        if state(report, "multi-user.target") == "active" {
            return Err(NotYet::Never(anyhow!("multi-user.target is active")));
        }
        if state(report, "userconfig.service") != "activating" {
            asked = None;
            return Err(NotYet::Wait(anyhow!("units are {:?}", report.services)));
        }
        // Swap files take their time, too.
        let swapping = swaps(report).is_ok_and(|swaps| !swaps.is_empty());
        match asked {
            Some(asked) if asked.elapsed() >= PATIENCE && swapping => Ok(report.clone()),
            Some(_) => Err(NotYet::Wait(anyhow!(
                "it asks; units are {:?}",
                report.services
            ))),
            None => {
                asked = Some(Instant::now());
                Err(NotYet::Wait(anyhow!("it begins to ask")))
            }
        }
    });
    result.map_err(|error| anyhow!("{error:#}{}", bench.guest.console().trouble()))
}

fn swaps_to_card(report: &Report) -> Result<()> {
    let swaps = swaps(report)?;
    ensure!(swaps.contains("/var/swap"), "swap goes to {swaps:?}");
    Ok(())
}

pub(crate) fn repair(card: &Utf8Path, before: &Disk) -> Result<()> {
    let root = format!("{card}?offset={}", before.root_range().start);
    let output = Program::new("e2fsck")
        .args(["-f", "-y", &root])
        .seconds(300)
        .run()?;
    // 1 means that it corrected something.
    ensure!(
        output.status.code().is_some_and(|code| code <= 1),
        "e2fsck: {}",
        output.words()
    );
    Ok(())
}

/// The id is another, and everything that names it knows.
fn new_id(before: &str, after: &Disk) -> Result<()> {
    ensure!(after.id != before, "it is still {before}");
    let root = format!("PARTUUID={}-02", after.id);
    for (file, text) in [
        ("fstab", after.needed("/etc/fstab")?),
        ("cmdline.txt", after.boot_text("cmdline.txt")?),
    ] {
        ensure!(text.contains(&root), "{file} does not name {root}: {text}");
    }
    Ok(())
}

fn new_keys(before: &str, after: &Disk) -> Result<()> {
    let now = after.needed(HOST_KEY)?;
    ensure!(now != before, "the key that was put in is still there");
    ensure!(now.contains("PRIVATE KEY"), "it is no key: {now:?}");
    Ok(())
}

pub(crate) fn filled(before: &Disk, after: &Disk, card: u64) -> Result<()> {
    let end = after.root_range().end;
    ensure!(
        end > before.root_range().end && end + (16 << 20) > card,
        "the root partition ends at {end}, the card at {card}"
    );
    Ok(())
}

fn triggers_gone(profile: Profile, after: &Disk) -> Result<()> {
    let cmdline = after.boot_text("cmdline.txt")?;
    for word in ["resize", "firstboot"] {
        ensure!(!cmdline.contains(word), "the command line is {cmdline}");
    }
    if profile == Profile::Trixie {
        let wants = "/etc/systemd/system/sysinit.target.wants/rpi-resize.service";
        ensure!(!after.exists(wants)?, "{wants} is still there");
    } else {
        let once = "/etc/init.d/resize2fs_once";
        ensure!(!after.exists(once)?, "{once} is still there");
    }
    Ok(())
}

fn cloud_init_ran(after: &Disk) -> Result<()> {
    let stages = after.needed("/var/log/cloud-init.log")?;
    ensure!(
        stages
            .lines()
            .eq(["main", "local", "network", "config", "final"]),
        "its stages were {stages:?}"
    );
    Ok(())
}
