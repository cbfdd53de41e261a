//! `pidoop boot`: the images, started in QEMU.

mod cast;
mod memory;
mod room;
mod table;
mod tell;

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8Path;
use serde::Serialize;

use super::load::{Loaded, load};
use super::plan::memory_plan;
use super::session::Session;
use super::{Failure, bake_failure, say};
use crate::boot::{Actor, BootError, Guest, Lan, Model, Rehearsal, arch_of_card, emulator};
use crate::cli::{BootArgs, ExitStatus, GlobalArgs, MachineChoice};
use crate::cluster::UserName;
use crate::progress::Reporter;
use crate::tool::Handover;
use cast::{Role, Station};
use room::Room;
use table::{Row, Table};
use tell::Teller;

/// How long a node may take to shut down when its card is kept.
const SHUTDOWN: Duration = Duration::from_secs(300);

/// What ssh is called beside the daemons.
const SSH_NAME: &str = "ssh";

/// How often a cluster that stays is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The verdict when it is a bad one.
#[derive(Serialize)]
struct Unhealthy<'a> {
    event: &'static str,
    version: u32,
    cluster: &'a str,
    healthy: bool,
    missing: Vec<String>,
}

/// Boots the images and judges them.
pub(super) fn run(global: &GlobalArgs, args: &BootArgs) -> Result<ExitStatus, Failure> {
    super::interrupt::clean_up_on_signals("the images are as they were")?;
    if args.machine == MachineChoice::Raspi3b && (args.memory.is_some() || args.cpus.is_some()) {
        return Err(Failure::usage("a Pi 3B has 1 GiB and four cores")
            .hint("leave --memory and --cpus out, or take --machine virt"));
    }
    let loaded = load(&args.cluster.file)?;
    let memory = memory_plan(&loaded)?;
    let cast = cast::cast(&loaded, &memory, args)?;
    check_emulator(&cast)?;
    let session = Session::open(global, args.json)?;
    let reporter = &session.reporter;

    let room = Room::open(&session, args)?;
    let stations = cast::stations(global, args, cast, &room.cards, reporter)?;
    let sockets = Handover::new()?;
    let mut rehearsal = rehearsal(&loaded, args, &stations, sockets.path())?;
    watch(&loaded, args, &stations, &mut rehearsal, reporter)?;

    let table = table(&loaded, args, &stations, &rehearsal);
    if args.json {
        tell::line(&table)?;
    } else {
        say(global, format_args!("{table}"));
    }
    if args.stay {
        let user = &loaded.cluster.access.user;
        stay(global, user, &table.nodes, &mut rehearsal)?;
    }
    if args.cards.is_some() {
        end(&mut rehearsal, &session);
    }
    Ok(ExitStatus::Ok)
}

