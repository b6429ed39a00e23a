//! Reads one of our cookies out of what a browser sent.
//!
//! The `Cookie` header is shared with whoever else set cookies for the domain, in bytes of their choice. What is ours is
//! ASCII; a neighbour that is not must neither hide it nor pass for it: a byte beyond ASCII is never a letter, and never
//! the white space that is trimmed off a name (which is how `__Host-` names have been forged elsewhere).

use std::borrow::Cow;

use http::HeaderValue;
use palisade_core::cookie;

/// The value of the cookie of that name, if it was sent; the last counts.
pub(crate) fn value<'h>(line: &'h HeaderValue, name: &str) -> Option<Cow<'h, str>> {
    if let Ok(line) = line.to_str() {
        return cookie::value(line, name);
    }
    let line: String = line
        .as_bytes()
        .iter()
        .map(|byte| match byte {
            0..=0x7f => char::from(*byte),
            _ => char::REPLACEMENT_CHARACTER,
        })
        .collect();
    cookie::value(&line, name).map(|value| Cow::Owned(value.into_owned()))
}
