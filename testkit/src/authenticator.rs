//! An authenticator, as a phone has one: codes of RFC 6238, written apart from what checks them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// Returns the code that a secret in Base32 shows at a time, in seconds since 1970; none if the secret is none.
pub fn code(secret: &str, seconds: u64) -> Option<String> {
    let (mut key, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in secret.trim_end_matches('=').chars() {
        let value = match letter.to_ascii_uppercase() {
            letter @ 'A'..='Z' => u32::from(letter) - u32::from('A'),
            digit @ '2'..='7' => u32::from(digit) - u32::from('2') + 26,
            _ => return None,
        };
        bits = (bits << 5) | value;
        count += 5;
        if count >= 8 {
            count -= 8;
            key.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).ok()?;
    mac.update(&(seconds / 30).to_be_bytes());
    let tag = mac.finalize().into_bytes();
    let offset = usize::from(tag.last()? & 0xf);
    let word: [u8; 4] = tag.get(offset..offset + 4)?.try_into().ok()?;
    Some(format!(
        "{:06}",
        (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000
    ))
}
