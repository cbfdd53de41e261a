//! What kind of value a property takes, as far as its default shows.

/// Kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `true` or `false`.
    Boolean,
    /// A whole number and nothing else.
    Integer,
    /// A whole number, with a unit where the property is a size or a time:
    /// the default does not show which.
    Quantity,
    /// A decimal number.
    Decimal,
    /// Anything.
    Text,
}

/// Endings of keys that Hadoop reads with `getInt` or `getLong`, which know no
/// units: `4g` there stops the daemon with NumberFormatException.
const PLAIN: [&str; 12] = [
    "-mb",
    ".mb",
    "vcores",
    ".count",
    "-count",
    ".port",
    ".retries",
    "attempts",
    ".parallelcopies",
    ".replication",
    ".factor",
    "max-streams",
];

/// Endings of keys whose value looks like a number but need not be one:
/// permissions are octal or symbolic.
const ANY: [&str; 3] = ["perm", "umask-mode", "permissions"];

impl Shape {
    /// The kind of `key`, whose default is `default`.
    pub(super) fn of(key: &str, default: &str) -> Self {
        if ANY.iter().any(|end| key.ends_with(end)) {
            Self::Text
        } else if matches!(default, "true" | "false") {
            Self::Boolean
        } else if is_integer(default) {
            let plain = PLAIN.iter().any(|end| key.ends_with(end));
            if plain { Self::Integer } else { Self::Quantity }
        } else if is_quantity(default) {
            Self::Quantity
        } else if is_decimal(default) {
            Self::Decimal
        } else {
            Self::Text
        }
    }

    /// Whether `value` is of this kind. A reference to another property is of
    /// every kind.
    pub(super) fn fits(self, value: &str) -> bool {
        let value = value.trim();
        value.contains("${")
            || match self {
                Self::Boolean => {
                    value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
                }
                Self::Integer => is_integer(value),
                Self::Quantity => is_quantity(value),
                Self::Decimal => is_decimal(value),
                Self::Text => true,
            }
    }

    /// The kind in words, for "it takes …".
    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::Boolean => "true or false",
            Self::Integer => "a whole number without a unit",
            Self::Quantity => {
                "a whole number, where it is a size or a time also with its unit \
                 (64m, 30s)"
            }
            Self::Decimal => "a decimal number",
            Self::Text => "any text",
        }
    }
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let hex = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    match hex {
        Some(hex) => !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// A whole number that may have a unit: of size (`StringUtils`'
/// `TraditionalBinaryPrefix`: k m g t p e) or of time (`Configuration`'s
/// `ParsedTimeDuration`: ns us ms s m h d).
fn is_quantity(text: &str) -> bool {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text[number.len()..].to_ascii_lowercase();
    let known = [
        "", "k", "m", "g", "t", "p", "e", "ns", "us", "ms", "s", "h", "d",
    ];
    is_integer(text) || (known.contains(&&*unit) && is_integer(number.trim_end()))
}

/// A decimal number as Java writes it, which may end in `f` or `d`.
fn is_decimal(text: &str) -> bool {
    let number = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    number.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
        && number.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("dfs.permissions.enabled", "true", Shape::Boolean)]
    #[case("yarn.nodemanager.resource.memory-mb", "-1", Shape::Integer)]
    #[case("dfs.blocksize", "134217728", Shape::Quantity)]
    #[case("dfs.datanode.balance.bandwidthPerSec", "100m", Shape::Quantity)]
    #[case(
        "mapreduce.reduce.shuffle.input.buffer.percent",
        "0.70",
        Shape::Decimal
    )]
    #[case("dfs.namenode.safemode.threshold-pct", "0.999f", Shape::Decimal)]
    #[case("dfs.datanode.data.dir.perm", "700", Shape::Text)]
    #[case("fs.permissions.umask-mode", "022", Shape::Text)]
    #[case("fs.defaultFS", "file:///", Shape::Text)]
    #[case("yarn.nodemanager.aux-services", "", Shape::Text)]
    fn the_default_shows_the_kind(#[case] key: &str, #[case] default: &str, #[case] shape: Shape) {
        assert_eq!(Shape::of(key, default), shape);
    }

    #[test]
    fn values_are_of_their_kind_or_not() {
        for (shape, good, bad) in [
            (
                Shape::Boolean,
                &["true", "False", "${other}"][..],
                &["yes", "1", ""][..],
            ),
            (
                Shape::Integer,
                &["4096", "-1", " 7 ", "0x10"],
                &["4g", "1.5", "", "-", "0x"],
            ),
            (
                Shape::Quantity,
                &["64m", "67108864", "30s", "10 m"],
                &["64mb", "m", "", "1.5g"],
            ),
            (
                Shape::Decimal,
                &["0.5", "1", "90.0f", ".5", "-1"],
                &["half", "NaN", "inf", "50%"],
            ),
            (Shape::Text, &["", "anything"], &[]),
        ] {
            for value in good {
                assert!(shape.fits(value), "{shape:?} refused {value:?}");
            }
            for value in bad {
                assert!(!shape.fits(value), "{shape:?} accepted {value:?}");
            }
        }
    }
}
