//! `Range`: which bytes of a file somebody asks for (RFC 9110, section 14).

use std::ops::Range;

/// How many ranges of one request are looked at; whoever asks for more is sent the whole (CVE-2011-3192).
const MOST_RANGES: usize = 16;

/// What a request with a `Range` is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RangeAnswer {
    /// All of it (200): no range was asked for, or none that can be understood, or several that are not one.
    Whole,
    /// These bytes (206).
    Part(Range<u64>),
    /// Nothing of what was asked for is there (416).
    Unsatisfiable,
}

/// Says what a `Range` header asks for of a file of `size` bytes.
///
/// Several ranges that touch are one; others are answered with the whole, as the RFC lets a server do, so that no request
/// multiplies what it costs.
///
/// # Example
///
/// ```
/// use palisade_core::header::{RangeAnswer, byte_range};
///
/// assert_eq!(byte_range("bytes=0-99", 1000), RangeAnswer::Part(0..100));
/// assert_eq!(byte_range("bytes=-100", 1000), RangeAnswer::Part(900..1000));
/// assert_eq!(byte_range("bytes=1000-", 1000), RangeAnswer::Unsatisfiable);
/// assert_eq!(byte_range("lines=1-2", 1000), RangeAnswer::Whole);
/// ```
pub fn byte_range(header: &str, size: u64) -> RangeAnswer {
    let Some((unit, set)) = header.split_once('=') else {
        return RangeAnswer::Whole;
    };
    if !unit.trim_matches(BLANK).eq_ignore_ascii_case("bytes") {
        return RangeAnswer::Whole;
    }
    let mut found: Vec<Range<u64>> = Vec::new();
    for (number, spec) in set.split(',').enumerate() {
        if number == MOST_RANGES {
            return RangeAnswer::Whole;
        }
        match one(spec.trim_matches(BLANK), size) {
            One::Part(part) => found.push(part),
            One::Beyond => {}
            One::Malformed => return RangeAnswer::Whole,
        }
    }
    found.sort_unstable_by_key(|part| part.start);
    let mut parts = found.into_iter();
    let Some(mut whole) = parts.next() else {
        return RangeAnswer::Unsatisfiable;
    };
    for part in parts {
        if part.start > whole.end {
            return RangeAnswer::Whole;
        }
        whole.end = whole.end.max(part.end);
    }
    RangeAnswer::Part(whole)
}

/// What may stand around a token.
const BLANK: [char; 2] = [' ', '\t'];

/// One range of several.
enum One {
    Part(Range<u64>),
    Beyond,
    Malformed,
}

fn one(spec: &str, size: u64) -> One {
    let Some((first, last)) = spec.split_once('-') else {
        return One::Malformed;
    };
    let part = match (first, number(first), last, number(last)) {
        ("", _, _, Some(suffix)) => size.saturating_sub(suffix)..size,
        (_, Some(first), "", _) => first..size,
        (_, Some(first), _, Some(last)) if first <= last => first..last.saturating_add(1).min(size),
        _ => return One::Malformed,
    };
    if part.start < part.end {
        One::Part(part)
    } else {
        One::Beyond
    }
}

/// Digits alone. A number that no file reaches is as good as the largest.
fn number(digits: &str) -> Option<u64> {
    let is_one = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_those_of_the_rfc() {
        use RangeAnswer::{Part, Unsatisfiable, Whole};
        for (header, size, answer) in [
            ("bytes=0-499", 10_000, Part(0..500)),
            ("bytes=500-999", 10_000, Part(500..1000)),
            ("bytes=-500", 10_000, Part(9500..10_000)),
            ("bytes=9500-", 10_000, Part(9500..10_000)),
            ("bytes=0-0", 10_000, Part(0..1)),
            ("BYTES= 0-0 ", 10_000, Part(0..1)),
            ("bytes=0-99999", 10_000, Part(0..10_000)),
            ("bytes=-99999", 10_000, Part(0..10_000)),
            ("bytes=0-18446744073709551615", 10, Part(0..10)),
            ("bytes=0-99999999999999999999999", 10, Part(0..10)),
            ("bytes=99999999999999999999999-", 10, Unsatisfiable),
            ("bytes=-0", 10, Unsatisfiable),
            ("bytes=10-", 10, Unsatisfiable),
            ("bytes=10-20,30-", 10, Unsatisfiable),
            ("bytes=0-", 0, Unsatisfiable),
            ("bytes=-5", 0, Unsatisfiable),
            ("bytes=5-2", 10, Whole),
            ("bytes=", 10, Whole),
            ("bytes=-", 10, Whole),
            ("bytes=a-b", 10, Whole),
            ("bytes=+1-2", 10, Whole),
            ("bytes=1", 10, Whole),
            ("bytes", 10, Whole),
            ("items=0-1", 10, Whole),
            // Several: one if they touch, else the whole.
            ("bytes=0-4,5-9", 100, Part(0..10)),
            ("bytes=5-9, 0-6", 100, Part(0..10)),
            ("bytes=0-1,200-", 100, Part(0..2)),
            ("bytes=0-0,-1", 100, Whole),
        ] {
            assert_eq!(byte_range(header, size), answer, "{header} of {size}");
        }
        let many = format!("bytes={}", "0-,".repeat(5000));
        assert_eq!(byte_range(&many, 100), Whole);
    }

    proptest! {
        #[test]
        fn part_lies_within_the_file_and_is_not_empty(header in "bytes=[0-9,-]{0,30}", size in 0..2000_u64) {
            if let RangeAnswer::Part(part) = byte_range(&header, size) {
                prop_assert!(part.start < part.end && part.end <= size);
            }
        }
    }
}
