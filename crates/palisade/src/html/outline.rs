//! Somebody's HTML written anew with nothing but allowed elements, each closed in its place, not too deep and not too many.
//!
//! A parser of HTML repairs what it is given, and the repairs can be made to cost: thousands of elements that are never
//! closed are looked through at each tag, and unclosed `<b>` with different attributes are opened again in every paragraph
//! after them, so that thirty kilobytes become gigabytes. Nothing of the kind is left in what is written here, so the
//! parser that judges it has little to repair. It is not trusted with safety: that is the judge's.
//!
//! Writing costs, too: html5ever looks at each `&` for the next `<` up to the end of the text, so that a text of nothing but `&` takes
//! the square of its length. A comment after each kilobyte, which the judge leaves out, keeps its pieces short.

use std::cell::RefCell;
use std::fmt::Write as _;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use palisade_core::escape::Escaped;

use super::{DEEPEST, MOST_ELEMENTS};

/// The allowed elements that hold nothing.
const VOID: [&str; 3] = ["br", "hr", "img"];

/// The longest piece of text in one node, in bytes.
const LONGEST_PIECE: usize = 1024;

/// The longest value of an attribute, in bytes; a longer one is left out.
const LONGEST_VALUE: usize = 2048;

/// The elements that end a paragraph where they begin.
const BLOCKS: [&str; 14] = [
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "ol",
    "p",
    "pre",
    "table",
    "ul",
    "li",
];

/// Writes the text anew. `allowed` gives an element's name and attributes, if it may stand there.
pub(super) fn outline(
    html: &str,
    allowed: impl Fn(&str) -> Option<(&'static str, &'static [&'static str])>,
) -> String {
    let outline = Outline {
        allowed,
        page: RefCell::new(Page {
            html: String::with_capacity(html.len() + 64),
            ..Page::default()
        }),
    };
    let tokenizer = Tokenizer::new(outline, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    // It stops behind each script, and goes on when it is asked again.
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    let mut page = tokenizer.sink.page.into_inner();
    while page.close() {}
    page.html
}

struct Outline<A> {
    allowed: A,
    page: RefCell<Page>,
}

#[derive(Default)]
struct Page {
    html: String,
    open: Vec<&'static str>,
    elements: usize,
    /// How long the piece of text is that is being written.
    piece: usize,
    /// How many elements were left out for standing too deep, and are not closed yet.
    too_deep: usize,
    /// The element whose content is not shown, while it is read.
    unseen: Option<&'static str>,
}

impl Page {
    fn close(&mut self) -> bool {
        let last = self.open.pop();
        if let Some(name) = last {
            self.piece = 0;
            let _ = write!(self.html, "</{name}>");
        }
        last.is_some()
    }

    fn close_up_to(&mut self, place: usize) {
        while self.open.len() > place && self.close() {}
    }

    fn text(&mut self, text: &str) {
        if self.unseen.is_some() {
            return;
        }
        let mut rest = text;
        while !rest.is_empty() {
            if self.piece >= LONGEST_PIECE {
                self.html.push_str("<!---->");
                self.piece = 0;
            }
            let (piece, after) = rest.split_at(rest.floor_char_boundary(LONGEST_PIECE));
            let _ = write!(self.html, "{}", Escaped(piece));
            self.piece += piece.len();
            rest = after;
        }
    }

    fn begin(&mut self, tag: &Tag, name: &'static str, attributes: &[&str]) {
        let void = VOID.contains(&name);
        if self.elements >= MOST_ELEMENTS {
            return;
        }
        if BLOCKS.contains(&name)
            && let Some(place) = self.open.iter().rposition(|open| *open == "p")
        {
            self.close_up_to(place);
        }
        // A link in a link, and a heading in a heading, end what they stand in.
        if name == "a"
            && let Some(place) = self.open.iter().rposition(|open| *open == "a")
        {
            self.close_up_to(place);
        }
        if !void && self.open.len() >= DEEPEST {
            self.too_deep += 1;
            return;
        }
        self.elements += 1;
        self.piece = 0;
        let _ = write!(self.html, "<{name}");
        for attribute in &tag.attrs {
            let attribute_name = &*attribute.name.local;
            if attributes.contains(&attribute_name) && attribute.value.len() <= LONGEST_VALUE {
                let _ = write!(self.html, " {attribute_name}=\"{}\"", Escaped(&attribute.value));
            }
        }
        self.html.push('>');
        if !void {
            self.open.push(name);
        }
    }

    fn end(&mut self, name: &str) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
        } else if let Some(place) = self.open.iter().rposition(|open| *open == name) {
            self.close_up_to(place);
        }
    }
}

impl<A: Fn(&str) -> Option<(&'static str, &'static [&'static str])>> TokenSink for Outline<A> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut page = self.page.borrow_mut();
        match token {
            Token::CharacterTokens(text) => page.text(&text),
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                if let Some((name, attributes)) = (self.allowed)(&tag.name) {
                    page.begin(&tag, name, attributes);
                }
                // What browsers do not read as HTML is not read as HTML here.
                let (unseen, state) = match &*tag.name {
                    "script" => (Some("script"), ScriptData),
                    "style" => (Some("style"), Rawtext),
                    "iframe" => (Some("iframe"), Rawtext),
                    "noembed" => (Some("noembed"), Rawtext),
                    "noframes" => (Some("noframes"), Rawtext),
                    "title" | "textarea" => (None, Rcdata),
                    "xmp" => (None, Rawtext),
                    "plaintext" => return TokenSinkResult::Plaintext,
                    _ => return TokenSinkResult::Continue,
                };
                page.unseen = unseen;
                return TokenSinkResult::RawData(state);
            }
            Token::TagToken(tag) => {
                page.unseen = None;
                if let Some((name, _)) = (self.allowed)(&tag.name) {
                    page.end(name);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}
