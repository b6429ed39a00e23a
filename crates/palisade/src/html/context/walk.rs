//! The way through a template: text, values and tags in their order, and each branch from where it begins.

use std::ops::Range;

use super::expression::{declares_safe, ends_with_filter, first_word};
use super::machine::{JUDGED, META_HEADER, Place, UNCLEAR, is_begun, names_its_site};
use super::script::Script;

/// The attributes that hold an address.
const ADDRESSES: [&str; 13] = [
    "action",
    "background",
    "cite",
    "codebase",
    "data",
    "formaction",
    "href",
    "longdesc",
    "manifest",
    "ping",
    "poster",
    "src",
    "xlink:href",
];

/// The elements that run or change everything by their address: which one it is must not be left to a value.
const POWERFUL: [&str; 4] = ["base", "embed", "object", "script"];

/// The elements of SVG that write attributes of others, and the attributes that say which and what.
const ANIMATIONS: [&str; 4] = ["animate", "animatemotion", "animatetransform", "set"];
const ANIMATED: [&str; 5] = ["attributename", "by", "from", "to", "values"];

/// A part of the template that waits for its end.
struct Open {
    word: String,
    line: usize,
    start: Place,
    /// Where the branches before this one ended.
    ends: Option<Place>,
    has_else: bool,
}

struct Walk {
    place: Place,
    open: Vec<Open>,
    seen: Seen,
}

/// What was seen in a template.
#[derive(Default)]
pub(super) struct Seen {
    /// Lines, and what is wrong in them.
    pub(super) faults: Vec<(usize, String)>,
    /// Where in the source the values of attributes are said.
    pub(super) in_attributes: Vec<Range<usize>>,
}

/// Lists what is wrong, and what stands in attributes.
pub(super) fn walk(source: &str) -> Seen {
    let mut walk = Walk {
        place: Place::Text,
        open: Vec::new(),
        seen: Seen::default(),
    };
    let mut rest = source;
    // `{{-` takes away the space before it, and `-}}` that behind it.
    let mut trimmed = false;
    while let Some(at) = rest
        .find("{{")
        .into_iter()
        .chain(rest.find("{%"))
        .chain(rest.find("{#"))
        .min()
    {
        let (mut text, tag) = rest.split_at(at);
        if trimmed {
            text = text.trim_start();
        }
        if tag.get(2..3) == Some("-") {
            text = text.trim_end();
        }
        walk.text(text);
        let read = source.len().saturating_sub(tag.len());
        let line = 1 + source.get(..read).map_or(0, |read| read.matches('\n').count());
        let end = match tag.get(1..2) {
            Some("{") => "}}",
            Some("%") => "%}",
            _ => "#}",
        };
        let inside = tag.get(2..).unwrap_or_default();
        let Some(length) = end_of(inside, end) else {
            walk.fault(
                line,
                format!("{} is not closed", &tag.get(..2).unwrap_or_default()),
            );
            return walk.seen;
        };
        let code = inside.get(..length).unwrap_or_default();
        rest = inside.get(length + 2..).unwrap_or_default();
        trimmed = code.ends_with('-');
        let from = usize::from(code.starts_with(['-', '+']));
        let to = code.len() - usize::from(code.len() > from && code.ends_with(['-', '+']));
        let written = code.get(from..to).unwrap_or_default();
        let code = written.trim();
        match end {
            "}}" => {
                if matches!(walk.place, Place::Value { .. }) {
                    let from = read + 2 + from;
                    walk.seen.in_attributes.push(from..from + written.len());
                }
                walk.value(line, code, rest);
            }
            "%}" => walk.tag(line, code),
            _ => {}
        }
    }
    walk.text(if trimmed { rest.trim_start() } else { rest });
    if walk.place != Place::Text {
        let last = source.lines().count();
        walk.fault(
            last,
            "the template ends within a tag, a comment, a script or a style".to_owned(),
        );
    }
    walk.seen
}

/// Finds the end of a tag, which does not stand in a string, and that of a value not in brackets either.
fn end_of(inside: &str, end: &str) -> Option<usize> {
    let (mut string, mut escaped, mut depth) = (None, false, 0_usize);
    for (place, character) in inside.char_indices() {
        match string {
            Some(quote) => {
                if !escaped && character == quote {
                    string = None;
                }
                escaped = character == '\\' && !escaped;
            }
            None if depth == 0 && inside.get(place..).is_some_and(|rest| rest.starts_with(end)) => {
                return Some(place);
            }
            None if end == "#}" => {}
            None => match character {
                '"' | '\'' => string = Some(character),
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            },
        }
    }
    None
}

