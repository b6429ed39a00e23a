//! PDF (ISO 32000): its objects from the header to the last `%%EOF`, with nothing before, between or behind them that belongs to none.
//!
//! Names are looked at wherever they stand in an object, and in the compressed collections of objects, too: what runs when a document
//! is opened has a name (`/JavaScript`, `/Launch`), however it is spelt (`/J#61vaScript`). Pages, pictures and fonts are stepped over.

mod headers;
mod lexer;
mod names;

use std::io::{Read, Seek};

use memchr::memmem;

use super::inflate::{Fault, Inflate};
use super::sniff::markup;
use super::{InspectLimits, Source, Unacceptable};
use headers::Headers;
use lexer::{Token, is_space, next, skip_space};
use names::{Names, Sort, plain};

/// What is said of whatever belongs to no object.
const BETWEEN: &str = "something stands between its objects";
/// How far from the end white space may stand.
const MOST_AT_END: u64 = 64;
/// The most tokens of an object's own dictionary that are kept: what says how long its stream is.
const MOST_TOKENS: usize = 512;

/// Walks through a PDF, whose documents must be of the sort that the limits allow.
pub(super) fn walk<F: Read + Seek>(
    source: &mut Source<'_, F>,
    limits: &InspectLimits,
) -> Result<(), Unacceptable> {
    let header: [u8; 8] = source.bytes()?;
    let version = matches!(
        &header,
        [b'%', b'P', b'D', b'F', b'-', b'1' | b'2', b'.', b'0'..=b'9']
    );
    let line_ends = source.peek(1)?.first().is_some_and(|byte| is_space(*byte));
    source.rule(version && line_ends, "its first line is not that of a PDF")?;
    let mut walk = Walk {
        limits,
        names: Names::default(),
        left: limits.max_unfolded,
    };
    let (mut objects, mut trailers, mut end, mut table) = (0_u64, 0_u64, None, None);
    loop {
        skip_space(source)?;
        if source.left() == 0 {
            break;
        }
        if source.peek(1)? == b"%" {
            let is_end = comment(source)?;
            end = is_end.then(|| source.at());
            continue;
        }
        end = None;
        match next(source)? {
            Token::Number(_) => {
                let begins = matches!(next(source)?, Token::Number(_)) && next(source)?.is(b"obj");
                source.rule(begins, BETWEEN)?;
                walk.object(source)?;
                objects += 1;
            }
            Token::Word(word) => match word.as_slice() {
                b"xref" => lexer::table(source)?,
                b"trailer" => {
                    walk.dictionary(source)?;
                    trailers += 1;
                }
                b"startxref" => {
                    let Token::Number(at) = next(source)? else {
                        return Err(source.damaged("its table is nowhere"));
                    };
                    table = Some(at);
                }
                _ => return Err(source.damaged(BETWEEN)),
            },
            _ => return Err(source.damaged(BETWEEN)),
        }
    }
    let end = end.ok_or_else(|| source.cut_off())?;
    ends_at(source, end)?;
    source.rule(objects > 0, "it holds nothing")?;
    walk.judge(source)?;
    begins_a_table(source, table)?;
    begins_nowhere_else(source, objects, trailers)
}

/// Whether nothing but what was walked through can be taken for an object: a table may name any place.
fn begins_nowhere_else<F: Read + Seek>(
    source: &mut Source<'_, F>,
    objects: u64,
    trailers: u64,
) -> Result<(), Unacceptable> {
    let mut headers = Headers::default();
    source.go_to(0)?;
    source.each(source.size(), |piece| {
        headers.scan(piece);
        Ok(())
    })?;
    if headers.count() == (objects, trailers) {
        Ok(())
    } else {
        Err(source.besides("a part of it can be read as another document"))
    }
}

/// Behind the end there may be an end of line, or some.
fn ends_at<F: Read + Seek>(source: &mut Source<'_, F>, end: u64) -> Result<(), Unacceptable> {
    source.go_to(end)?;
    let is_short = source.left() <= MOST_AT_END;
    let is_white = is_short && source.head(MOST_AT_END)?.iter().all(u8::is_ascii_whitespace);
    if is_white {
        Ok(())
    } else {
        Err(source.besides("further bytes follow its end"))
    }
}

