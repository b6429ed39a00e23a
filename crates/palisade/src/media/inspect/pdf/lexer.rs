//! The words of a PDF (ISO 32000-1, 7.2), read one after the other out of a file.

use std::io::{Read, Seek};

use memchr::memmem;

use super::names::{self, plain};
use crate::media::inspect::{Source, Unacceptable};

/// A word, as far as it matters to the structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `<<`, and `>>`.
    Open,
    Close,
    /// A name without its slash and escapes.
    Name(Vec<u8>),
    /// A number that is whole and not below zero.
    Number(u64),
    /// Anything else: a bracket, `obj`, another number.
    Word(Vec<u8>),
    /// A text.
    Text,
}

impl Token {
    /// Whether it is this word.
    pub(super) fn is(&self, word: &[u8]) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

/// The longest comment between objects.
const MOST_OF_A_LINE: usize = 4096;
/// How much of a word is kept.
const MOST_OF_A_WORD: usize = 32;
/// How deep brackets of a text are nested.
const MOST_BRACKETS: u32 = 1000;

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

/// A byte that a name or a word is made of.
pub(super) fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !b"()<>[]{}/%".contains(&byte)
}

fn peek<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<Option<u8>, Unacceptable> {
    Ok(source.peek(1)?.first().copied())
}

/// Steps over white space.
pub(super) fn skip_space<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
    while peek(source)?.is_some_and(is_space) {
        source.seen(1);
    }
    Ok(())
}

/// Reads a line, up to and without its end.
pub(super) fn line<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<Vec<u8>, Unacceptable> {
    let mut line = Vec::new();
    while let Some(byte) = peek(source)?.filter(|byte| !matches!(byte, b'\r' | b'\n')) {
        line.push(byte);
        source.seen(1);
        source.rule(line.len() <= MOST_OF_A_LINE, "one of its remarks is too long")?;
    }
    Ok(line)
}

/// Reads the next word of an object.
pub(super) fn next<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<Token, Unacceptable> {
    skip_space(source)?;
    while peek(source)? == Some(b'%') {
        line(source)?;
        skip_space(source)?;
    }
    let first = source.byte()?;
    Ok(match first {
        b'(' => {
            text(source)?;
            Token::Text
        }
        b'/' => Token::Name(plain(&regular(source, names::MOST)?)),
        b'<' if peek(source)? == Some(b'<') => {
            source.seen(1);
            Token::Open
        }
        b'>' if peek(source)? == Some(b'>') => {
            source.seen(1);
            Token::Close
        }
        b'<' => {
            hexadecimal(source)?;
            Token::Text
        }
        b'[' | b']' => Token::Word(vec![first]),
        _ if is_regular(first) => {
            let mut word = vec![first];
            word.extend(regular(source, MOST_OF_A_WORD)?);
            let digits = std::str::from_utf8(&word).ok().filter(|_| first.is_ascii_digit());
            match digits.and_then(|digits| digits.parse().ok()) {
                Some(number) => Token::Number(number),
                None => Token::Word(word),
            }
        }
        _ => return Err(source.damaged("one of its objects cannot be read")),
    })
}

/// Reads what is left of a name or a word, of which the first bytes are kept.
fn regular<F: Read + Seek>(source: &mut Source<'_, F>, most: usize) -> Result<Vec<u8>, Unacceptable> {
    let mut word = Vec::new();
    while let Some(byte) = peek(source)?.filter(|byte| is_regular(*byte)) {
        if word.len() < most {
            word.push(byte);
        }
        source.seen(1);
    }
    Ok(word)
}

/// Steps over a text in brackets.
fn text<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
    let mut depth = 1;
    while depth > 0 {
        match source.byte()? {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'\\' => source.skip(1)?,
            _ => {}
        }
        source.rule(depth < MOST_BRACKETS, "one of its texts cannot be read")?;
    }
    Ok(())
}

/// Steps over a text in hexadecimal digits.
fn hexadecimal<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
    loop {
        match source.byte()? {
            b'>' => return Ok(()),
            byte if byte.is_ascii_hexdigit() || is_space(byte) => {}
            _ => return Err(source.damaged("one of its texts cannot be read")),
        }
    }
}

/// Steps over a table of objects: digits, and whether each is in use.
pub(super) fn table<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
    while let Some(byte) = peek(source)? {
        match byte {
            b'0'..=b'9' | b'n' | b'f' => source.seen(1),
            byte if is_space(byte) && byte > 0 => source.seen(1),
            _ => break,
        }
    }
    Ok(())
}

/// Steps over the end of line behind `stream`.
pub(super) fn stream<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<u64, Unacceptable> {
    if peek(source)? == Some(b'\r') {
        source.seen(1);
    }
    let begins = peek(source)? == Some(b'\n');
    source.rule(begins, "one of its parts does not begin")?;
    source.seen(1);
    Ok(source.at())
}

/// Says where a word stands next.
pub(super) fn find<F: Read + Seek>(source: &mut Source<'_, F>, word: &[u8]) -> Result<u64, Unacceptable> {
    loop {
        let (at, piece) = (source.at(), source.peek(u64::MAX)?);
        if let Some(found) = memmem::find(piece, word) {
            return Ok(at + found as u64);
        }
        let length = piece.len();
        // The word may stand across two pieces.
        let known = length.saturating_sub(word.len() - 1);
        if known > 0 {
            source.seen(known);
            continue;
        }
        let mut window = vec![0; word.len()];
        source.fill(&mut window)?;
        if window == word {
            return Ok(at);
        }
        source.go_to(at + 1)?;
    }
}
