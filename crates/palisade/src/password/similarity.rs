//! How alike a password and something known about its owner are, as Python's `difflib` counts it.

use palisade_core::character::is_word;

/// The lower-cased password, its characters counted once for all comparisons.
pub(super) struct Likeness {
    sorted: Vec<char>,
    limit: f64,
}

impl Likeness {
    /// Prepares to compare with `password`; from `limit` on, two texts are too similar.
    pub(super) fn new(password: &str, limit: f64) -> Self {
        Self {
            sorted: sorted_chars(&password.to_lowercase()),
            limit,
        }
    }

    /// Tells whether the attribute, or a word of it, is too similar.
    pub(super) fn reaches(&self, attribute: &str) -> bool {
        let attribute = attribute.to_lowercase();
        words(&attribute)
            .chain([attribute.as_str()])
            .any(|part| self.reaches_part(part))
    }

    fn reaches_part(&self, part: &str) -> bool {
        let part = sorted_chars(part);
        !self.is_out_of_proportion(part.len()) && quick_ratio(&self.sorted, &part) >= self.limit
    }

    /// Tells whether a text of this length can be left out, being far too short to be similar (CVE-2021-45115).
    fn is_out_of_proportion(&self, length: usize) -> bool {
        let password = self.sorted.len();
        password >= length.saturating_mul(10) && float(length) < self.limit / 2.0 * float(password)
    }
}

/// Splits at whatever is not a word, as `re.split(r"\W+", …)`: text that begins or ends so also gives an empty word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let at_the_edge = !text.starts_with(is_word) || !text.ends_with(is_word);
    text.split(|c| !is_word(c))
        .filter(|word| !word.is_empty())
        .chain(at_the_edge.then_some(""))
}

/// Counts the characters both have in common, twice, in proportion to both lengths: an upper bound of `difflib`'s ratio.
fn quick_ratio(a: &[char], b: &[char]) -> f64 {
    let length = a.len() + b.len();
    if length == 0 {
        return 1.0;
    }
    2.0 * float(in_common(a, b)) / float(length)
}

fn in_common(a: &[char], b: &[char]) -> usize {
    let mut a = a.iter().peekable();
    let mut common = 0;
    for wanted in b {
        while a.next_if(|found| *found < wanted).is_some() {}
        common += usize::from(a.next_if_eq(&wanted).is_some());
    }
    common
}

fn sorted_chars(text: &str) -> Vec<char> {
    let mut chars: Vec<char> = text.chars().collect();
    chars.sort_unstable();
    chars
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "Python gives exactly these")]
    fn ratio_is_that_of_difflib() {
        let ratio = |a, b| quick_ratio(&sorted_chars(a), &sorted_chars(b));
        assert_eq!(ratio("abcd", "bcde"), 0.75);
        assert_eq!(ratio("", ""), 1.0);
        assert_eq!(ratio("A", "AAAAAAAAAA"), 0.181_818_181_818_181_82);
        assert_eq!(ratio("a", "b"), 0.0);
    }

    #[test]
    fn words_are_split_as_by_python() {
        let split = |text| words(text).collect::<Vec<_>>();
        assert_eq!(split("jean-luc.picard"), ["jean", "luc", "picard"]);
        assert_eq!(split(" a.. b_c!"), ["a", "b_c", ""]);
        assert_eq!(split("e\u{301}ric"), ["e", "ric"]);
        assert_eq!(split("..."), [""]);
    }

    proptest! {
        #[test]
        fn counting_sorted_characters_is_counting_characters(a in "[a-dé]{0,20}", b in "[a-dé]{0,20}") {
            let mut left: HashMap<char, usize> = HashMap::new();
            for c in a.chars() {
                *left.entry(c).or_default() += 1;
            }
            let mut common = 0;
            for c in b.chars() {
                if let Some(n) = left.get_mut(&c).filter(|n| **n > 0) {
                    *n -= 1;
                    common += 1;
                }
            }
            prop_assert_eq!(in_common(&sorted_chars(&a), &sorted_chars(&b)), common);
        }
    }
}
