//! A strict scanner for one JSON object: where its keys and values stand, and that they are what Python would accept.
//!
//! Values are checked and not built. Nesting is followed with a list of open brackets rather than by recursion, and has a
//! limit, so no text can overflow the stack.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use thiserror::Error;

/// How many brackets may be open inside a value. Python stops near a thousand, too.
pub const DEEPEST: usize = 900;

/// More digits than this, and Python does not read a whole number (since 3.11).
const MOST_DIGITS: usize = 4300;

/// From this many members on, equal keys are looked for through a table.
const MANY: usize = 32;

/// Text is not JSON as Python reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not JSON at byte {at}: expected {expected}")]
pub struct SyntaxError {
    /// Where, in bytes.
    pub at: usize,
    /// What should have stood there.
    pub expected: &'static str,
}

/// Where one member of an object stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The key, without its quotes.
    pub key: Range<usize>,
    /// Whether the key has escapes.
    pub escaped: bool,
    /// The value.
    pub value: Range<usize>,
}

impl Member {
    /// The key, its escapes resolved; half a surrogate pair becomes U+FFFD.
    pub fn key_in<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let raw = text.get(self.key.clone()).unwrap_or_default();
        if self.escaped {
            Cow::Owned(unescape(raw))
        } else {
            Cow::Borrowed(raw)
        }
    }

    /// The value, as it stands.
    pub fn value_in<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.value.clone()).unwrap_or_default()
    }
}

/// Splits the text of an object into its members.
///
/// Of two equal keys the first keeps its place and the last its value, as in a Python dictionary.
///
/// # Errors
///
/// Where the text is not one object with nothing after it, or is nested deeper than [`DEEPEST`].
///
/// # Example
///
/// ```
/// use palisade_core::json;
///
/// let text = r#"{"n": [1, NaN], "é": {}}"#;
/// let members = json::members(text).unwrap();
/// assert_eq!(members[0].key_in(text), "n");
/// assert_eq!(members[0].value_in(text), "[1, NaN]");
/// ```
pub fn members(text: &str) -> Result<Vec<Member>, SyntaxError> {
    let mut scanner = Scanner {
        text: text.as_bytes(),
        at: 0,
    };
    let mut found = Vec::new();
    scanner.space();
    scanner.expect(b'{', "an object")?;
    scanner.space();
    if !scanner.take(b'}') {
        loop {
            scanner.space();
            let (key, escaped) = scanner.key()?;
            let value = scanner.value()?;
            found.push(Member { key, escaped, value });
            scanner.space();
            if scanner.take(b'}') {
                break;
            }
            scanner.expect(b',', "',' or '}'")?;
        }
    }
    scanner.end()?;
    Ok(without_duplicates(text, found))
}

/// Checks that the text is one value, with nothing around it.
///
/// # Errors
///
/// Where it is not, or is nested deeper than [`DEEPEST`].
pub fn validate(text: &str) -> Result<(), SyntaxError> {
    let mut scanner = Scanner {
        text: text.as_bytes(),
        at: 0,
    };
    let value = scanner.value()?;
    if value.start == 0 && value.end == text.len() {
        Ok(())
    } else {
        Err(scanner.error("one value"))
    }
}

/// Lets the last of equal keys win, at the place of the first.
fn without_duplicates(text: &str, members: Vec<Member>) -> Vec<Member> {
    if members.len() < MANY {
        let mut kept = members;
        let mut next = 1;
        while let Some((member, before)) = kept.get_mut(..=next).and_then(<[Member]>::split_last_mut) {
            let key = member.key_in(text);
            let first = before.iter_mut().find(|first| first.key_in(text) == key);
            if let Some(first) = first {
                first.value = member.value.clone();
                kept.remove(next);
            } else {
                next += 1;
            }
        }
        return kept;
    }
    let mut places: HashMap<Cow<'_, str>, usize> = HashMap::with_capacity(members.len());
    let mut kept: Vec<Member> = Vec::with_capacity(members.len());
    for member in members {
        let place = *places.entry(member.key_in(text)).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(first) => first.value = member.value,
            None => kept.push(member),
        }
    }
    kept
}

