//! PBKDF2 (RFC 8018 §5.2) as Django uses it: one block of output.
//!
//! A million rounds of HMAC-SHA256 are two million compressions of one block each, and nothing else should be paid
//! for: the loop works on the compression function itself, from the two states that the password leaves behind, and spares
//! the padding, counting and copying of a general HMAC. Other digests have no such loop: they only verify what is to be replaced.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// The initial state of SHA-256 (FIPS 180-4 §5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A block that holds one digest, the end mark, and the length of both blocks hashed: 96 bytes.
const PADDED: [u8; 64] = {
    let mut block = [0; 64];
    block[32] = 0x80;
    block[62] = 0x03;
    block
};

/// Derives 32 bytes with HMAC-SHA256; fewer than one iteration counts as one.
pub(super) fn pbkdf2_sha256(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut inner = keyed(password, 0x36);
    let mut outer = keyed(password, 0x5c);
    let mut round = first_round(password, salt);
    let mut sum = round;
    for _ in 1..iterations {
        let digest = compress(inner, &round);
        round = compress(outer, &digest);
        for (sum, word) in sum.iter_mut().zip(round) {
            *sum ^= word;
        }
    }
    inner.zeroize();
    outer.zeroize();
    to_bytes(&sum)
}

/// Hashes one digest on top of what `state` has seen.
#[inline]
fn compress(mut state: [u32; 8], digest: &[u32; 8]) -> [u32; 8] {
    let mut block = PADDED;
    write(&mut block, digest);
    compress256(&mut state, &[block]);
    state
}

/// The state after one block of the password, padded as RFC 2104 says.
fn keyed(password: &[u8], pad: u8) -> [u32; 8] {
    let mut block = [0; 64];
    match block.get_mut(..password.len()) {
        Some(start) => start.copy_from_slice(password),
        None => block[..32].copy_from_slice(&Sha256::digest(password)),
    }
    for byte in &mut block {
        *byte ^= pad;
    }
    let mut state = INITIAL;
    compress256(&mut state, &[block]);
    block.zeroize();
    state
}

fn first_round(password: &[u8], salt: &[u8]) -> [u32; 8] {
    let mut words = [0; 8];
    // An HMAC takes a key of any length.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(password) {
        mac.update(salt);
        mac.update(&1_u32.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        for (word, bytes) in words.iter_mut().zip(digest.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
    }
    words
}

fn write(into: &mut [u8], words: &[u32; 8]) {
    for (bytes, word) in into.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *bytes = word.to_be_bytes();
    }
}

fn to_bytes(words: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    write(&mut bytes, words);
    bytes
}

#[cfg(test)]
mod tests {
    use palisade_core::signing;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn own_loop_derives_what_the_general_one_does(
            password in prop::collection::vec(any::<u8>(), 0..200),
            salt in prop::collection::vec(any::<u8>(), 0..100),
            iterations in 1_u32..20,
        ) {
            let general = signing::pbkdf2(&password, &salt, iterations, 0, signing::Algorithm::Sha256);
            prop_assert_eq!(pbkdf2_sha256(&password, &salt, iterations).to_vec(), general);
        }
    }

    #[test]
    fn key_of_one_block_and_of_one_byte_more_are_told_apart() {
        for length in [63, 64, 65] {
            let password = vec![7; length];
            let general = signing::pbkdf2(&password, "salt", 2, 0, signing::Algorithm::Sha256);
            assert_eq!(pbkdf2_sha256(&password, b"salt", 2).to_vec(), general);
        }
    }
}
