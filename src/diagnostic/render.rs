//! Problems as people see them.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::Problem;
use super::secret::masked;

/// Whether output has colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    Off,
    /// ANSI colours.
    On,
}

/// Every problem with the place it is in: file, line, column, the line itself
/// with a caret, other places that matter, and what to do.
///
/// Values of secret keys, password hashes and private keys in `text` are shown
/// as stars. Spans outside of `text` are brought inside.
pub fn render(file_name: &str, text: &str, problems: &[Problem], color: Color) -> String {
    let renderer = match color {
        Color::Off => Renderer::plain(),
        Color::On => Renderer::styled(),
    };
    // An empty file has no line to point at.
    let shown = if text.is_empty() {
        "\n".to_owned()
    } else {
        masked(text)
    };
    let file_name = printable(file_name);
    let mut out = String::new();
    for problem in problems {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&one(&renderer, &file_name, &shown, problem));
        out.push('\n');
    }
    out
}

fn one(renderer: &Renderer, file_name: &str, shown: &str, problem: &Problem) -> String {
    let label = printable(&problem.label);
    let primary = AnnotationKind::Primary
        .span(within(shown, &problem.span))
        .label((!label.is_empty()).then_some(label));
    let related = problem.related.iter().map(|(span, label)| {
        AnnotationKind::Context
            .span(within(shown, span))
            .label(printable(label))
    });
    let snippet = Snippet::source(shown)
        .path(file_name)
        .annotation(primary)
        .annotations(related);
    let mut group = Level::ERROR
        .primary_title(printable(&problem.message))
        .element(snippet);
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    renderer.render(&[group])
}

/// `span` moved inside `text` and onto character boundaries.
fn within(text: &str, span: &Range<usize>) -> Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// Words with nothing in them that moves a terminal's cursor.
fn printable(words: &str) -> String {
    words
        .chars()
        .map(|c| {
            if c.is_control() && c != '\n' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "schema = 1\n\n[cluster]\nname = \"élan vital\"\n\n[[node]]\nname = \"a\"\n";

    #[test]
    fn shows_place_label_related_and_help() {
        let at = TEXT.find("\"élan").unwrap();
        let first = TEXT.find("[cluster]").unwrap();
        let problem = Problem::new(at..at + 13, "the name is wrong")
            .label("this one")
            .related(first..first + 9, "in this section")
            .help("choose another");
        assert_snapshot!(render("cluster.toml", TEXT, &[problem], Color::Off), @r#"
        error: the name is wrong
         --> cluster.toml:4:8
          |
        3 | [cluster]
          | --------- in this section
        4 | name = "élan vital"
          |        ^^^^^^^^^^^^ this one
          |
          = help: choose another
        "#);
    }

    #[test]
    fn many_problems_stand_apart() {
        let problems = [
            Problem::new(0..6, "first"),
            Problem::new(11..11, "second").help("then"),
        ];
        assert_snapshot!(render("cluster.toml", TEXT, &problems, Color::Off), @r#"
        error: first
         --> cluster.toml:1:1
          |
        1 | schema = 1
          | ^^^^^^

        error: second
         --> cluster.toml:2:1
          |
        2 |
          | ^
          |
          = help: then
        "#);
    }

    #[test]
    fn an_empty_file_can_have_problems() {
        let problem = Problem::new(0..0, "nothing here");
        assert_snapshot!(render("cluster.toml", "", &[problem], Color::Off), @r#"
        error: nothing here
         --> cluster.toml:1:1
          |
        1 |
          | ^
        "#);
    }

    #[test]
    fn colour_is_the_only_difference() {
        let problem = Problem::new(0..6, "x").label("y").help("z");
        let plain = render("f", TEXT, std::slice::from_ref(&problem), Color::Off);
        let coloured = render("f", TEXT, &[problem], Color::On);
        assert!(!plain.contains('\x1b') && coloured.contains("\x1b["));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    }

    #[test]
    fn a_terminal_cannot_be_driven_by_words() {
        let problem = Problem::new(0..1, "a\x1b[2Jb")
            .label("\x07")
            .help("\x1b]0;t\x07");
        let shown = render("f\x1b[1m", "k\x1b[31m = 1", &[problem], Color::Off);
        assert!(
            !shown.contains(|c: char| c.is_control() && c != '\n'),
            "{shown:?}"
        );
    }

    proptest! {
        #[test]
        fn any_span_in_any_text_renders(
            text in "(?s).{0,80}",
            a in 0usize..100,
            b in 0usize..100,
            c in 0usize..100,
        ) {
            let problem = Problem::new(a..b, "message").label("l").related(b..c, "r").help("h");
            for color in [Color::Off, Color::On] {
                let shown = render("file.toml", &text, std::slice::from_ref(&problem), color);
                prop_assert!(shown.contains("message"));
                prop_assert!(shown.contains("file.toml"));
            }
        }
    }
}
