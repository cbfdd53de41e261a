//! "Did you mean".

use strsim::damerau_levenshtein;

/// The candidate that `word` is most likely a misspelling of, if one is close:
/// at most one edit in three characters, case and the choice between `-` and
/// `_` aside. Of equally close ones, the first in alphabetical order. Failing
/// that, the first one that `word` is the beginning of, up to a `-`, `_` or
/// `.`: `password` for `password_hash`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    let length = folded.chars().count();
    let candidates: Vec<&str> = candidates.into_iter().collect();
    candidates
        .iter()
        .filter_map(|candidate| {
            let other = fold(candidate);
            let limit = (length.max(other.chars().count()) / 3).max(1);
            // The lengths alone decide most pairs, and keep a very long word
            // from costing a table of its length squared.
            if length.abs_diff(other.chars().count()) > limit {
                return None;
            }
            let distance = damerau_levenshtein(&folded, &other);
            (distance <= limit && distance < length).then_some((distance, *candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
        .or_else(|| {
            let continues = |candidate: &&str| {
                fold(candidate)
                    .strip_prefix(&folded)
                    .is_some_and(|rest| rest.starts_with(['-', '.']))
            };
            candidates
                .iter()
                .copied()
                .filter(|c| length >= 4 && continues(c))
                .min()
        })
}

fn fold(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}

/// Names as a sentence lists them: `a, b and c`.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("adress", Some("address"))]
    #[case("Address", Some("address"))]
    #[case("authorized-keys", Some("authorized_keys"))]
    #[case("baord", Some("board"))]
    #[case("nme", Some("name"))]
    #[case("authorized", Some("authorized_keys"))]
    #[case("aut", None)]
    #[case("x", None)]
    #[case("", None)]
    #[case("colour", None)]
    fn finds_close_words_only(#[case] word: &str, #[case] expected: Option<&str>) {
        let known = ["name", "address", "board", "authorized_keys", "role"];
        assert_eq!(nearest(word, known), expected);
    }

    #[test]
    fn ties_do_not_depend_on_the_order_given() {
        assert_eq!(nearest("pi4-3gb", ["pi4-4gb", "pi4-2gb"]), Some("pi4-2gb"));
        assert_eq!(nearest("pi4-3gb", ["pi4-2gb", "pi4-4gb"]), Some("pi4-2gb"));
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(listed([]), "");
        assert_eq!(listed(["a"]), "a");
        assert_eq!(listed(["a", "b", "c"]), "a, b and c");
    }
}