impl Walk {
    fn fault(&mut self, line: usize, reason: String) {
        self.seen.faults.push((line, reason));
    }

    fn text(&mut self, text: &str) {
        let place = std::mem::replace(&mut self.place, Place::Text);
        self.place = place.go_on(text);
    }

    fn value(&mut self, line: usize, code: &str, rest: &str) {
        if declares_safe(code) {
            self.fault(
                line,
                format!("{{{{ {code} }}}} declares text safe: pass a SafeHtml, which only sanitising or escaping makes"),
            );
        }
        let fault = match &self.place {
            Place::Text => None,
            Place::TagOpen { .. } => {
                Some("stands behind <, where it could be a whole tag: write the tag's name down".to_owned())
            }
            Place::Comment => Some("stands in a comment, which a value can end: use {# … #}".to_owned()),
            Place::Tag(_) | Place::TagName(_) | Place::AttributeName { .. } => Some(
                "stands in a tag outside of any value, where it could be an attribute such as onclick"
                    .to_owned(),
            ),
            Place::BeforeValue { name, .. }
            | Place::Value {
                name, quote: None, ..
            } => Some(format!(
                "stands in the attribute {name} without quotes, where a space ends it: write {name}=\"{{{{ … }}}}\""
            )),
            Place::Value {
                tag,
                name,
                before,
                quote,
            } => in_attribute(tag, name, before, code)
                .or_else(|| is_obeyed(tag, name, rest))
                .or_else(|| ends_the_quotes(*quote, name, code)),
            Place::Raw { tag, script } => in_raw(tag, *script, rest.chars().next(), code),
        };
        if let Some(fault) = fault {
            self.fault(line, format!("{{{{ {code} }}}} {fault}"));
        }
        match &mut self.place {
            // A value that a filter has judged may be empty, or `java`: what decides an address has to be written behind it.
            Place::Value { before, .. } if before != UNCLEAR => before.push(JUDGED),
            Place::BeforeValue { tag, name } => {
                let (tag, name) = (std::mem::take(tag), std::mem::take(name));
                self.place = Place::Value {
                    tag,
                    name,
                    quote: None,
                    before: UNCLEAR.to_owned(),
                };
            }
            Place::Raw { tag, script } if tag == "script" => *script = script.behind_a_value(),
            Place::TagOpen { .. } => self.place = Place::Text,
            _ => {}
        }
    }

    fn tag(&mut self, line: usize, code: &str) {
        let word = first_word(code).to_owned();
        if declares_safe(code) || (word == "filter" && code.contains("safe")) {
            self.fault(
                line,
                format!("{{% {code} %}} declares text safe: pass a SafeHtml"),
            );
        }
        match word.as_str() {
            "autoescape" => self.fault(
                line,
                "{% autoescape %} is not used: everything is escaped".to_owned(),
            ),
            "raw" | "verbatim" => {
                self.fault(
                    line,
                    format!("{{% {word} %}} hides its context: write {{{{ \"{{{{\" }}}} for braces"),
                );
            }
            "if" | "for" | "block" | "macro" | "call" | "filter" | "with" => self.begin(line, word),
            "set" if !code.contains('=') => self.begin(line, word),
            "elif" | "else" => self.other(line, word == "else"),
            "include" | "break" | "continue" => self.must_be_text(line, &word),
            _ if word.starts_with("end") => self.end(line),
            _ => {}
        }
    }

    fn must_be_text(&mut self, line: usize, word: &str) {
        let holds_text = match &self.place {
            Place::Text => true,
            Place::Raw { tag, .. } => tag == "title" || tag == "textarea",
            _ => false,
        };
        if !holds_text {
            self.fault(
                line,
                format!("{{% {word} %}} stands within a tag, a script or a style, where what it holds is not expected to be"),
            );
        }
    }

    fn begin(&mut self, line: usize, word: String) {
        if matches!(word.as_str(), "block" | "macro" | "call" | "set" | "filter") {
            self.must_be_text(line, &word);
        }
        self.open.push(Open {
            word,
            line,
            start: self.place.clone(),
            ends: None,
            has_else: false,
        });
        // What a loop writes stands before what it writes the next time.
        if self.open.last().is_some_and(|open| open.word == "for")
            && let Place::Value { before, .. } = &mut self.place
            && !is_begun(before)
        {
            UNCLEAR.clone_into(before);
        }
    }

