//! The way through a template: text, values and tags in their order, and each branch from where it begins.

use super::expression::{declares_safe, ends_with_filter, first_word};
use super::machine::{Place, UNCLEAR, is_begun};

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
    faults: Vec<(usize, String)>,
}

/// Lists lines and what is wrong in them.
pub(super) fn walk(source: &str) -> Vec<(usize, String)> {
    let mut walk = Walk {
        place: Place::Text,
        open: Vec::new(),
        faults: Vec::new(),
    };
    let mut rest = source;
    while let Some(at) = rest
        .find("{{")
        .into_iter()
        .chain(rest.find("{%"))
        .chain(rest.find("{#"))
        .min()
    {
        let (text, tag) = rest.split_at(at);
        walk.text(text);
        let line = 1 + source
            .len()
            .checked_sub(tag.len())
            .and_then(|read| source.get(..read))
            .map_or(0, |read| read.matches('\n').count());
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
            return walk.faults;
        };
        let code = inside.get(..length).unwrap_or_default();
        rest = inside.get(length + 2..).unwrap_or_default();
        let code = code.trim_matches(['-', '+']).trim();
        match end {
            "}}" => walk.value(line, code, rest.chars().next()),
            "%}" => walk.tag(line, code),
            _ => {}
        }
    }
    walk.text(rest);
    if walk.place != Place::Text {
        let last = source.lines().count();
        walk.fault(
            last,
            "the template ends within a tag, a comment, a script or a style".to_owned(),
        );
    }
    walk.faults
}

/// Finds the end of a tag, which does not stand in a string.
fn end_of(inside: &str, end: &str) -> Option<usize> {
    let (mut string, mut escaped) = (None, false);
    for (place, character) in inside.char_indices() {
        match string {
            Some(quote) => {
                if !escaped && character == quote {
                    string = None;
                }
                escaped = character == '\\' && !escaped;
            }
            None if inside.get(place..).is_some_and(|rest| rest.starts_with(end)) => return Some(place),
            None if end != "#}" && matches!(character, '"' | '\'') => string = Some(character),
            None => {}
        }
    }
    None
}

impl Walk {
    fn fault(&mut self, line: usize, reason: String) {
        self.faults.push((line, reason));
    }

    fn text(&mut self, text: &str) {
        let place = std::mem::replace(&mut self.place, Place::Text);
        self.place = place.go_on(text);
    }

    fn value(&mut self, line: usize, code: &str, next: Option<char>) {
        if declares_safe(code) {
            self.fault(
                line,
                format!("{{{{ {code} }}}} declares text safe: pass a SafeHtml, which only sanitising or escaping makes"),
            );
        }
        let fault = match &self.place {
            Place::Text => None,
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
                tag, name, before, ..
            } => in_attribute(tag, name, before, code),
            Place::Raw { tag, last } => in_raw(tag, *last, next, code),
        };
        if let Some(fault) = fault {
            self.fault(line, format!("{{{{ {code} }}}} {fault}"));
        }
        match &mut self.place {
            // What a value holds is not known: an address that began with it is begun, since the filter has judged it.
            Place::Value { before, .. } if before != UNCLEAR => before.push('/'),
            Place::BeforeValue { tag, name } => {
                let (tag, name) = (std::mem::take(tag), std::mem::take(name));
                self.place = Place::Value {
                    tag,
                    name,
                    quote: None,
                    before: "/".to_owned(),
                };
            }
            Place::Raw { last, .. } => *last = ' ',
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
            "include" => self.must_be_text(line, "include"),
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
        if matches!(word.as_str(), "block" | "macro" | "call" | "set") {
            self.must_be_text(line, &word);
        }
        self.open.push(Open {
            word,
            line,
            start: self.place.clone(),
            ends: None,
            has_else: false,
        });
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
    if before.trim().is_empty() {
        if POWERFUL.contains(&tag) {
            return Some(format!(
                "decides where <{tag}> leads: write at least the address's beginning down, as in {name}=\"/static/{{{{ … }}}}\""
            ));
        }
        let judged = ends_with_filter(code, "url");
        return (!judged)
            .then(|| format!("stands in {name}, where it could be javascript: — write {{{{ …|url }}}}"));
    }
    (!is_begun(before)).then(|| {
        format!("goes on with an address of which only a part of the scheme is written: write {name}=\"{{{{ …|url }}}}\"")
    })
}

/// What is wrong with a value in an element that is not read as HTML.
fn in_raw(tag: &str, last: char, next: Option<char>, code: &str) -> Option<String> {
    match tag {
        "title" | "textarea" => None,
        "script" => {
            let in_string = matches!(last, '"' | '\'') && next == Some(last);
            let good = ends_with_filter(code, "tojson") && !in_string
                || ends_with_filter(code, "escapejs") && in_string;
            (!good).then(|| {
                "stands in a script: write {{ …|tojson }} without quotes, or \"{{ …|escapejs }}\", or put it into the page by \
                 {{ …|json_script(\"id\") }} and read it from there"
                    .to_owned()
            })
        }
        _ => Some(format!("stands in <{tag}>, where no filter helps")),
    }
}
