//! Checksum files that publishers put beside their files.

use super::{Algorithm, Digest, SourceError};

/// The digest that a checksum file gives for `file_name`.
///
/// Understood are the three forms in use: `HASH  name` (coreutils, Temurin and
/// Raspberry Pi), `SHA512 (name) = HASH` (BSD, Apache since 3.x), and groups of
/// digits over several lines behind `name:` (`gpg --print-md`, older Apache
/// releases). The name inside need not be the file's: Apache's often carries a
/// release candidate's suffix. Only where a text holds several digests does the
/// line that ends in, or brackets, the file's name win over the last one.
pub fn digest_for(
    text: &str,
    algorithm: Algorithm,
    file_name: &str,
    place: &str,
) -> Result<Digest, SourceError> {
    let digits = algorithm.hex_digits();
    let named = text
        .lines()
        .filter(|line| names(line, file_name))
        .filter_map(|line| last_whole_word(line, digits))
        .next_back();
    let found = named
        .or_else(|| last_whole_word(text, digits))
        .map(str::to_owned)
        .or_else(|| last_grouped(text, digits));
    match found {
        Some(hex) => Digest::parse(algorithm, &hex),
        None => Err(SourceError::Sidecar {
            algorithm: algorithm.name(),
            place: place.to_owned(),
            detail: describe(text),
        }),
    }
}

/// Whether `line` is about a file of this name, with or without directories.
fn names(line: &str, file_name: &str) -> bool {
    line.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '*'))
        .any(|word| word == file_name || word.rsplit('/').next() == Some(file_name))
}

fn is_hex(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn last_whole_word(text: &str, digits: usize) -> Option<&str> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '=' | ':' | '(' | ')' | '\\'))
        .rfind(|word| word.len() == digits && is_hex(word))
}

/// The last run of short groups that has exactly `digits` digits together.
fn last_grouped(text: &str, digits: usize) -> Option<String> {
    let mut runs = vec![String::new()];
    for word in text.split_whitespace() {
        // The name before the groups may itself end in hexadecimal digits, but
        // a colon or equals sign follows it.
        match word.rsplit_once([':', '=']) {
            Some((_, "")) => runs.push(String::new()),
            Some((_, rest)) if is_hex(rest) => runs.push(rest.to_owned()),
            None if is_hex(word) => {
                if let Some(run) = runs.last_mut() {
                    run.push_str(word);
                }
            }
            _ => runs.push(String::new()),
        }
    }
    runs.into_iter().rfind(|run| run.len() == digits)
}

fn describe(text: &str) -> String {
    let start = text.trim_start();
    let page = start
        .get(..5)
        .is_some_and(|head| head.eq_ignore_ascii_case("<html"))
        || start
            .get(..9)
            .is_some_and(|head| head.eq_ignore_ascii_case("<!doctype"));
    if page {
        return "it is a web page, so a proxy or a login page may have answered".to_owned();
    }
    if start.is_empty() {
        return "it is empty".to_owned();
    }
    let line: String = start
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(60)
        .collect();
    format!("it begins {line:?}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const A: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const B: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const L: &str = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                     2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    /// `gpg --print-md` layout: the name, a colon, upper-case groups of eight,
    /// further lines indented below.
    fn grouped(name: &str, hex: &str) -> String {
        let groups: Vec<&str> = (0..hex.len())
            .step_by(8)
            .map(|at| &hex[at..at + 8])
            .collect();
        let rows: Vec<String> = groups
            .chunks(4)
            .map(|row| row.join(" ").to_uppercase())
            .collect();
        format!(
            "{name}: {}\n",
            rows.join(&format!("\n{:width$}", "", width = name.len() + 2))
        )
    }

    #[rstest]
    #[case::coreutils(format!("{A}  x.tar.gz\n"), A)]
    #[case::binary_mark(format!("{A} *x.tar.gz\n"), A)]
    #[case::bare(A.to_owned(), A)]
    #[case::upper(format!("{}  x.tar.gz\r\n", A.to_uppercase()), A)]
    #[case::bsd(format!("SHA256 (x.tar.gz) = {A}\n"), A)]
    #[case::bsd_of_another_name(format!("SHA256 (x-RC1.tar.gz) = {A}\n"), A)]
    #[case::name_that_looks_like_hex(format!("{A}  deadbeef\n"), A)]
    #[case::list_with_our_name_first(format!("{A}  x.tar.gz\n{B}  y.tar.gz\n"), A)]
    #[case::list_with_our_name_last(format!("{A}  y.tar.gz\n{B}  ./x.tar.gz\n"), B)]
    #[case::list_without_our_name(format!("{A}  y\n{B}  z\n"), B)]
    #[case::longer_name_is_another(format!("{A}  y\n{B}  x.tar.gz.asc\n{A}  z\n"), A)]
    #[case::openssl(format!("SHA2-256(x.tar.gz)= {A}\n"), A)]
    #[case::escaped_name(format!("\\{A}  x\\\\y\n"), A)]
    #[case::gpg(grouped("x.tar.gz", A), A)]
    #[case::gpg_after_signature_text(format!("some words\n{}", grouped("feed", A)), A)]
    #[case::both_algorithms(format!("SHA512 (x.tar.gz) = {L}\nSHA256 (x.tar.gz) = {A}\n"), A)]
    fn sha256_is_found(#[case] text: String, #[case] expected: &str) {
        let digest = digest_for(&text, Algorithm::Sha256, "x.tar.gz", "x.tar.gz.sha256").unwrap();
        assert_eq!(digest.to_string(), expected);
    }

    #[rstest]
    #[case::bsd_of_release_candidate(format!("SHA512 (hadoop-3.3.6-RC1.tar.gz) = {L}\n"))]
    #[case::gpg(grouped("hadoop-2.10.2.tar.gz", L))]
    #[case::gpg_name_on_own_line(grouped("hadoop-2.10.2.tar.gz", L).replacen(": ", ":\n ", 1))]
    #[case::gpg_of_several(format!("x.gz: SHA256 = {}", &grouped("x.gz", A)[6..])
        + &format!("x.gz: SHA512 = {}", &grouped("x.gz", L)[6..]))]
    #[case::two_algorithms(format!("{L}  x\n{A}  x\n"))]
    fn sha512_is_found(#[case] text: String) {
        let digest = digest_for(&text, Algorithm::Sha512, "hadoop.tar.gz", "s").unwrap();
        assert_eq!(digest.to_string(), L, "in {text}");
    }

    #[rstest]
    #[case::page("<!DOCTYPE html><html><body>Sign in</body>", "web page")]
    #[case::empty(" \n", "empty")]
    #[case::too_short("ba7816bf  x.tar.gz", "begins \"ba7816bf")]
    #[case::one_digit_more(
        "0ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  x",
        "begins"
    )]
    fn what_is_none_is_described(#[case] text: &str, #[case] words: &str) {
        let error = digest_for(text, Algorithm::Sha256, "x.tar.gz", "https://h/x.sha256");
        let message = error.unwrap_err().to_string();
        assert!(
            message.contains(words) && message.contains("https://h/x.sha256"),
            "{message}"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC*") {
            let _ = digest_for(&text, Algorithm::Sha512, "x", "y");
        }
    }
}
