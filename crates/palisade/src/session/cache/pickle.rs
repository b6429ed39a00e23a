//! Python's pickles, as far as they are plain data: a session's dictionary in Django's cache, from and to JSON.
//!
//! A pickle is a program for a small machine that can call anything. This machine can make values and nothing else: `None`,
//! booleans, numbers, text, lists, tuples and dictionaries with text for keys. Whatever else a pickle asks for is refused, and
//! nothing of it is used. Values stand in a table and refer to each other by number, so that a pickle that names
//! one list a thousand times, each time inside another, or inside itself, costs no more than its bytes until it is
//! written as JSON, which has a limit.
//!
//! Why our own: the crate that reads pickles (serde-pickle) follows references by copying and nesting by recursion, without a limit
//! on either, and sorts dictionaries.

mod integer;
mod write;

use std::fmt::Write as _;

use palisade_core::json;
use thiserror::Error;

pub(super) use write::write;

/// How long a pickle, and the JSON that is made of it, may be: far more than any session that is read with every request.
const LONGEST: usize = 1024 * 1024;

/// How much of the JSON each byte of a pickle may make: a byte of text can become six, and one of a tuple five.
const EACH_BYTE: usize = 8;

/// How much more it may be altogether, for what is named more than once. A pickle is read on a thread that serves others.
const NAMED_AGAIN: usize = 64 * 1024;

/// How many values a pickle may make.
const MOST_VALUES: usize = 250_000;

/// How deep values may be nested, with room left for the dictionary itself.
const DEEPEST: usize = json::DEEPEST - 10;

/// A pickle is not one of plain data.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Refused {
    /// It holds something that has no form in JSON.
    #[error(
        "it holds {0}, which is not plain data; keep None, booleans, numbers, text, lists and dictionaries in sessions that two programs share"
    )]
    NotPlain(String),
    /// It is no pickle, or not the whole of one.
    #[error("it is no whole pickle of protocol 2 to 5")]
    Damaged,
    /// It is too long or nested too deep.
    #[error("it is too long or nested too deep")]
    TooLarge,
}

fn not_plain(what: &str) -> Refused {
    Refused::NotPlain(what.to_owned())
}

/// Reads a pickle into JSON text; nothing for a pickled `None`, which is as good as no value.
pub(super) fn read(pickle: &[u8]) -> Result<Option<String>, Refused> {
    if pickle.len() > LONGEST {
        return Err(Refused::TooLarge);
    }
    let mut machine = Machine {
        rest: pickle,
        ..Machine::default()
    };
    let made = machine.run()?;
    if matches!(machine.values.get(made), Some(Value::Json(text)) if text == "null") {
        return Ok(None);
    }
    let mut text = String::with_capacity(pickle.len() * 2);
    machine.longest = LONGEST.min(pickle.len() * EACH_BYTE + NAMED_AGAIN);
    machine.render(made, DEEPEST, &mut text)?;
    Ok(Some(text))
}

#[derive(Debug)]
enum Value {
    /// A number, `null`, `true` or `false`, as JSON.
    Json(String),
    /// Text, as JSON without its quotes.
    Text(String),
    List(Vec<usize>),
    /// Keys and values in turn.
    Dictionary(Vec<usize>),
}

#[derive(Default)]
struct Machine<'p> {
    rest: &'p [u8],
    values: Vec<Value>,
    stack: Vec<usize>,
    /// How high the stack was at each open mark.
    marks: Vec<usize>,
    memo: Vec<Option<usize>>,
    /// How long the JSON may be.
    longest: usize,
}

