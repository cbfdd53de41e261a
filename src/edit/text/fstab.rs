//! Mount options in `fstab`.

use super::lines::Lines;

/// What stands in the options field when there is nothing to say.
const DEFAULTS: &str = "defaults";

/// Every line for `mount_point` has the options `add` and not `remove`.
/// Blanks, comments and the order of options stay.
pub(super) fn set_options(
    text: &str,
    mount_point: &str,
    add: &[String],
    remove: &[String],
) -> Result<String, String> {
    for option in add.iter().chain(remove) {
        if split_options(option).is_none_or(|options| options.len() != 1)
            || option.is_empty()
            || option.chars().any(|c| c.is_whitespace() || c.is_control())
        {
            return Err(format!("{option:?} is not one mount option"));
        }
    }
    if let Some(both) = add.iter().find(|option| remove.contains(option)) {
        return Err(format!(
            "the mount option {both} is both to be there and not"
        ));
    }

    let mut lines = Lines::new(text);
    let mut changed = Vec::new();
    for (index, body) in lines.iter().enumerate() {
        let fields = fields(body);
        let [_, mounted_at, ..] = fields[..] else {
            continue;
        };
        if unescape(&body[mounted_at.start..mounted_at.end]) != mount_point {
            continue;
        }
        changed.push((index, with_options(body, &fields, add, remove, index + 1)?));
    }
    for (index, body) in changed {
        lines.replace(index, body);
    }
    Ok(lines.to_string())
}

/// Bytes of a line that one field covers.
#[derive(Clone, Copy)]
struct Field {
    start: usize,
    end: usize,
}

/// The fields of a line; none in a comment.
fn fields(body: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut at = 0;
    for part in body.split([' ', '\t']) {
        if !part.is_empty() {
            fields.push(Field {
                start: at,
                end: at + part.len(),
            });
        }
        at += part.len() + 1;
    }
    if fields
        .first()
        .is_some_and(|first| body[first.start..].starts_with('#'))
    {
        fields.clear();
    }
    fields
}

fn with_options(
    body: &str,
    fields: &[Field],
    add: &[String],
    remove: &[String],
    number: usize,
) -> Result<String, String> {
    let Some(kind) = fields.get(2) else {
        return Err(format!("line {number} has no filesystem type"));
    };
    // The options may be left out only at the end of the line (fstab(5)).
    let Some(field) = fields.get(3) else {
        if add.is_empty() {
            return Ok(body.to_owned());
        }
        return Ok(format!("{}\t{}", &body[..kind.end], add.join(",")));
    };
    let old = split_options(&body[field.start..field.end])
        .ok_or_else(|| format!("line {number} has a double quote that is never closed"))?;
    let kept = |option: &&str| !remove.iter().any(|other| other == option);
    let mut options: Vec<&str> = old.iter().copied().filter(kept).collect();
    for option in add {
        if !options.contains(&option.as_str()) {
            options.push(option);
        }
    }
    if options.is_empty() {
        options.push(DEFAULTS);
    }
    Ok(format!(
        "{}{}{}",
        &body[..field.start],
        options.join(","),
        &body[field.end..]
    ))
}

/// Cuts at commas outside double quotes, as SELinux contexts have them
/// (mount(8)); `None` if a quote stays open.
fn split_options(options: &str) -> Option<Vec<&str>> {
    let mut quoted = false;
    let options = options
        .split(|c: char| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .collect();
    (!quoted).then_some(options)
}

/// Blanks and backslashes of a mount point are written in octal (fstab(5)).
fn unescape(field: &str) -> String {
    field
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // As released (pi-gen stage1/01-sys-tweaks/files/fstab).
    const FSTAB: &str = "proc            /proc           proc    defaults          0       0\n\
                         PARTUUID=8a438930-01  /boot/firmware  vfat    defaults          0       2\n\
                         PARTUUID=8a438930-02  /               ext4    defaults,noatime  0       1\n\
                         # a swapfile is not a swap partition, no line here\n";

    fn apply(text: &str, at: &str, add: &[&str], remove: &[&str]) -> Result<String, String> {
        let own = |options: &[&str]| options.iter().map(|&o| o.to_owned()).collect::<Vec<_>>();
        set_options(text, at, &own(add), &own(remove))
    }

    #[test]
    fn only_the_options_of_the_mount_point_change() {
        assert_eq!(
            apply(FSTAB, "/", &["x-systemd.growfs"], &[]).unwrap(),
            FSTAB.replace(
                "defaults,noatime  0",
                "defaults,noatime,x-systemd.growfs  0"
            )
        );
        assert_eq!(apply(FSTAB, "/", &["noatime"], &["ro"]).unwrap(), FSTAB);
        assert_eq!(apply(FSTAB, "/boot", &["ro"], &[]).unwrap(), FSTAB);
    }

    #[rstest]
    #[case::tabs("/dev/sda1\t/data\text4\tdefaults,noatime\t0\t2", &["nofail"], &["noatime"],
        "/dev/sda1\t/data\text4\tdefaults,nofail\t0\t2")]
    #[case::crlf("/dev/sda1 /data ext4 ro 0 2\r\n", &["rw"], &["ro"], "/dev/sda1 /data ext4 rw 0 2\r\n")]
    #[case::nothing_left("a /data ext4 ro", &[], &["ro"], "a /data ext4 defaults")]
    #[case::no_options("a /data ext4 ", &["ro"], &[], "a /data ext4\tro")]
    #[case::no_options_wanted("a /data ext4", &[], &["ro"], "a /data ext4")]
    #[case::each_line("a /data x ro\nb /data y rw\n", &["noexec"], &["ro"],
        "a /data x noexec\nb /data y rw,noexec\n")]
    #[case::comment("# x /data ext4 ro\n  #x /data ext4 ro\n", &["rw"], &[], "# x /data ext4 ro\n  #x /data ext4 ro\n")]
    #[case::quotes("a /data x context=\"s0:c1,c2\",ro", &["rw"], &["ro"],
        "a /data x context=\"s0:c1,c2\",rw")]
    #[case::leading_blank(" a /data x ro", &["rw"], &[], " a /data x ro,rw")]
    fn options(
        #[case] text: &str,
        #[case] add: &[&str],
        #[case] remove: &[&str],
        #[case] expected: &str,
    ) {
        assert_eq!(apply(text, "/data", add, remove).unwrap(), expected);
    }

    #[test]
    fn a_mount_point_with_a_blank_is_found() {
        let text = "a /my\\040data x ro";
        assert_eq!(
            apply(text, "/my data", &["rw"], &[]).unwrap(),
            "a /my\\040data x ro,rw"
        );
    }

    #[test]
    fn refuses_what_is_no_option_and_lines_without_a_type() {
        for bad in ["", "a,b", "a b", "a\n", "a=\"b"] {
            assert!(apply(FSTAB, "/", &[bad], &[]).is_err(), "{bad:?}");
        }
        assert!(apply(FSTAB, "/", &["ro"], &["ro"]).is_err());
        assert_eq!(
            apply("a /\n", "/", &["ro"], &[]).unwrap_err(),
            "line 1 has no filesystem type"
        );
    }
}
