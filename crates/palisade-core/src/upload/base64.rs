//! Base64 as Python's `b64decode` reads it: what is not of the alphabet is skipped, and the first padding ends it.

/// Decodes, or finds that data is missing at the end.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut place, mut kept, mut pads) = (0_u8, 0_u8, 0_u8);
    for byte in text {
        if *byte == b'=' {
            pads += 1;
            if place >= 2 && place + pads >= 4 {
                return Some(bytes);
            }
            // More than three would end it, or stand where they mean nothing.
            pads = pads.min(3);
            continue;
        }
        let Some(value) = value(*byte) else { continue };
        pads = 0;
        match place {
            0 => kept = value,
            1 => {
                bytes.push(kept << 2 | value >> 4);
                kept = value & 15;
            }
            2 => {
                bytes.push(kept << 4 | value >> 2);
                kept = value & 3;
            }
            _ => bytes.push(kept << 6 | value),
        }
        place = (place + 1) % 4;
    }
    (place == 0).then_some(bytes)
}

const fn value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
