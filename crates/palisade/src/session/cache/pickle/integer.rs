//! Whole numbers of any length, between Python's bytes (two's complement, lowest first) and decimal digits.

use std::fmt::Write as _;

/// More digits than this Python does not read from text (since 3.11), and sessions elsewhere are text.
const MOST_DIGITS: usize = 4300;

/// How many bytes so many digits need at most.
const MOST_BYTES: usize = 1786;

/// Nine digits, the most that fit into 32 bits.
const BILLION: u64 = 1_000_000_000;

/// Writes the digits; nothing where there are too many.
pub(super) fn to_decimal(bytes: &[u8]) -> Option<String> {
    if bytes.len() > MOST_BYTES {
        return None;
    }
    let negative = bytes.last().is_some_and(|top| top & 0x80 != 0);
    let magnitude = if negative { negated(bytes) } else { bytes.to_vec() };
    // Nine digits each, lowest first.
    let mut groups: Vec<u32> = vec![0];
    for byte in magnitude.iter().rev() {
        let mut carry = u64::from(*byte);
        for group in &mut groups {
            let sum = u64::from(*group) * 256 + carry;
            *group = u32::try_from(sum % BILLION).ok()?;
            carry = sum / BILLION;
        }
        if carry > 0 {
            groups.push(u32::try_from(carry).ok()?);
        }
    }
    let mut digits = String::with_capacity(groups.len() * 9 + 1);
    let mut highest_first = groups.iter().rev();
    let head = highest_first.next().map_or_else(String::new, u32::to_string);
    if negative {
        digits.push('-');
    }
    digits.push_str(&head);
    for group in highest_first {
        // A text takes all that is written to it.
        let _ = write!(digits, "{group:09}");
    }
    (digits.len() <= MOST_DIGITS + 1).then_some(digits)
}

/// Reads digits with their sign; nothing where there are too many, or anything else.
pub(super) fn from_decimal(text: &str) -> Option<Vec<u8>> {
    let (negative, digits) = text
        .strip_prefix('-')
        .map_or((false, text), |digits| (true, digits));
    if digits.is_empty() || digits.len() > MOST_DIGITS || !digits.bytes().all(|digit| digit.is_ascii_digit())
    {
        return None;
    }
    let mut magnitude: Vec<u8> = Vec::with_capacity(digits.len() / 2 + 2);
    for digit in digits.bytes() {
        let mut carry = u32::from(digit - b'0');
        for byte in &mut magnitude {
            let sum = u32::from(*byte) * 10 + carry;
            *byte = u8::try_from(sum & 0xff).ok()?;
            carry = sum >> 8;
        }
        if carry > 0 {
            magnitude.push(u8::try_from(carry).ok()?);
        }
    }
    // Room for the sign.
    magnitude.push(0);
    let mut bytes = if negative { negated(&magnitude) } else { magnitude };
    while let [.., before, last] = bytes.as_slice() {
        let needless = if negative {
            *last == 0xff && before & 0x80 != 0
        } else {
            *last == 0 && before & 0x80 == 0
        };
        if !needless {
            break;
        }
        bytes.pop();
    }
    Some(bytes)
}

fn negated(bytes: &[u8]) -> Vec<u8> {
    let mut carry = true;
    let negated = bytes.iter().map(|byte| {
        let (sum, over) = (!byte).overflowing_add(u8::from(carry));
        carry = over;
        sum
    });
    negated.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_python_s() {
        for (bytes, text) in [
            (&b""[..], "0"),
            (b"\x00", "0"),
            (b"\xff\x00", "255"),
            (b"\xff\x7f", "32767"),
            (b"\x00\xff", "-256"),
            (b"\x00\x80", "-32768"),
            (b"\x80", "-128"),
            (b"\xff", "-1"),
            (b"\x00\x00\x00\x00\x00\x00\x00\x00\x01", "18446744073709551616"),
            (b"\x00\x00\x00\x00\x00\x00\x00\x80", "-9223372036854775808"),
        ] {
            assert_eq!(to_decimal(bytes).unwrap(), text);
            assert_eq!(to_decimal(&from_decimal(text).unwrap()).unwrap(), text);
        }
        assert_eq!(from_decimal("255").unwrap(), b"\xff\x00");
        assert_eq!(from_decimal("-128").unwrap(), b"\x80");
        assert_eq!(from_decimal("-129").unwrap(), b"\x7f\xff");
    }

    #[test]
    fn every_number_of_a_session_comes_back_and_longer_ones_are_refused() {
        let longest = format!("-{}", "9".repeat(MOST_DIGITS));
        assert_eq!(to_decimal(&from_decimal(&longest).unwrap()).unwrap(), longest);
        assert_eq!(from_decimal(&"9".repeat(MOST_DIGITS + 1)), None);
        assert_eq!(to_decimal(&vec![1; MOST_BYTES + 1]), None);
        for bad in ["", "-", "1.0", "+1", "1e3"] {
            assert_eq!(from_decimal(bad), None, "{bad}");
        }
    }
}
