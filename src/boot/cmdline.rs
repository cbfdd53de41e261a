//! The kernel's command line for a rehearsal.

/// Words that only make a boot silent or hide it behind a picture.
const SILENCERS: [&str; 4] = [
    "quiet",
    "splash",
    "vt.global_cursor_default=0",
    "logo.nologo",
];

/// The first line of the image's `cmdline.txt`, which is all the firmware
/// reads, with consoles replaced by `console` and `words` behind it. Asked to,
/// systemd shows each unit it starts, so that the log tells where a boot
/// stands still.
pub(super) fn command_line(cmdline_txt: &str, console: &str, words: &[String]) -> String {
    let first = cmdline_txt.lines().next().unwrap_or_default();
    let kept = first
        .split_whitespace()
        .filter(|word| !word.starts_with("console=") && !SILENCERS.contains(word));
    let console = format!("console={console},115200");
    kept.chain([console.as_str(), "systemd.show_status=1"])
        .chain(words.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consoles_give_way_and_the_rest_stays() {
        let text = "console=serial0,115200 console=tty1 root=PARTUUID=1-02 rootwait quiet splash \
                    init=/x quietly\nsecond line\n";
        let words = ["pidoop.report=/dev/ttyS1".to_owned()];
        assert_eq!(
            command_line(text, "ttyAMA0", &words),
            "root=PARTUUID=1-02 rootwait init=/x quietly console=ttyAMA0,115200 \
             systemd.show_status=1 pidoop.report=/dev/ttyS1"
        );
    }
}
