//! Names of boards, and why some cannot be nodes.

use crate::cluster::Board;
use crate::diagnostic::{Fault, listed, nearest};

/// Models that cannot run a node, by how their names begin, and why.
const REFUSED: &[(&[&str], &str)] = &[
    (
        &["pi0-2", "pi02", "zero2", "pizero2"],
        "a Raspberry Pi Zero 2 W has 512 MB of memory, too little for a Hadoop daemon \
         and a container beside it",
    ),
    (
        &["pi0", "zero", "pizero"],
        "a Raspberry Pi Zero is ARMv6 with 512 MB of memory: no server Java runs on it, \
         and Hadoop would not fit",
    ),
    (
        &["pi1", "pib", "pia", "cm1"],
        "a Raspberry Pi 1 is ARMv6: no server Java runs on it, and Hadoop would not fit \
         its 512 MB of memory",
    ),
    (
        &["pi2"],
        "a Raspberry Pi 2 is ARMv7 without a 64-bit mode, and the images, Java and Hadoop here \
         are 64-bit; only its last version, 1.2, has the processor of the Pi 3: it is a `pi3-1gb`",
    ),
    (
        &["pi3a", "pi3plusa", "3a", "pi3-512mb"],
        "a Raspberry Pi 3 Model A+ has 512 MB of memory, too little for a Hadoop daemon \
         and a container beside it",
    ),
];

/// Models that are one of the known boards in another shape.
const SAME_AS: &[(&str, &str, &str)] = &[
    ("pi400", "a Raspberry Pi 400", "pi4-4gb"),
    ("pi500plus", "a Raspberry Pi 500+", "pi5-16gb"),
    ("pi500", "a Raspberry Pi 500", "pi5-8gb"),
    (
        "cm5",
        "a Compute Module 5",
        "the `pi5-…` of the same memory",
    ),
    (
        "cm4",
        "a Compute Module 4",
        "the `pi4-…` of the same memory",
    ),
    ("cm3", "a Compute Module 3", "pi3-1gb"),
];

pub(super) fn check_board(text: &str) -> Result<Board, Fault> {
    if let Some(board) = Board::named(text) {
        return Ok(board);
    }
    let known = || listed(Board::ALL.iter().map(|board| board.name));
    let short = shortened(text);
    for (beginnings, reason) in REFUSED {
        if beginnings
            .iter()
            .any(|beginning| short.starts_with(&shortened(beginning)))
        {
            return Err(Fault::new(
                format!("{text:?} cannot be a node: {reason}"),
                format!("use one of {}", known()),
            ));
        }
    }
    let message = format!("unknown board {text:?}");
    if let Some((_, model, board)) = SAME_AS.iter().find(|(name, ..)| short.starts_with(name)) {
        let board = if board.contains(' ') {
            (*board).to_owned()
        } else {
            format!("`{board}`")
        };
        return Err(Fault::new(message, format!("for {model}, write {board}")));
    }
    if let Some(help) = memory_missing(&short) {
        return Err(Fault::new(message, help));
    }
    Err(
        match nearest(text, Board::ALL.iter().map(|board| board.name)) {
            Some(meant) => Fault::new(
                message,
                format!("did you mean `{meant}`? Known are {}", known()),
            ),
            None => Fault::new(message, format!("known are {}", known())),
        },
    )
}

/// For a known model with no memory, or with one it does not come with, the
/// boards there are.
fn memory_missing(short: &str) -> Option<String> {
    let model_of = |board: &Board| board.name.split('-').next().unwrap_or_default();
    // The longest, as `pi3` also begins `pi3plus`.
    let model = Board::ALL
        .iter()
        .map(model_of)
        .filter(|model| short.starts_with(model))
        .max_by_key(|model| model.len())?;
    let memory = short[model.len()..].trim_end_matches(['b', 'g']);
    if !memory.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let variants: Vec<&str> = Board::ALL
        .iter()
        .filter(|board| model_of(board) == model)
        .map(|b| b.name)
        .collect();
    let exact = variants
        .iter()
        .find(|name| **name == format!("{model}-{memory}gb"));
    Some(match exact {
        Some(exact) => format!("did you mean `{exact}`?"),
        None => format!("say how much memory it has: {}", listed(variants)),
    })
}

/// The name without what people put around it: `Raspberry Pi Zero-W` is
/// `pizerow`.
fn shortened(text: &str) -> String {
    let letters: String = text
        .to_ascii_lowercase()
        .replace('+', "plus")
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    letters
        .strip_prefix("raspberry")
        .or(letters.strip_prefix("r"))
        .unwrap_or(&letters)
        .to_owned()
}
