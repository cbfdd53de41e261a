//! Filling the card: the real sfdisk on a file, with the kernel's part (sysfs,
//! partx, resize2fs) played.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Output};

use rstest::rstest;

use super::{overlay_file, path_with, program, words};

const MIB: u64 = 1 << 20;
const SECTORS: u64 = MIB / 512;

/// A board with a card in it, as sysfs and /dev show it.
struct Board {
    dir: tempfile::TempDir,
    label: &'static str,
}

impl Board {
    /// A card of `card_mib` with an image on it: p1 of 8 MiB, p2 of 32 MiB, and
    /// what `more` says in sfdisk's words.
    fn new(label: &'static str, card_mib: u64, more: &str) -> Self {
        let board = Self {
            dir: tempfile::tempdir().unwrap(),
            label,
        };
        let root = board.dir.path();
        std::fs::create_dir_all(root.join("dev")).unwrap();
        let file = File::create(board.card()).unwrap();
        file.set_len(60 * MIB).unwrap();
        let id = if label == "dos" {
            "label-id: 0x50a7d0a6\n"
        } else {
            ""
        };
        let table =
            format!("label: {label}\n{id}start=8MiB, size=8MiB\nstart=16MiB, size=32MiB\n{more}\n");
        board.sfdisk(&["--quiet"], &table);
        file.set_len(card_mib * MIB).unwrap();

        let bin = root.join("bin");
        program(&bin, "mountpoint", "echo 179:2");
        program(&bin, "lsblk", &format!("echo {label}"));
        program(
            &bin,
            "partx",
            &format!(
                "echo partx \"$*\" >>{0}/calls; {0}/bin/kernel",
                root.display()
            ),
        );
        program(
            &bin,
            "resize2fs",
            &format!("echo resize2fs \"$*\" >>{}/calls", root.display()),
        );
        program(&bin, "sync", "");
        board
    }

    fn card(&self) -> PathBuf {
        self.dir.path().join("dev/mmcblk0")
    }

