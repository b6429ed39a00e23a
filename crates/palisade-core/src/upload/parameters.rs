//! Header values with parameters, such as `form-data; name="a"`, read as Python's `email` package reads them.

use crate::character::is_space;

/// A parameter is encoded in a way that nobody can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a header parameter has an unknown encoding")]
pub struct InvalidParameters;

/// One piece of a parameter that RFC 2231 lets come in pieces.
type Piece = (Option<u64>, String, bool);

/// Splits a header value into what stands before the first `;`, in lower case, and its parameters: Django's
/// `parse_header_parameters`. Of equal names the last one counts. RFC 2231 (`name*=utf-8''…`, `name*0=…`) is decoded.
///
/// # Errors
///
/// Where a parameter names an encoding other than UTF-8, ASCII and Latin-1.
///
/// # Security
///
/// Linear in the length of the line, however many quotes and semicolons it has (CVE-2026-84429).
///
/// # Example
///
/// ```
/// use palisade_core::upload::parse_parameters;
///
/// let (value, parameters) = parse_parameters(r#"Form-Data; Name="a;b"; filename*=utf-8''%C3%A9"#)?;
/// assert_eq!(value, "form-data");
/// assert_eq!(parameters, [("name".into(), "a;b".into()), ("filename".into(), "é".into())]);
/// # Ok::<(), palisade_core::upload::InvalidParameters>(())
/// ```
pub fn parse_parameters(line: &str) -> Result<(String, Vec<(String, String)>), InvalidParameters> {
    if !line.contains(';') {
        return Ok((strip(line).to_lowercase(), Vec::new()));
    }
    let mut chunks = split(line).into_iter().map(name_and_value);
    let (value, _) = chunks.next().unwrap_or_default();
    let mut plain: Vec<(String, String)> = Vec::new();
    let mut pieces: Vec<(String, Vec<Piece>)> = Vec::new();
    for (name, value) in chunks {
        let value = unquote(&value);
        match continuation(&name) {
            None => plain.push((name, value)),
            Some((base, number)) => {
                let piece = (number, value, name.ends_with('*'));
                match pieces.iter_mut().find(|(known, _)| known == base) {
                    Some((_, known)) => known.push(piece),
                    None => pieces.push((base.to_owned(), vec![piece])),
                }
            }
        }
    }
    for (name, pieces) in pieces {
        plain.push((name, assemble(pieces)?));
    }
    Ok((value.to_lowercase(), last_of_each(plain)))
}

fn last_of_each(parameters: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut kept: Vec<(String, String)> = Vec::with_capacity(parameters.len());
    for (name, value) in parameters.into_iter().filter(|(name, _)| !name.is_empty()) {
        match kept.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => kept.push((name, value)),
        }
    }
    kept
}

/// Splits at semicolons that are not between quotes.
fn split(line: &str) -> Vec<&str> {
    let mut chunks = Vec::new();
    let (mut start, mut is_quoted, mut previous) = (0, false, ' ');
    for (place, character) in line.char_indices() {
        match character {
            '"' if previous != '\\' => is_quoted = !is_quoted,
            ';' if !is_quoted => {
                chunks.extend(line.get(start..place));
                start = place + 1;
                // Python counts from the start of each chunk.
                previous = ' ';
                continue;
            }
            _ => {}
        }
        previous = character;
    }
    // Without its closing quote the rest is one chunk.
    chunks.extend(line.get(start..));
    chunks
}

fn name_and_value(chunk: &str) -> (String, String) {
    match chunk.split_once('=') {
        Some((name, value)) => (strip(name).to_lowercase(), strip(value).to_owned()),
        None => (strip(chunk).to_owned(), String::new()),
    }
}

/// Reads `name*`, `name*2` and `name*2*`.
fn continuation(name: &str) -> Option<(&str, Option<u64>)> {
    let (base, rest) = name.split_once('*')?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if base.is_empty() || !base.bytes().all(is_word) {
        return None;
    }
    let number = rest.strip_suffix('*').unwrap_or(rest);
    if number.is_empty() {
        return rest.is_empty().then_some((base, None));
    }
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (base, Some(number.parse().unwrap_or(u64::MAX))))
}

/// Puts the pieces of a value together, and decodes it where a piece says so.
fn assemble(mut pieces: Vec<Piece>) -> Result<String, InvalidParameters> {
    // Python cannot order numbered and unnumbered pieces either.
    if pieces.iter().any(|(number, ..)| number.is_none())
        && pieces.iter().any(|(number, ..)| number.is_some())
    {
        return Err(InvalidParameters);
    }
    pieces.sort();
    let is_extended = pieces.iter().any(|(_, _, encoded)| *encoded);
    let whole: String = pieces
        .into_iter()
        .map(|(_, text, encoded)| if encoded { percent_decoded(&text) } else { text })
        .collect();
    if !is_extended {
        return Ok(whole);
    }
    let mut parts = whole.splitn(3, '\'');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(""), _, Some(text)) => Ok(text.to_owned()),
        (Some(charset), _, Some(text)) => decode(charset, &raw_bytes(text)),
        _ => decode("us-ascii", &raw_bytes(&whole)),
    }
}

/// Percent-escapes as the characters of Latin-1.
fn percent_decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let code = after
            .get(..2)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(code) = code {
            decoded.push(char::from(code));
            rest = after.get(2..).unwrap_or_default();
        } else {
            decoded.push('%');
            rest = after;
        }
    }
    decoded.push_str(rest);
    decoded
}

/// The bytes that Latin-1 characters stand for; others as Python escapes them.
fn raw_bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u32::from(character) {
            code @ 0..=0xff => bytes.extend(u8::try_from(code)),
            code @ 0x100..=0xffff => bytes.extend(format!("\\u{code:04x}").bytes()),
            code => bytes.extend(format!("\\U{code:08x}").bytes()),
        }
    }
    bytes
}

fn decode(charset: &str, bytes: &[u8]) -> Result<String, InvalidParameters> {
    let charset = charset.to_ascii_lowercase().replace(['_', ' '], "-");
    match charset.as_str() {
        "utf-8" | "utf8" | "u8" | "utf" => Ok(String::from_utf8_lossy(bytes).into_owned()),
        "us-ascii" | "ascii" | "646" => Ok(bytes
            .iter()
            .map(|byte| {
                if byte.is_ascii() {
                    char::from(*byte)
                } else {
                    char::REPLACEMENT_CHARACTER
                }
            })
            .collect()),
        "iso-8859-1" | "iso8859-1" | "latin-1" | "latin1" | "l1" | "8859" | "cp819" => {
            Ok(bytes.iter().copied().map(char::from).collect())
        }
        _ => Err(InvalidParameters),
    }
}

/// Takes quotes, or angle brackets, off a value.
fn unquote(text: &str) -> String {
    let between = |open, close| {
        (text.len() > 1)
            .then(|| text.strip_prefix(open)?.strip_suffix(close))
            .flatten()
    };
    match (between('"', '"'), between('<', '>')) {
        (Some(quoted), _) => quoted.replace("\\\\", "\\").replace("\\\"", "\""),
        (None, Some(bracketed)) => bracketed.to_owned(),
        (None, None) => text.to_owned(),
    }
}

fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}
