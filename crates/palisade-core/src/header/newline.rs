//! Line breaks in a response header: whoever can write one writes the next header, too.

use crate::repr::Repr;

/// A header's name or value has a line break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Header values can't contain newlines (got {})", Repr(.0))]
pub struct BadHeader(pub String);

/// Checks that neither the name nor the value of a header has a line break, the name first: Django's `BadHeaderError`.
///
/// # Errors
///
/// With the text that has one.
///
/// # Example
///
/// ```
/// use palisade_core::header::check_newlines;
///
/// assert!(check_newlines("X-A", "ok").is_ok());
/// let refusal = check_newlines("X-A", "a\nb").unwrap_err();
/// assert_eq!(refusal.to_string(), r"Header values can't contain newlines (got 'a\nb')");
/// ```
pub fn check_newlines(name: &str, value: &str) -> Result<(), BadHeader> {
    let broken = [name, value].into_iter().find(|text| text.contains(['\r', '\n']));
    broken.map_or(Ok(()), |text| Err(BadHeader(text.to_owned())))
}