/// Resolves the escapes of a string that was scanned.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = raw.chars();
    while let Some(character) = rest.next() {
        let escape = if character == '\\' { rest.next() } else { None };
        if escape == Some('u') {
            let unit = rest
                .by_ref()
                .take(4)
                .filter_map(|digit| digit.to_digit(16))
                .fold(0, |unit, digit| unit * 16 + digit);
            units.extend(u16::try_from(unit));
            continue;
        }
        flush(&mut units, &mut text);
        text.push(match escape {
            None => character,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(itself) => itself,
        });
    }
    flush(&mut units, &mut text);
    text
}

/// Writes out the UTF-16 units of consecutive `\u` escapes.
fn flush(units: &mut Vec<u16>, text: &mut String) {
    text.extend(char::decode_utf16(units.drain(..)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

/// What is open around the scanner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Array,
    Object,
}

struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    const fn error(&self, expected: &'static str) -> SyntaxError {
        SyntaxError {
            at: self.at,
            expected,
        }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), SyntaxError> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.error(expected))
        }
    }

    fn end(&mut self) -> Result<(), SyntaxError> {
        self.space();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(self.error("the end"))
        }
    }

    /// A key and its colon: where the key stands without quotes, and whether it has escapes.
    fn key(&mut self) -> Result<(Range<usize>, bool), SyntaxError> {
        self.expect(b'"', "a key in double quotes")?;
        let start = self.at;
        let escaped = self.string()?;
        let key = start..self.at - 1;
        self.space();
        self.expect(b':', "':'")?;
        Ok((key, escaped))
    }

    /// One value, however nested, and where it stands.
    fn value(&mut self) -> Result<Range<usize>, SyntaxError> {
        self.space();
        let start = self.at;
        // A list that stays empty costs nothing: most values are not nested.
        let mut open: Vec<Open> = Vec::new();
        loop {
            self.space();
            match self.peek() {
                Some(bracket @ (b'[' | b'{')) => {
                    self.at += 1;
                    if open.len() == DEEPEST {
                        return Err(self.error("less nesting"));
                    }
                    self.space();
                    let (kind, close) = if bracket == b'[' {
                        (Open::Array, b']')
                    } else {
                        (Open::Object, b'}')
                    };
                    if !self.take(close) {
                        open.push(kind);
                        if kind == Open::Object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => {
                    self.at += 1;
                    self.string()?;
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b'n') => self.word("null")?,
                Some(b't') => self.word("true")?,
                Some(b'f') => self.word("false")?,
                Some(b'N') => self.word("NaN")?,
                Some(b'I') => self.word("Infinity")?,
                _ => return Err(self.error("a value")),
            }
            // A value has ended: close what it ends, and go on where a comma asks for the next.
            loop {
                let Some(kind) = open.last().copied() else {
                    return Ok(start..self.at);
                };
                self.space();
                let (close, expected) = match kind {
                    Open::Array => (b']', "',' or ']'"),
                    Open::Object => (b'}', "',' or '}'"),
                };
                if self.take(close) {
                    open.pop();
                    continue;
                }
                self.expect(b',', expected)?;
                if kind == Open::Object {
                    self.space();
                    self.key()?;
                }
                break;
            }
        }
    }

    /// The rest of a string, after its first quote; whether it has escapes.
    fn string(&mut self) -> Result<bool, SyntaxError> {
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    self.at += 1;
                    escaped = true;
                    self.escape()?;
                }
                Some(0x20..) => self.at += self.plain(),
                _ => return Err(self.error("the end of a string")),
            }
        }
    }

    /// How many bytes follow that mean only themselves.
    fn plain(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        rest.iter().position(special).unwrap_or(rest.len())
    }

    /// The rest of an escape, after its backslash.
    fn escape(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|digit| digit.is_ascii_hexdigit()) {
                        return Err(self.error("four hexadecimal digits"));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.error("an escape")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), SyntaxError> {
        self.take(b'-');
        if self.peek() == Some(b'I') {
            return self.word("Infinity");
        }
        let start = self.at;
        if !self.take(b'0') {
            self.digits()?;
        }
        let whole = self.at - start;
        let mut is_float = false;
        if self.take(b'.') {
            is_float = true;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            is_float = true;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        if whole > MOST_DIGITS && !is_float {
            Err(self.error("fewer digits"))
        } else {
            Ok(())
        }
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at > start {
            Ok(())
        } else {
            Err(self.error("a digit"))
        }
    }

    fn word(&mut self, word: &'static str) -> Result<(), SyntaxError> {
        if self
            .text
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word.as_bytes()))
        {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.error("a value"))
        }
    }
}
