//! Swap in compressed memory, with the kernel's part played.

use std::path::Path;
use std::process::{Command, Output};

use super::{overlay_file, path_with, program, words};

struct Board {
    dir: tempfile::TempDir,
}

impl Board {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::write(
            root.join("meminfo"),
            "MemFree: 5 kB\nMemTotal:  1899520 kB\n",
        )
        .unwrap();
        for name in ["modprobe", "mkswap", "swapon", "swapoff"] {
            program(
                &root.join("bin"),
                name,
                &format!("echo {name} $* >>{}/calls", root.display()),
            );
        }
        program(
            &root.join("bin"),
            "zramctl",
            &format!(
                "echo zramctl $* >>{}/calls; [[ $1 != --find ]] || echo /dev/zram1",
                root.display()
            ),
        );
        Self { dir }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn run(&self, verb: &str) -> Output {
        Command::new("sh")
            .arg(overlay_file("base/usr/local/lib/pidoop/zram-swap"))
            .arg(verb)
            .env("PATH", path_with(&self.path().join("bin")))
            .env("PIDOOP_MEMINFO", self.path().join("meminfo"))
            .env("PIDOOP_RUN", self.path().join("run"))
            .output()
            .unwrap()
    }

    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path().join("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

#[test]
fn half_of_the_memory_becomes_swap_and_goes_again() {
    let board = Board::new();
    let output = board.run("start");
    assert!(output.status.success(), "{}", words(&output));
    assert!(board.run("stop").status.success());
    assert_eq!(
        board.calls(),
        [
            "modprobe zram",
            "zramctl --find --size 949760KiB --algorithm zstd",
            "mkswap /dev/zram1",
            "swapon --priority 100 /dev/zram1",
            "swapoff /dev/zram1",
            "zramctl --reset /dev/zram1",
        ]
    );
    assert!(board.run("stop").status.success());
    assert_eq!(board.calls().len(), 6);
}

#[test]
fn a_kernel_without_zram_is_no_failure() {
    let board = Board::new();
    program(&board.path().join("bin"), "modprobe", "exit 1");
    let output = board.run("start");
    assert!(
        output.status.success() && words(&output).contains("no zram"),
        "{}",
        words(&output)
    );
    assert!(board.calls().is_empty());
}

#[test]
fn an_algorithm_the_kernel_lacks_is_done_without() {
    let board = Board::new();
    let calls = board.path().join("calls");
    program(
        &board.path().join("bin"),
        "zramctl",
        &format!(
            "echo zramctl $* >>{}; [[ $* != *zstd* ]] && echo /dev/zram0",
            calls.display()
        ),
    );
    let output = board.run("start");
    assert!(output.status.success(), "{}", words(&output));
    assert_eq!(
        board.calls().last().unwrap(),
        "swapon --priority 100 /dev/zram0"
    );
}

#[test]
fn anything_else_is_refused() {
    assert_eq!(Board::new().run("restart").status.code(), Some(2));
}
