//! A text to count words in, and the count.

use std::collections::BTreeMap;

/// Different words of the text.
const VOCABULARY: u64 = 4000;

/// Words of each part of the text.
const WORDS_EACH: u32 = 250_000;

/// One part of the text, always the same: lines of words, some of them common,
/// most rare, with white space of all kinds between.
pub(crate) fn part(number: u32) -> String {
    let mut state = u64::from(number) + 1;
    // Knuth's MMIX generator; the high bits are good enough for words.
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut text = String::new();
    for index in 1..=WORDS_EACH {
        let rank = (next() % VOCABULARY) * (next() % VOCABULARY) / VOCABULARY;
        text.push_str(&word(rank));
        text.push_str(match index % 12 {
            0 => "\n",
            5 => "  ",
            7 => "\t",
            _ => " ",
        });
    }
    text.push('\n');
    text
}

/// A word that can be spoken, with letters of one to four bytes.
fn word(rank: u64) -> String {
    const SYLLABLES: [&str; 10] = ["ka", "ré", "Mo", "tu", "żi", "no", "lä", "𐌰", "su", "愛"];
    let mut word = String::new();
    for digit in rank.to_string().bytes() {
        word.push_str(SYLLABLES[usize::from(digit - b'0')]);
    }
    word
}

/// How often each word is in `texts`, as lines of WordCount's output: words in
/// the order of their bytes, a tab, the count.
pub(crate) fn word_count<'a>(texts: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut counts = BTreeMap::<&str, u64>::new();
    for word in texts
        .into_iter()
        .flat_map(|text| text.split_ascii_whitespace())
    {
        *counts.entry(word).or_default() += 1;
    }
    counts
        .iter()
        .map(|(word, count)| format!("{word}\t{count}"))
        .collect()
}