/// Whether the last table is where the end says that it is: readers that look for it elsewhere see another document.
fn begins_a_table<F: Read + Seek>(
    source: &mut Source<'_, F>,
    table: Option<u64>,
) -> Result<(), Unacceptable> {
    let nowhere = "its table is not where it says";
    let at = table.filter(|at| *at > 0 && *at < source.size());
    source.go_to(at.ok_or_else(|| source.damaged(nowhere))?)?;
    skip_space(source)?;
    let token = next(source)?;
    source.rule(matches!(&token, Token::Number(_)) || token.is(b"xref"), nowhere)
}

/// Steps over a comment between objects; says whether it is the end. A page or a script in it is refused.
fn comment<F: Read + Seek>(source: &mut Source<'_, F>) -> Result<bool, Unacceptable> {
    let line = lexer::line(source)?;
    let holds_markup =
        memmem::find_iter(&line, b"<").any(|at| markup(line.get(at..).unwrap_or_default()).is_some());
    if holds_markup {
        return Err(source.besides("it holds a web page"));
    }
    Ok(line.trim_ascii_end() == b"%%EOF")
}

/// What is known of a document while its objects go by.
struct Walk<'l> {
    limits: &'l InspectLimits,
    names: Names,
    /// How much may still be unfolded.
    left: u64,
}

