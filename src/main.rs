//! The pidoop program: parse, dispatch, turn an error into words.

use std::process::ExitCode;

use clap::Parser;
use pidoop::cli::Cli;

fn main() -> ExitCode {
    pidoop::command::run(&Cli::parse()).into()
}
