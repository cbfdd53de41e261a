use proptest::prelude::*;

use super::VALID;
use crate::cluster::parse;
use crate::diagnostic::{Color, render};

/// A piece of a cluster file, so that mutations reach the checks behind the
/// syntax.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("\"\"".to_owned()),
        Just("[[node]]\n".to_owned()),
        Just("{ path = 1, url = \"x\" }".to_owned()),
        Just("\"255.255.255.255/30\"".to_owned()),
        Just("-9223372036854775809".to_owned()),
        Just("\"é\u{202e}\u{0}\"".to_owned()),
        Just("[[[[]]]]".to_owned()),
        Just("a.b.c.\"d.e\" = 1979-05-27\n".to_owned()),
        "[ -~\n]{0,12}",
        "(?s).{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_answered(text in "(?s).{0,200}") {
        if let Err(problems) = parse(&text) {
            prop_assert!(!problems.is_empty());
            render("f", &text, &problems, Color::Off);
        }
    }

    #[test]
    fn any_mutation_is_answered_with_places_in_the_text(
        edits in prop::collection::vec((0usize..VALID.len(), 0usize..40, piece()), 1..4),
    ) {
        let mut text = VALID.to_owned();
        for (at, length, piece) in edits {
            let mut at = at.min(text.len());
            while !text.is_char_boundary(at) { at -= 1; }
            let mut end = (at + length).min(text.len());
            while !text.is_char_boundary(end) { end += 1; }
            text.replace_range(at..end, &piece);
        }
        if let Err(problems) = parse(&text) {
            prop_assert!(!problems.is_empty());
            for problem in &problems {
                prop_assert!(problem.span.end <= text.len(), "{problem:?}");
                prop_assert!(text.get(problem.span.clone()).is_some(), "{problem:?}");
            }
            let shown = render("f", &text, &problems, Color::Off);
            prop_assert_eq!(shown, render("f", &text, &parse(&text).unwrap_err(), Color::Off));
        }
    }
}

#[test]
fn deep_nesting_ends() {
    for open in ["[", "{a=", "a."] {
        let text = format!("a = {}", open.repeat(50_000));
        assert!(parse(&text).is_err());
    }
}