impl Walk<'_> {
    /// Reads an object up to its end, with its stream.
    fn object<F: Read + Seek>(&mut self, source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
        let own = self.tokens(source, b"endobj")?;
        if !own.last().is_some_and(|last| last.is(b"stream")) {
            return Ok(());
        }
        let begin = lexer::stream(source)?;
        let end = match length(&own) {
            Some(length) => begin.saturating_add(length),
            None => lexer::find(source, b"endstream")?,
        };
        source.rule(
            own.len() <= MOST_TOKENS,
            "one of its parts says more of itself than anybody reads",
        )?;
        // A reader does not ask a collection for its type.
        let is_collection = has(&own, b"ObjStm") || has(&own, b"First") && has(&own, b"N");
        if is_collection && !self.limits.scripts_in_documents {
            self.collection(source, &own, begin, end)?;
        }
        source.go_to(end)?;
        skip_space(source)?;
        let ends = next(source)?.is(b"endstream");
        source.rule(ends, "one of its parts has another length than it says")?;
        let ends = next(source)?.is(b"endobj");
        source.rule(ends, BETWEEN)
    }

    /// Reads the dictionary of a trailer.
    fn dictionary<F: Read + Seek>(&mut self, source: &mut Source<'_, F>) -> Result<(), Unacceptable> {
        skip_space(source)?;
        let opens = next(source)? == Token::Open;
        source.rule(opens, "its trailer is missing")?;
        let mut depth = 1;
        while depth > 0 {
            match next(source)? {
                Token::Open => depth += 1,
                Token::Close => depth -= 1,
                Token::Name(name) => self.names.saw(&name),
                Token::Word(word)
                    if matches!(word.as_slice(), b"obj" | b"endobj" | b"startxref" | b"stream") =>
                {
                    return Err(source.damaged("its trailer does not end"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads tokens up to a word, or to the stream; answers with those of the object's own dictionary.
    fn tokens<F: Read + Seek>(
        &mut self,
        source: &mut Source<'_, F>,
        end: &[u8],
    ) -> Result<Vec<Token>, Unacceptable> {
        let (mut depth, mut own) = (0_u32, Vec::new());
        loop {
            let token = next(source)?;
            match &token {
                Token::Open => depth += 1,
                Token::Close => {
                    let outer = depth.checked_sub(1);
                    depth = outer.ok_or_else(|| source.damaged("one of its objects does not begin"))?;
                }
                Token::Name(name) => self.names.saw(name),
                Token::Word(word) if word == end || word == b"stream" => {
                    source.rule(depth == 0, "one of its objects does not end")?;
                    own.push(token);
                    return Ok(own);
                }
                Token::Word(word) if word == b"obj" => {
                    return Err(source.damaged("one of its objects does not end"));
                }
                _ => {}
            }
            if depth <= 1 && own.len() < MOST_TOKENS {
                own.push(token);
            }
        }
    }

    /// Looks at the names in a compressed collection of objects.
    fn collection<F: Read + Seek>(
        &mut self,
        source: &mut Source<'_, F>,
        own: &[Token],
        begin: u64,
        end: u64,
    ) -> Result<(), Unacceptable> {
        let length = end.checked_sub(begin).ok_or_else(|| source.cut_off())?;
        source.go_to(begin)?;
        if source.left() < length {
            return Err(source.cut_off());
        }
        // Each row of what is unfolded may be a difference to the one before.
        let is_plain = !has(own, b"DecodeParms") && !has(own, b"DP");
        let filters = if is_plain { filters(own) } else { vec![Vec::new()] };
        let names = &mut self.names;
        let mut fault = None;
        match filters.as_slice() {
            [] => source.each(length, |piece| {
                names.scan(piece);
                Ok(())
            })?,
            [one] if matches!(one.as_slice(), b"FlateDecode" | b"Fl") => {
                let mut inflate = Inflate::new(true, self.left);
                let mut out = 0;
                source.each(length, |piece| {
                    if fault.is_none() && !inflate.has_ended() {
                        let read = inflate.unfold(piece, |unfolded| {
                            out += unfolded.len() as u64;
                            names.scan(unfolded);
                            true
                        });
                        // White space may stand behind it.
                        fault = read.err().filter(|fault| *fault != Fault::Besides);
                    }
                    Ok(())
                })?;
                self.left = self.left.saturating_sub(out);
                source.rule(
                    fault.is_some() || inflate.has_ended(),
                    "one of its parts cannot be unfolded",
                )?;
            }
            _ => return Err(source.damaged("one of its parts is packed in a way that nobody looks into")),
        }
        self.names.scan(b" ");
        match fault {
            None => Ok(()),
            Some(Fault::TooLarge) => Err(source.too_large("one of its parts unfolds into more than it may")),
            // Encrypted data is no compressed data, and is answered for below.
            Some(_) if self.names.has(Sort::Encrypted) => Err(source.encrypted()),
            Some(_) => Err(source.damaged("one of its parts cannot be unfolded")),
        }
    }

    /// Says what the names mean.
    fn judge<F: Read + Seek>(&self, source: &Source<'_, F>) -> Result<(), Unacceptable> {
        if !self.limits.scripts_in_documents {
            if self.names.has(Sort::Encrypted) {
                return Err(source.encrypted());
            }
            if self.names.has(Sort::Script) {
                return Err(source.active("it holds a script, or starts a program"));
            }
        }
        if !self.limits.files_in_documents && self.names.has(Sort::File) {
            return Err(source.active("it holds other files, or does something when it is opened"));
        }
        Ok(())
    }
}

/// The length of a stream, where its dictionary says it itself.
fn length(own: &[Token]) -> Option<u64> {
    let at = own
        .iter()
        .position(|token| *token == Token::Name(b"Length".to_vec()))?;
    match own.get(at + 1..at + 4)? {
        // Elsewhere: a reference to an object.
        [Token::Number(_), Token::Number(_), word] if word.is(b"R") => None,
        [Token::Number(length), ..] => Some(*length),
        _ => None,
    }
}

/// Whether this name stands in a dictionary, however it is spelt.
fn has(own: &[Token], name: &[u8]) -> bool {
    own.iter()
        .any(|token| matches!(token, Token::Name(written) if plain(written) == name))
}

/// How a stream is packed, in the order of unpacking; a name that nobody has, where it does not say so itself or says it twice.
fn filters(own: &[Token]) -> Vec<Vec<u8>> {
    let unknown = || vec![Vec::new()];
    let is_filter = |token: &Token| matches!(token, Token::Name(name) if matches!(plain(name).as_slice(), b"Filter" | b"F"));
    let mut said = own.iter().enumerate().filter(|(_, token)| is_filter(token));
    let Some((at, _)) = said.next() else {
        return Vec::new();
    };
    if said.next().is_some() {
        return unknown();
    }
    let mut tokens = own.iter().skip(at + 1);
    match tokens.next() {
        Some(Token::Name(name)) => vec![name.clone()],
        Some(word) if word.is(b"[") => {
            let mut names = Vec::new();
            for token in tokens {
                match token {
                    Token::Name(name) => names.push(name.clone()),
                    word if word.is(b"]") => return names,
                    _ => break,
                }
            }
            unknown()
        }
        _ => unknown(),
    }
}
