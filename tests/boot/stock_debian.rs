//! The stock image of Debian's Raspberry Pi team, booted as it is.

use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use pidoop::boot::Report;

use super::bench::Bench;
use super::disk::Disk;
use super::inputs::Inputs;
use super::interrupt::{self, NotYet};
use super::profile::Profile;
use super::proof::Proof;
use super::stock::{filled, repair};
use super::stock_probe::{self, state};
use super::workplace::utf8;

/// How long a boot may take.
const BOOT: Duration = Duration::from_secs(1200);

/// A word that pidoop, too, might have put on the command line.
const WORD: &str = "cgroup_enable=memory";

/// Boots it with a word on the command line and a host name asked for, and sees
/// what becomes of both.
pub(crate) fn show(proof: &mut Proof<'_>) -> Result<()> {
    let name = format!("{} stock", proof.profile.name());
    let base = utf8(Inputs::find(Profile::Debian)?.base)?;
    let mut bench = proof.bench_for_stock(&base)?;
    let before = Disk::open(bench.card())?;
    stock_probe::insert(&before, &proof.workplace.directory("stock")?)?;
    let cmdline = before.boot_text("cmdline.txt")?;
    before.write_boot_text("cmdline.txt", &format!("{} {WORD}\n", cmdline.trim_end()))?;
    before.write_boot_text("sysconf.txt", "hostname=elsewhere\n")?;

    bench.guest.switch_on()?;
    wait_for_up(&mut bench)?;
    let on_for = bench.guest.on_for().as_secs();
    proof.progress.say(&format!("{name}: up after {on_for} s"));
    bench.guest.shut_down(Duration::from_secs(300));
    // Its power may have been cut: the journal has to be replayed first.
    repair(bench.card(), &before)?;

    let after = Disk::open(bench.card())?;
    let mut note = |check: &str, result: Result<()>| proof.note(&name, check, &result);
    note("it writes cmdline.txt anew", no_word(&after));
    note("it takes another host name", renamed(&after));
    note("it makes host keys", keys(&after));
    note(
        "it fills the card",
        filled(&before, &after, bench.card_bytes()),
    );
    note("its triggers are gone", triggers_gone(&after));
    Ok(())
}

fn wait_for_up(bench: &mut Bench) -> Result<()> {
    let mut last: Option<Report> = None;
    let result = interrupt::until("multi-user.target", BOOT, || {
        bench.look(&mut last)?;
        match &last {
            Some(report) if state(report, "multi-user.target") == "active" => Ok(()),
            _ => Err(NotYet::Wait(anyhow!("the probe says {last:?}"))),
        }
    });
    result.map_err(|error| anyhow!("{error:#}{}", bench.guest.console().trouble()))
}

fn no_word(after: &Disk) -> Result<()> {
    let cmdline = after.boot_text("cmdline.txt")?;
    ensure!(
        !cmdline.contains(WORD) && cmdline.contains("root=LABEL=RASPIROOT"),
        "the command line is {cmdline}"
    );
    Ok(())
}

fn renamed(after: &Disk) -> Result<()> {
    let name = after.needed("/etc/hostname")?;
    ensure!(name.trim() == "elsewhere", "its name is {name}");
    let asked = after.boot_text("sysconf.txt")?;
    ensure!(
        !asked.contains("elsewhere"),
        "sysconf.txt still says {asked}"
    );
    Ok(())
}

fn keys(after: &Disk) -> Result<()> {
    let key = after.needed("/etc/ssh/ssh_host_ed25519_key")?;
    ensure!(key.contains("PRIVATE KEY"), "it is no key: {key:?}");
    Ok(())
}

fn triggers_gone(after: &Disk) -> Result<()> {
    let link = "/etc/systemd/system/sysinit.target.requires/rpi-reconfigure-raspi-firmware.service";
    ensure!(!after.exists(link)?, "{link} is still there");
    Ok(())
}