    fn other(&mut self, line: usize, is_else: bool) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let start = open.start.clone();
        open.has_else |= is_else;
        let end = std::mem::replace(&mut self.place, start);
        self.join(line, end);
    }

    /// Keeps where a branch ended, and says so if another one ended elsewhere.
    fn join(&mut self, line: usize, end: Place) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        let met = match open.ends.take() {
            None => Some(end),
            Some(other) => end.meet(&other),
        };
        let (word, begun) = (open.word.clone(), open.line);
        if let Some(place) = met {
            open.ends = Some(place);
            return;
        }
        open.ends = Some(Place::Text);
        self.fault(
            line,
            format!("the ways through {{% {word} %}} of line {begun} end in different places of the page"),
        );
    }

    fn end(&mut self, line: usize) {
        let Some(open) = self.open.last() else {
            return;
        };
        let (start, has_else, is_loop) = (open.start.clone(), open.has_else, open.word == "for");
        let end = self.place.clone();
        self.join(line, end);
        // Without `else` there is a way past it, and a loop comes back to where it began.
        if is_loop || !has_else {
            self.join(line, start);
        }
        if let Some(open) = self.open.pop() {
            self.place = open.ends.unwrap_or(open.start);
        }
    }
}

/// What is wrong with a value in a quoted attribute.
fn in_attribute(tag: &str, name: &str, before: &str, code: &str) -> Option<String> {
    if name.starts_with("on") {
        return Some(format!(
            "stands in {name}, which is script: put it into a data- attribute, and the script into a file"
        ));
    }
    if ANIMATIONS.contains(&tag) && ANIMATED.contains(&name) {
        return Some(format!(
            "stands in {name} of <{tag}>, which can make any link one to javascript: — write it down"
        ));
    }
    match name {
        "style" => return Some("stands in a style: use a class, or a data- attribute".to_owned()),
        "srcdoc" => return Some("stands in srcdoc, which is a whole page: serve that page".to_owned()),
        "srcset" | "imagesrcset" => {
            return Some(format!(
                "stands in {name}, a list of addresses that no filter judges: use src"
            ));
        }
        _ if !ADDRESSES.contains(&name) => return None,
        _ => {}
    }
    if POWERFUL.contains(&tag) && !names_its_site(before) {
        return Some(format!(
            "decides where <{tag}> leads: write at least the address's beginning down, as in {name}=\"/static/{{{{ … }}}}\""
        ));
    }
    if before.trim().is_empty() {
        let judged = ends_with_filter(code, "url");
        return (!judged)
            .then(|| format!("stands in {name}, where it could be javascript: — write {{{{ …|url }}}}"));
    }
    (!is_begun(before)).then(|| {
        format!("goes on with an address of which only a part of the scheme is written: write {name}=\"{{{{ …|url }}}}\"")
    })
}

/// Says so where a browser obeys the value as it would a header: `refresh` leads away from the page.
fn is_obeyed(tag: &str, name: &str, rest: &str) -> Option<String> {
    let behind = rest.split('>').next().unwrap_or_default();
    let is_header =
        tag == META_HEADER || (tag == "meta" && behind.to_ascii_lowercase().contains("http-equiv"));
    (is_header && matches!(name, "content" | "http-equiv")).then(|| {
        format!("stands in {name} of a <meta http-equiv>, which browsers obey: send the header itself")
    })
}

/// Says so where a filter writes quotes that the attribute ends at.
fn ends_the_quotes(quote: Option<char>, name: &str, code: &str) -> Option<String> {
    (quote == Some('"') && ends_with_filter(code, "tojson")).then(|| {
        format!("stands in {name}=\"…\", and JSON has such quotes: write {name}='{{{{ …|tojson }}}}'")
    })
}

/// What is wrong with a value in an element that is not read as HTML.
fn in_raw(tag: &str, script: Script, next: Option<char>, code: &str) -> Option<String> {
    match tag {
        "title" | "textarea" => None,
        "script" => {
            let good = ends_with_filter(code, "tojson") && script.is_code()
                || ends_with_filter(code, "escapejs") && next.is_some() && next == script.quote_just_opened();
            (!good).then(|| {
                "stands in a script: write {{ …|tojson }} outside of quotes and comments, or \"{{ …|escapejs }}\", or put it into the \
                 page by {{ …|json_script(\"id\") }} and read it from there"
                    .to_owned()
            })
        }
        _ => Some(format!("stands in <{tag}>, where no filter helps")),
    }
}
