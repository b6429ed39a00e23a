//! What may be printed.

use std::borrow::Cow;

/// placeholder
pub fn printable(text: &str, _most: usize) -> Cow<'_, str> { text.into() }
