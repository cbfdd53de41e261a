//! TOML, or what keeps a text from being it.

use toml::Spanned;
use toml::de::DeTable;

use super::Problem;

/// Most syntax errors reported in one run: behind an open quote, each line is
/// one more.
const MOST_SYNTAX_ERRORS: usize = 10;

/// The table that `text` is, or what keeps it from being TOML: the first error
/// of each line.
pub fn document(text: &str) -> Result<Spanned<DeTable<'_>>, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table);
    }
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| {
            let span = error.span().unwrap_or(0..0);
            Problem::new(span, format!("this is not TOML: {}", error.message()))
        })
        .collect();
    problems.sort_by_key(|problem| problem.span.start);
    let line_of = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    problems.dedup_by_key(|problem| line_of(problem.span.start));
    problems.truncate(MOST_SYNTAX_ERRORS);
    Err(problems)
}
