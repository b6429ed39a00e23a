//! Bytes as text of two digits each.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes bytes in lower-case hexadecimal.
///
/// # Example
///
/// ```
/// use palisade_core::hexadecimal::hexadecimal;
///
/// assert_eq!(hexadecimal(&[0, 0x5a, 0xff]), "005aff");
/// ```
pub fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| {
        DIGITS
            .get(usize::from(nibble))
            .map_or('0', |digit| char::from(*digit))
    };
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}
