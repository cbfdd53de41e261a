//! The firmware's `config.txt`.
//!
//! A header in square brackets makes the lines below it conditional; `[all]`
//! lifts every condition (Raspberry Pi documentation, `config_txt/conditional.adoc`).

use super::lines::{Lines, one_line};

/// The firmware cuts off longer lines (Raspberry Pi documentation,
/// `config_txt/what_is_config_txt.adoc`).
const LONGEST_LINE: usize = 98;

/// `line` stands where it holds for every board.
pub(super) fn ensure(text: &str, line: &str) -> Result<String, String> {
    one_line("the line for config.txt", line)?;
    let line = line.trim();
    if line.is_empty() || header(line).is_some() {
        return Err(format!("{line:?} is not a setting of config.txt"));
    }
    let length = line.chars().count();
    if length > LONGEST_LINE {
        return Err(format!(
            "a line of {length} characters, of which the firmware reads {LONGEST_LINE}: {line}"
        ));
    }

    let mut lines = Lines::new(text);
    let mut for_all = true;
    let mut stands = false;
    for body in lines.iter().map(str::trim) {
        match header(body) {
            Some(filter) => for_all = filter == "all",
            None => stands |= for_all && body == line,
        }
    }
    if !stands {
        if !for_all {
            lines.push("");
            lines.push("[all]");
        }
        lines.push(line);
    }
    Ok(lines.to_string())
}

/// The filter between the brackets of a section header.
fn header(body: &str) -> Option<&str> {
    body.strip_prefix('[')?.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // The end of the file as released for Trixie
    // (pi-gen stage1/00-boot-files/files/config.txt).
    const SHIPPED: &str = "dtparam=audio=on\ncamera_auto_detect=1\n\n[cm4]\n# Enable host mode\n\
                           otg_mode=1\n\n[pi5]\ndtoverlay=nospi10\n\n[all]\n";

    #[rstest]
    #[case::under_the_final_all(
        SHIPPED,
        "dtoverlay=disable-wifi",
        "dtparam=audio=on\ncamera_auto_detect=1\n\n[cm4]\n# Enable host mode\n\
         otg_mode=1\n\n[pi5]\ndtoverlay=nospi10\n\n[all]\ndtoverlay=disable-wifi\n"
    )]
    #[case::ahead_of_any_section(SHIPPED, "dtparam=audio=on", SHIPPED)]
    #[case::in_another_section(
        "[cm4]\notg_mode=1\n",
        "otg_mode=1",
        "[cm4]\notg_mode=1\n\n[all]\notg_mode=1\n"
    )]
    #[case::last_section_is_not_all(
        "[all]\na=1\n[pi4]\nb=1",
        "b=1",
        "[all]\na=1\n[pi4]\nb=1\n\n[all]\nb=1\n"
    )]
    #[case::in_an_earlier_all(
        "[pi4]\n[all]\na=1\n[pi5]\nb=1\n",
        "a=1",
        "[pi4]\n[all]\na=1\n[pi5]\nb=1\n"
    )]
    #[case::comment_does_not_count("#gpu_mem=16\n", "gpu_mem=16", "#gpu_mem=16\ngpu_mem=16\n")]
    #[case::crlf("[pi4]\r\na=1\r\n", "b=1", "[pi4]\r\na=1\r\n\r\n[all]\r\nb=1\r\n")]
    #[case::no_final_newline("a=1", "b=1", "a=1\nb=1\n")]
    #[case::blanks_around("  a=1 \n", "a=1", "  a=1 \n")]
    #[case::empty("", "a=1", "a=1\n")]
    fn ensures(#[case] text: &str, #[case] line: &str, #[case] expected: &str) {
        assert_eq!(ensure(text, line).unwrap(), expected);
    }

    #[test]
    fn refuses_what_the_firmware_would_not_read_so() {
        for bad in ["", "  ", "[all]", "a\nb"] {
            assert!(ensure(SHIPPED, bad).is_err(), "{bad:?}");
        }
        let longest = "x".repeat(98);
        assert!(ensure(SHIPPED, &longest).is_ok());
        assert!(ensure(SHIPPED, &(longest + "x")).is_err());
    }
}
