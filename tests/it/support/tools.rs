//! Other people's tools, as judges. One that is missing fails the test.

use std::process::{Command, Output};

/// Runs a tool in a fixed environment, whatever its exit code.
pub(crate) fn output(tool: &str, args: &[&str]) -> Output {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    Command::new(tool)
        .args(args)
        .env_clear()
        .env("PATH", path)
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        // mtools wants no questions about a disk's geometry.
        .env("MTOOLS_SKIP_CHECK", "1")
        .output()
        .unwrap_or_else(|e| panic!("{tool} is needed for this test: {e}"))
}

/// Runs a tool that must end with exit code 0, and gives what it printed.
#[track_caller]
pub(crate) fn run(tool: &str, args: &[&str]) -> String {
    let output = output(tool, args);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{tool} {args:?}: {}\n{said}\n{complained}",
        output.status
    );
    said
}
