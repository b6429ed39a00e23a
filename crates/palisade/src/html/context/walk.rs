//! The way through a template: text, values and tags in their order, and each branch from where it begins.

use super::expression::{declares_safe, ends_with_filter, first_word};
use super::machine::{Place, UNCLEAR, VALUE, holds_address, is_begun, names_its_site};
use super::script::Script;

/// The elements that run or change everything by their address: which one it is must not be left to a value.
const POWERFUL: [&str; 4] = ["base", "embed", "object", "script"];

/// The elements of SVG that set another attribute, be it `href` or `onclick`.
const ANIMATIONS: [&str; 4] = ["animate", "animatemotion", "animatetransform", "set"];

/// What stands behind a value in an attribute of a template that is rewritten: see [`Walked::rewritten`].
pub(crate) const IN_ATTRIBUTE: &str = "in_attribute";

/// What was found on the way through a template.
pub(crate) struct Walked {
    /// Lines, and what is wrong in them.
    pub(crate) faults: Vec<(usize, String)>,
    /// The template with [`IN_ATTRIBUTE`] behind each value of a quoted attribute, a title and a text area, where also what is declared
    /// safe has to be escaped: it was made for a place between tags, and its quotes would end the attribute.
    pub(crate) rewritten: String,
}

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

/// Goes through a template.
pub(crate) fn walk(source: &str) -> Walked {
    let mut walk = Walk {
        place: Place::Text,
        open: Vec::new(),
        faults: Vec::new(),
    };
    let mut rewritten = String::with_capacity(source.len() + source.len() / 16);
    let (mut rest, mut trims) = (source, false);
    while let Some(at) = rest
        .find("{{")
        .into_iter()
        .chain(rest.find("{%"))
        .chain(rest.find("{#"))
        .min()
    {
        let (text, tag) = rest.split_at(at);
        rewritten.push_str(text);
        // `{{-` takes the space before it away, and `-}}` the one behind.
        let text = if trims { text.trim_start() } else { text };
        walk.text(if tag.get(2..3) == Some("-") {
            text.trim_end()
        } else {
            text
        });
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
            return Walked {
                faults: walk.faults,
                rewritten,
            };
        };
        let whole = inside.get(..length).unwrap_or_default();
        trims = whole.ends_with('-');
        rest = inside.get(length + 2..).unwrap_or_default();
        let code = whole.trim_matches(['-', '+']).trim();
        let written = tag.get(..length + 4).unwrap_or_default();
        if end == "}}" && walk.is_quoted() && !matches!(first_word(code), "super" | "loop") {
            let (before, after) = written.split_once(code).unwrap_or((written, ""));
            for part in [before, "(", code, ")|", IN_ATTRIBUTE, after] {
                rewritten.push_str(part);
            }
        } else {
            rewritten.push_str(written);
        }
        match end {
            "}}" => walk.value(line, code),
            "%}" => walk.tag(line, code),
            _ => {}
        }
    }
    walk.text(if trims { rest.trim_start() } else { rest });
    rewritten.push_str(rest);
    let last = source.lines().count();
    match walk.place {
        Place::Text => {}
        Place::Lost(why) => walk.fault(last, why.to_owned()),
        _ => walk.fault(
            last,
            "the template ends within a tag, a comment, a script or a style".to_owned(),
        ),
    }
    Walked {
        faults: walk.faults,
        rewritten,
    }
}

/// Finds the end of a tag, which stands neither in a string nor in brackets.
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
        self.faults.push((line, reason));
    }

    fn text(&mut self, text: &str) {
        let place = std::mem::replace(&mut self.place, Place::Text);
        self.place = place.go_on(text);
    }

    /// Whether a value stands here in quotes, or where text is all there can be.
    fn is_quoted(&self) -> bool {
        match &self.place {
            Place::Value { quote, .. } => quote.is_some(),
            Place::Raw { tag, .. } => tag == "title" || tag == "textarea",
            _ => false,
        }
    }

    fn value(&mut self, line: usize, code: &str) {
        if declares_safe(code) {
            self.fault(
                line,
                format!("{{{{ {code} }}}} declares text safe: pass a SafeHtml, which only sanitising or escaping makes"),
            );
        }
        let fault = match &self.place {
            Place::Text => None,
            Place::Comment => Some("stands in a comment, which a value can end: use {# … #}".to_owned()),
            Place::Declaration => {
                Some("stands in a doctype or in what browsers take for a comment: use {# … #}".to_owned())
            }
            Place::Pending(_, before) => Some(format!(
                "stands right behind {before}, where it could become a tag: write a space between, or &lt;"
            )),
            Place::Lost(why) => Some(format!("stands where no reader can tell the context: {why}")),
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
            Place::Raw { tag, script } => in_raw(tag, *script, code),
        };
        if let Some(fault) = fault {
            self.fault(line, format!("{{{{ {code} }}}} {fault}"));
        }
        match &mut self.place {
            Place::Value { before, .. } if before != UNCLEAR => before.push(VALUE),
            Place::BeforeValue { tag, name } => {
                let (tag, name) = (std::mem::take(tag), std::mem::take(name));
                self.place = Place::Value {
                    tag,
                    name,
                    quote: None,
                    before: VALUE.to_string(),
                };
            }
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
        if is_loop && !start.goes_round_to(&end) {
            self.fault(
                line,
                "the loop ends where its next round may not begin: what one round writes changes what the next one's values are".to_owned(),
            );
        }
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
        "from" | "to" | "by" | "values" if ANIMATIONS.contains(&tag) => {
            return Some(format!(
                "stands in {name} of <{tag}>, which sets another attribute: write it down"
            ));
        }
        "content" if tag == "meta" && before.to_ascii_lowercase().contains("url") => {
            return Some("decides where the page leads by itself: redirect in the handler".to_owned());
        }
        _ if !holds_address(name) => return None,
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

/// What is wrong with a value in an element that is not read as HTML.
fn in_raw(tag: &str, script: Script, code: &str) -> Option<String> {
    match tag {
        "title" | "textarea" => None,
        "script" => {
            let good = script
                .filter()
                .is_some_and(|filter| ends_with_filter(code, filter));
            let place = match script {
                Script::Code => "stands in a script: write {{ …|tojson }}",
                Script::InString { escaped: false, .. } => {
                    "stands in a string of a script: write {{ …|escapejs }}"
                }
                Script::InString { .. } => "stands behind a backslash in a script: write it before,",
                Script::Line | Script::Block { .. } => "stands in a comment of a script: use {# … #},",
                Script::Slash | Script::Unclear => {
                    "stands in a script behind a backtick, or a slash that begins no comment, where its context cannot be told: \
                     write it before them,"
                }
            };
            (!good).then(|| {
                format!("{place} or put it into the page by {{{{ …|json_script(\"id\") }}}} and read it from there")
            })
        }
        _ => Some(format!("stands in <{tag}>, where no filter helps")),
    }
}