/// The machines on their network, all off.
fn rehearsal(
    loaded: &Loaded,
    args: &BootArgs,
    stations: &[Station<'_>],
    sockets: &Utf8Path,
) -> Result<Rehearsal, Failure> {
    let logs = args
        .logs
        .clone()
        .unwrap_or_else(|| args.out.join("boot-logs"));
    fs_err::create_dir_all(&logs)?;
    let lan = cast::lan(loaded, stations, sockets)?;
    let is_worker = |station: &&Station<'_>| station.role.node.role.is_worker();
    let workers = stations.iter().filter(is_worker).count();
    let actors = stations
        .iter()
        .map(|station| Actor {
            part: station.role.part(),
            guest: Guest::new(station.guest_plan(args, &lan, workers, &logs)),
        })
        .collect();
    Ok(Rehearsal::new(actors, lan))
}

/// Switches the machines on and watches them until all is well.
fn watch(
    loaded: &Loaded,
    args: &BootArgs,
    stations: &[Station<'_>],
    rehearsal: &mut Rehearsal,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let names = stations
        .iter()
        .map(|station| (station.name(), station.machine.to_string()));
    let mut teller = Teller::new(reporter, args.json, names);
    let limit = Duration::from_secs(args.timeout);
    let watched = rehearsal
        .begin()
        .and_then(|()| rehearsal.watch(args.job, limit, &mut |happening| teller.tell(happening)));
    drop(teller);
    let Err(error) = watched else { return Ok(()) };
    if args.json {
        tell::line(&Unhealthy {
            event: "booted",
            version: 1,
            cluster: loaded.cluster.name.as_str(),
            healthy: false,
            missing: missing(&error),
        })?;
    }
    Err(boot_failure(error))
}

/// What was seen, when all is well.
fn table(
    loaded: &Loaded,
    args: &BootArgs,
    stations: &[Station<'_>],
    rehearsal: &Rehearsal,
) -> Table {
    let outcome = rehearsal.outcome();
    let rows = stations.iter().map(|station| {
        let (machine, mib) = (station.machine.to_string(), station.memory_mib);
        let mut row = Row::new(station.role.memory, machine, mib, outcome);
        if args.stay {
            row.reach = reach(&station.role, rehearsal.lan());
        }
        row
    });
    Table {
        event: "booted",
        version: 1,
        cluster: loaded.cluster.name.to_string(),
        healthy: true,
        seconds: outcome.took.as_secs(),
        nodes: rows.collect(),
        whole: stations.len() == loaded.cluster.nodes.len(),
        hdfs: outcome.seen.hdfs.clone().and_then(Result::ok),
        yarn: outcome.seen.yarn.clone().and_then(Result::ok),
        job: outcome.seen.job.clone(),
    }
}

/// The emulator must be there before gigabytes are copied. Packed images tell
/// their architecture once they are unpacked.
fn check_emulator(cast: &[Role<'_>]) -> Result<(), Failure> {
    for role in cast
        .iter()
        .filter(|role| role.image.extension() == Some("img"))
    {
        let arch = arch_of_card(&role.image, Model::of(&role.node.board)).map_err(boot_failure)?;
        emulator(arch).check().map_err(Failure::environment)?;
    }
    Ok(())
}

/// Where ssh and the pages of a node are on this computer.
fn reach(role: &Role<'_>, lan: &Lan) -> BTreeMap<&'static str, String> {
    let daemons = role.part().daemons;
    let ports = daemons
        .iter()
        .map(|daemon| (daemon.name(), daemon.port("web")))
        .chain([(SSH_NAME, cast::SSH)]);
    ports
        .filter_map(|(what, port)| {
            let at = lan.forward(role.node.name.as_str(), port)?;
            Some((what, at.to_string()))
        })
        .collect()
}

/// Leaves the cluster running until it stops or Ctrl-C ends us.
fn stay(
    global: &GlobalArgs,
    user: &UserName,
    rows: &[Row],
    rehearsal: &mut Rehearsal,
) -> Result<(), Failure> {
    say(global, format_args!("\nit stays until Ctrl-C:"));
    for row in rows {
        for (what, at) in &row.reach {
            match at.split_once(':') {
                Some((host, port)) if *what == SSH_NAME => say(
                    global,
                    format_args!("  {}  ssh -p {port} {user}@{host}", row.node),
                ),
                _ => say(global, format_args!("  {}  {what}  http://{at}", row.node)),
            }
        }
    }
    while rehearsal.is_on() {
        std::thread::sleep(LOOK);
    }
    super::interrupt::leave_if_interrupted();
    Err(Failure::check_failed("a node stopped"))
}

/// Shuts the nodes down, as their cards will be looked at or booted again.
fn end(rehearsal: &mut Rehearsal, session: &Session) {
    let task = session.reporter.items("shutting down", None);
    let cut = rehearsal.end(SHUTDOWN);
    task.finish();
    if !cut.is_empty() {
        session.reporter.note(format!(
            "the power of {} was cut: the next boot repairs what that left",
            cut.join(", ")
        ));
    }
}

/// What was missing when it was given up.
fn missing(error: &BootError) -> Vec<String> {
    match error {
        BootError::NotHealthy { missing, .. } => missing.clone(),
        error => error
            .to_string()
            .lines()
            .next()
            .map(str::to_owned)
            .into_iter()
            .collect(),
    }
}

/// An error of a rehearsal with the exit status it deserves.
fn boot_failure(error: BootError) -> Failure {
    match error {
        BootError::Disk(error) => bake_failure((*error).into()),
        BootError::Source(error) => super::supply::source_failure(*error),
        BootError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            Failure::environment(source).hint(super::failure::DISK_FULL)
        }
        BootError::Io { .. } | BootError::Tool(_) | BootError::Network(_) => {
            Failure::environment(error)
        }
        BootError::Tree { .. } | BootError::CardSize(_) | BootError::Unbootable { .. } => {
            Failure::usage(error)
        }
        _ => Failure::new(ExitStatus::CheckFailed, error.into()),
    }
}