    fn sfdisk(&self, arguments: &[&str], input: &str) -> String {
        let mut sfdisk = Command::new("sfdisk");
        let mut child = sfdisk
            .args(arguments)
            .arg(self.card())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    fn table(&self) -> serde_json::Value {
        let text = self.sfdisk(&["--json"], "");
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["partitiontable"].clone()
    }

    /// Writes sysfs as a kernel would that has read the table.
    fn read_table(&self) {
        let disk = self.dir.path().join("sys/devices/mmc0/mmcblk0");
        let table = self.table();
        let size = std::fs::metadata(self.card()).unwrap().len() / 512;
        std::fs::create_dir_all(&disk).unwrap();
        std::fs::write(disk.join("size"), format!("{size}\n")).unwrap();
        for (number, partition) in (1..).zip(table["partitions"].as_array().unwrap()) {
            let part = disk.join(format!("mmcblk0p{number}"));
            std::fs::create_dir_all(&part).unwrap();
            for (name, value) in [
                ("start", partition["start"].to_string()),
                ("size", partition["size"].to_string()),
                ("partition", number.to_string()),
            ] {
                std::fs::write(part.join(name), format!("{value}\n")).unwrap();
            }
        }
        let by_number = self.dir.path().join("sys/dev/block");
        std::fs::create_dir_all(&by_number).unwrap();
        let _ = std::os::unix::fs::symlink(
            "../../devices/mmc0/mmcblk0/mmcblk0p2",
            by_number.join("179:2"),
        );
    }

    fn boot(&self) -> Output {
        self.read_table();
        let root = self.dir.path();
        // partx lets the kernel know the new size.
        let size = format!(
            r#"sfdisk --json {card} | tr -d ' ",' | awk -F: '$1=="start"{{n++}} $1=="size"&&n==2{{print $2; exit}}' \
               >{sys}/devices/mmc0/mmcblk0/mmcblk0p2/size"#,
            card = self.card().display(),
            sys = root.join("sys").display(),
        );
        program(&root.join("bin"), "kernel", &size);
        Command::new("sh")
            .arg(overlay_file("base/usr/local/lib/pidoop/grow-root"))
            .env("PATH", path_with(&root.join("bin")))
            .env("PIDOOP_SYS", root.join("sys"))
            .env("PIDOOP_DEV", root.join("dev"))
            .output()
            .unwrap()
    }

    /// Programs of the kernel's part that ran since the last question.
    fn calls(&self) -> String {
        let calls = self.dir.path().join("calls");
        let text = std::fs::read_to_string(&calls).unwrap_or_default();
        let _ = std::fs::remove_file(calls);
        text.replace(self.dir.path().to_str().unwrap(), "")
    }

    /// Start and end of p2, in MiB.
    fn root_partition(&self) -> (u64, u64) {
        let table = self.table();
        let part = &table["partitions"][1];
        let (start, size) = (
            part["start"].as_u64().unwrap(),
            part["size"].as_u64().unwrap(),
        );
        (start / SECTORS, (start + size).div_ceil(SECTORS))
    }
}

#[rstest]
#[case("dos")]
#[case("gpt")]
fn the_root_partition_fills_a_larger_card(#[case] label: &'static str) {
    let board = Board::new(label, 256, "");
    let before = board.table();
    let output = board.boot();
    assert!(output.status.success(), "{}", words(&output));
    assert_eq!(board.root_partition(), (16, 256), "{}", words(&output));
    assert_eq!(
        board.calls(),
        "partx --update --nr 2 /dev/mmcblk0\nresize2fs /dev/mmcblk0p2\n"
    );
    let after = board.table();
    assert_eq!(after["id"], before["id"], "the disk id changed");
    assert_eq!(after["label"], board.label);
    assert_eq!(after["partitions"][0], before["partitions"][0]);
    assert_eq!(
        after["partitions"][1]["type"],
        before["partitions"][1]["type"]
    );
    assert_eq!(
        after["partitions"][1]["uuid"],
        before["partitions"][1]["uuid"]
    );

    // The next boot writes nothing to the table.
    let bytes = std::fs::read(board.card()).unwrap();
    let output = board.boot();
    assert!(output.status.success(), "{}", words(&output));
    assert_eq!(board.calls(), "resize2fs /dev/mmcblk0p2\n");
    assert!(
        std::fs::read(board.card()).unwrap() == bytes,
        "a full card was written to"
    );
}

#[rstest]
#[case("dos")]
#[case("gpt")]
fn a_partition_behind_it_stays(#[case] label: &'static str) {
    let board = Board::new(label, 256, "start=52MiB, size=4MiB");
    let before = board.table();
    assert!(board.boot().status.success());
    assert_eq!(board.table()["partitions"][2], before["partitions"][2]);
    // 4 MiB in between are not worth it.
    assert_eq!(board.root_partition(), (16, 48));
    assert_eq!(board.calls(), "resize2fs /dev/mmcblk0p2\n");
}

#[test]
fn a_power_failure_between_the_steps_is_made_up_for() {
    let board = Board::new("dos", 128, "");
    // As after a boot that was cut short behind sfdisk.
    board.sfdisk(&["--quiet", "-N", "2"], ", +\n");
    assert!(board.boot().status.success());
    assert_eq!(board.calls(), "resize2fs /dev/mmcblk0p2\n");
}

#[test]
fn a_root_that_is_no_partition_is_left_alone() {
    let board = Board::new("dos", 128, "");
    program(&board.dir.path().join("bin"), "mountpoint", "echo 0:32");
    let output = board.boot();
    assert!(output.status.success() && words(&output).contains("not on a partition"));
    assert_eq!(board.calls(), "");
}

#[test]
fn a_failing_program_fails_the_unit() {
    let board = Board::new("dos", 128, "");
    program(&board.dir.path().join("bin"), "partx", "exit 1");
    assert!(!board.boot().status.success());
    let board = Board::new("dos", 128, "");
    program(&board.dir.path().join("bin"), "sfdisk", "exit 1");
    assert!(!board.boot().status.success());
    assert_eq!(board.calls(), "");
}
