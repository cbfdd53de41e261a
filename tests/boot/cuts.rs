//! The power of first boots is cut at random moments.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use fs_err as fs;

use super::baked::Baked;
use super::bench::Bench;
use super::chance::Chance;
use super::disk::Left;
use super::interrupt;
use super::proof::Proof;

/// How the console tells that the card is about to be filled: newer systemd names
/// the unit, older ones say what it is for.
const GROWING: [&str; 2] = ["Starting pidoop-grow", "Starting Let the root"];

/// The growth and what follows it take less than this, in an emulator.
const GROWTH: Duration = Duration::from_secs(8);

/// Where a cut falls.
#[derive(Clone, Copy)]
enum Moment {
    /// So long after the power came on.
    AfterPower(Duration),
    /// So long after the root filesystem began to grow, which is a small part of
    /// a boot and the one that writes to the partition table.
    AfterGrowing(Duration),
}

/// Cuts the power of `count` first boots, each on a new card, boots again and
/// applies every check. `up_after` is what a whole first boot takes.
pub(crate) fn cut(
    proof: &mut Proof<'_>,
    baked: &Baked,
    count: u32,
    seed: u64,
    up_after: Duration,
) -> Result<()> {
    let name = proof.profile.name();
    let scene = format!("{name} power cut");
    // Another sequence for each profile.
    let mut chance = Chance::new(seed ^ u64::from(name.as_bytes()[2]) << 32);
    for number in 1..=count {
        let moment = match number % 2 {
            1 => Moment::AfterGrowing(chance.duration(GROWTH)),
            _ => Moment::AfterPower(chance.duration(up_after)),
        };
        let result = cut_once(proof, baked, &scene, number, moment);
        proof.done(&scene, result)?;
    }
    Ok(())
}

fn cut_once(
    proof: &mut Proof<'_>,
    baked: &Baked,
    scene: &str,
    number: u32,
    moment: Moment,
) -> Result<()> {
    let name = format!("{}.cut{number}", proof.profile.name());
    let mut bench = proof.bench(&baked.image, &name)?;
    bench.guest.switch_on()?;
    wait_for(&mut bench, moment)?;
    let on_for = bench.guest.on_for();
    bench.guest.cut_power();
    let last = bench.guest.console().trouble().lines.pop();
    proof.progress.say(&format!(
        "{scene} {number}: {}, {:.1} s after the start, at: {}",
        match moment {
            Moment::AfterPower(_) => "cut".to_owned(),
            Moment::AfterGrowing(after) =>
                format!("cut {:.1} s into the growth", after.as_secs_f32()),
        },
        on_for.as_secs_f32(),
        last.unwrap_or_else(|| "nothing on the console yet".to_owned())
    ));
    proof.judge_card(scene, baked, &bench, Left::Cut)?;
    let up_after = bench.boot()?;
    proof.progress.say(&format!(
        "{scene} {number}: up after {} s",
        up_after.as_secs()
    ));
    proof.judge(scene, baked, &bench, 1)?;
    bench.shut_down()?;
    proof.judge_card(scene, baked, &bench, Left::ShutDown)
}

fn wait_for(bench: &mut Bench, moment: Moment) -> Result<()> {
    if let Moment::AfterGrowing(_) = moment {
        wait_for_growth(bench)?;
    }
    let (Moment::AfterPower(after) | Moment::AfterGrowing(after)) = moment;
    let begun = Instant::now();
    while begun.elapsed() < after {
        interrupt::check()?;
        let left = after.saturating_sub(begun.elapsed());
        thread::sleep(left.min(Duration::from_millis(100)));
    }
    if !bench.guest.is_on() {
        bail!("the machine ended before its power was cut");
    }
    Ok(())
}

fn wait_for_growth(bench: &mut Bench) -> Result<()> {
    let console = bench.guest.console().path().to_owned();
    let begun = Instant::now();
    loop {
        interrupt::check()?;
        let text = String::from_utf8_lossy(&fs::read(&console).unwrap_or_default()).into_owned();
        if GROWING.iter().any(|words| plain(&text).contains(words)) {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(600) || !bench.guest.is_on() {
            bail!("the console does not tell that the card is being filled");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// A console's text without colours.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut pieces = text.split("\u{1b}[");
    plain.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let end = piece.find(|c: char| c.is_ascii_alphabetic());
        plain.push_str(end.map_or("", |end| &piece[end + 1..]));
    }
    plain
}
