//! The native cluster test: images built by pidoop for the architecture of
//! this machine are booted with systemd in containers, one master and two
//! workers with their own addresses and nothing but what was baked, and have
//! to be a Hadoop cluster.
//!
//! Needs root (loop mounts, network namespaces, containers) and three inputs;
//! `scripts/cluster-test` provides both and runs it. Whatever is missing is a
//! failure that says what to do.
//!
//! The test moves into mount, network and process namespaces of its own before
//! it starts. Its end, whatever the reason, takes mounts, loop devices, bridges
//! and containers along; no packet of it can leave this machine.

mod card;
mod cgroup;
mod cluster;
mod cluster_file;
mod hadoop;
mod images;
mod inputs;
mod interrupt;
mod machine;
mod memory;
mod network;
mod node;
mod pidoop;
mod plan;
mod program;
mod progress;
mod scenario;
mod ssh;
mod systems;
mod text;
mod work;
mod workshop;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use progress::Progress;
use workshop::Workshop;

const USAGE: &str = "\
usage: cargo test --test cluster -- [--in DIR]

  --in DIR   work in DIR and leave everything there; images that an earlier run
             left in DIR/out are booted as they are instead of built again";

/// What the command line asks for.
#[derive(Default)]
struct Options {
    /// Where to work; a directory that goes away at the end if none.
    directory: Option<PathBuf>,
    /// Number of the run, if this process is already in its own namespaces.
    run: Option<u32>,
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--in" => {
                    let directory = words.next().context(USAGE)?;
                    options.directory = Some(std::path::absolute(directory)?);
                }
                machine::INSIDE => options.run = Some(words.next().context(USAGE)?.parse()?),
                _ => bail!("{word:?} means nothing here\n{USAGE}"),
            }
        }
        Ok(options)
    }
}

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(code) => code,
        Err(error) => {
            Progress::start().say(&format!("cannot run: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode> {
    let Some(run) = options.run else {
        machine::check()?;
        inputs::Inputs::find()?;
        cgroup::sweep()?;
        return Err(machine::move_into_own_namespaces());
    };
    interrupt::listen()?;
    machine::cover_shared_directories()?;
    let mut progress = Progress::start();
    let workshop = Workshop::open(options.directory.as_deref(), run)?;
    let result = scenario::play(&workshop, &mut progress);
    workshop.close(&progress, result.is_ok())?;
    Ok(progress.finish(result))
}