impl Machine<'_> {
    /// Runs the program to its end, and gives the value that it leaves.
    fn run(&mut self) -> Result<usize, Refused> {
        loop {
            self.has_room()?;
            match self.byte()? {
                // PROTO, FRAME: how it was written.
                0x80 => match self.byte()? {
                    2..=5 => {}
                    _ => return Err(Refused::Damaged),
                },
                0x95 => drop(self.take(8)?),
                b'.' => {
                    let made = self.pop()?;
                    let over = self.stack.is_empty() && self.marks.is_empty() && self.rest.is_empty();
                    return if over { Ok(made) } else { Err(Refused::Damaged) };
                }
                b'(' => self.marks.push(self.stack.len()),
                b'N' => self.push(Value::Json("null".to_owned())),
                0x88 => self.push(Value::Json("true".to_owned())),
                0x89 => self.push(Value::Json("false".to_owned())),
                code @ (b'K' | b'M' | b'J' | 0x8a | 0x8b) => self.integer(code)?,
                b'G' => self.float()?,
                0x8c => self.text(1)?,
                b'X' => self.text(4)?,
                0x8d => self.text(8)?,
                b']' | b')' => self.push(Value::List(Vec::new())),
                b'}' => self.push(Value::Dictionary(Vec::new())),
                code @ 0x85..=0x87 => self.tuple(usize::from(code - 0x84))?,
                b't' => {
                    let items = self.since_mark()?;
                    self.push(Value::List(items));
                }
                b'a' => {
                    let item = vec![self.pop()?];
                    self.extend(item)?;
                }
                b'e' => {
                    let items = self.since_mark()?;
                    self.extend(items)?;
                }
                b's' => {
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.set(vec![key, value])?;
                }
                b'u' => {
                    let items = self.since_mark()?;
                    self.set(items)?;
                }
                0x94 => self.remember(self.memo.len())?,
                b'q' => {
                    let at = self.number(1)?;
                    self.remember(at)?;
                }
                b'r' => {
                    let at = self.number(4)?;
                    self.remember(at)?;
                }
                b'h' => {
                    let at = self.number(1)?;
                    self.recall(at)?;
                }
                b'j' => {
                    let at = self.number(4)?;
                    self.recall(at)?;
                }
                code => return Err(self.refusal(code)),
            }
        }
    }

    /// Says what a pickle asked for that it does not get.
    fn refusal(&self, code: u8) -> Refused {
        match code {
            // STACK_GLOBAL: the names of module and class are the last two values.
            0x93 => {
                let name = |from_top: usize| {
                    let at = self.stack.len().checked_sub(from_top)?;
                    match self.values.get(*self.stack.get(at)?)? {
                        Value::Text(text) if text.len() < 80 && text.bytes().all(is_of_a_name) => {
                            Some(text.as_str())
                        }
                        _ => None,
                    }
                };
                let (module, class) = (name(2).unwrap_or("?"), name(1).unwrap_or("?"));
                Refused::NotPlain(format!("an object of Python's {module}.{class}"))
            }
            b'c' | b'R' | b'b' | b'i' | b'o' | 0x81 | 0x92 | 0x82..=0x84 | b'P' | b'Q' => {
                not_plain("an object of Python's")
            }
            b'B' | b'C' | 0x8e | 0x96..=0x98 => not_plain("bytes"),
            0x8f..=0x91 => not_plain("a set"),
            _ => Refused::Damaged,
        }
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    /// A value costs more than the byte that asks for it.
    fn has_room(&self) -> Result<(), Refused> {
        if self.values.len() < MOST_VALUES && self.stack.len() < MOST_VALUES && self.marks.len() < MOST_VALUES
        {
            Ok(())
        } else {
            Err(Refused::TooLarge)
        }
    }

    fn pop(&mut self) -> Result<usize, Refused> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(Refused::Damaged);
        }
        self.stack.pop().ok_or(Refused::Damaged)
    }

    fn since_mark(&mut self) -> Result<Vec<usize>, Refused> {
        let mark = self.marks.pop().ok_or(Refused::Damaged)?;
        Ok(self.stack.split_off(mark))
    }

    fn top(&self) -> Result<usize, Refused> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let above = self.stack.get(floor..).and_then(<[usize]>::last);
        above.copied().ok_or(Refused::Damaged)
    }

    fn tuple(&mut self, length: usize) -> Result<(), Refused> {
        let mut items = Vec::with_capacity(length);
        for _ in 0..length {
            items.push(self.pop()?);
        }
        items.reverse();
        self.push(Value::List(items));
        Ok(())
    }

    fn extend(&mut self, items: Vec<usize>) -> Result<(), Refused> {
        let top = self.top()?;
        match self.values.get_mut(top) {
            Some(Value::List(list)) => list.extend(items),
            _ => return Err(Refused::Damaged),
        }
        Ok(())
    }

    fn set(&mut self, items: Vec<usize>) -> Result<(), Refused> {
        let top = self.top()?;
        let keys_are_text = items
            .iter()
            .step_by(2)
            .all(|key| matches!(self.values.get(*key), Some(Value::Text(_))));
        match self.values.get_mut(top) {
            Some(Value::Dictionary(dictionary)) if items.len().is_multiple_of(2) => {
                if !keys_are_text {
                    return Err(not_plain("a dictionary whose keys are not text"));
                }
                dictionary.extend(items);
            }
            _ => return Err(Refused::Damaged),
        }
        Ok(())
    }

    /// A pickler counts its memo up from nothing; a number far ahead is nobody's.
    fn remember(&mut self, at: usize) -> Result<(), Refused> {
        let top = self.top()?;
        if at > self.memo.len() + 1 {
            return Err(Refused::Damaged);
        }
        if at >= self.memo.len() {
            self.memo.resize(at + 1, None);
        }
        if let Some(place) = self.memo.get_mut(at) {
            *place = Some(top);
        }
        Ok(())
    }

    fn recall(&mut self, at: usize) -> Result<(), Refused> {
        let value = self.memo.get(at).copied().flatten().ok_or(Refused::Damaged)?;
        self.stack.push(value);
        Ok(())
    }

    fn integer(&mut self, code: u8) -> Result<(), Refused> {
        let text = match code {
            b'K' => self.number(1)?.to_string(),
            b'M' => self.number(2)?.to_string(),
            b'J' => {
                let bytes = self.take(4)?.try_into().map_err(|_| Refused::Damaged)?;
                i32::from_le_bytes(bytes).to_string()
            }
            long => {
                let length = self.number(if long == 0x8a { 1 } else { 4 })?;
                integer::to_decimal(self.take(length)?).ok_or(Refused::TooLarge)?
            }
        };
        self.push(Value::Json(text));
        Ok(())
    }

    fn float(&mut self) -> Result<(), Refused> {
        let bytes = self.take(8)?.try_into().map_err(|_| Refused::Damaged)?;
        let float = f64::from_be_bytes(bytes);
        let text = if float.is_nan() {
            "NaN".to_owned()
        } else if float.is_infinite() {
            (if float > 0.0 { "Infinity" } else { "-Infinity" }).to_owned()
        } else {
            json::to_string(&float).map_err(|_| Refused::Damaged)?
        };
        self.push(Value::Json(text));
        Ok(())
    }

    fn text(&mut self, width: usize) -> Result<(), Refused> {
        let length = self.number(width)?;
        let text = escape(self.take(length)?)?;
        self.push(Value::Text(text));
        Ok(())
    }

    /// An unsigned number of so many bytes.
    fn number(&mut self, width: usize) -> Result<usize, Refused> {
        let bytes = self.take(width)?;
        let number = bytes
            .iter()
            .rev()
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        usize::try_from(number).map_err(|_| Refused::Damaged)
    }

    fn byte(&mut self) -> Result<u8, Refused> {
        let (first, rest) = self.rest.split_first().ok_or(Refused::Damaged)?;
        self.rest = rest;
        Ok(*first)
    }

    fn take(&mut self, length: usize) -> Result<&[u8], Refused> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Refused::Damaged)?;
        self.rest = rest;
        Ok(taken)
    }

    fn render(&self, value: usize, depth: usize, out: &mut String) -> Result<(), Refused> {
        if out.len() > self.longest || depth == 0 {
            return Err(Refused::TooLarge);
        }
        match self.values.get(value).ok_or(Refused::Damaged)? {
            Value::Json(text) => out.push_str(text),
            Value::Text(text) => quote(text, out),
            Value::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    self.render(*item, depth - 1, out)?;
                }
                out.push(']');
            }
            Value::Dictionary(items) => {
                out.push('{');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(if at % 2 == 0 { ',' } else { ':' });
                    }
                    self.render(*item, depth - 1, out)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    out.push_str(text);
    out.push('"');
}

/// Text as JSON writes it. Python's may hold half a surrogate pair, which has three bytes here and an escape there.
fn escape(mut bytes: &[u8]) -> Result<String, Refused> {
    let mut escaped = String::with_capacity(bytes.len());
    loop {
        let (valid, rest) = match str::from_utf8(bytes) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (valid, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
                (str::from_utf8(valid).unwrap_or_default(), rest)
            }
        };
        let written = json::to_string(valid).map_err(|_| Refused::Damaged)?;
        let inside = written.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        escaped.push_str(inside.unwrap_or_default());
        match rest {
            [] => return Ok(escaped),
            [0xed, high @ 0xa0..=0xbf, low @ 0x80..=0xbf, rest @ ..] => {
                let half = 0xd000 | u16::from(high & 0x3f) << 6 | u16::from(low & 0x3f);
                // A text takes all that is written to it.
                let _ = write!(escaped, "\\u{half:04x}");
                bytes = rest;
            }
            _ => return Err(Refused::Damaged),
        }
    }
}

#[cfg(test)]
mod tests;
