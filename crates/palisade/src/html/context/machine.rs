//! A browser's tokenizer, as far as it decides in which context a value stands.

use super::script::Script;

/// Where in the page the reader is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Between tags.
    Text,
    /// In a comment.
    Comment,
    /// In a doctype, or in what browsers take for a comment: whatever it holds, the first `>` ends it.
    Declaration,
    /// In a tag, between attributes.
    Tag(String),
    /// In a tag's own name.
    TagName(String),
    /// In the name of an attribute, or behind it.
    AttributeName { tag: String, name: String, ended: bool },
    /// Behind the equals sign.
    BeforeValue { tag: String, name: String },
    /// In the value of an attribute, with what stands before in it.
    Value {
        tag: String,
        name: String,
        quote: Option<char>,
        before: String,
    },
    /// In an element whose content is not read as HTML; with what a script's reader knows.
    Raw { tag: String, script: Script },
    /// There, behind text that means something else depending on what comes next.
    Pending(Box<Self>, String),
    /// Where browsers themselves go different ways, for this reason; nothing behind it can be told.
    Lost(&'static str),
}

/// What a script may not hold: behind it `<script>` and `</script>` count differently.
const HIDDEN_SCRIPT: &str =
    "a script holds <!--, behind which browsers look for its end in another way: leave it out";

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

/// Whether an attribute of this name holds an address.
pub(super) fn holds_address(name: &str) -> bool {
    ADDRESSES.contains(&name)
}

/// The elements whose content is not read as HTML.
const RAW: [&str; 8] = [
    "script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes",
];

impl Place {
    /// Goes on through text of the template, in which there is no value.
    pub(super) fn go_on(mut self, text: &str) -> Self {
        if let Self::Pending(place, mut waiting) = self {
            waiting.push_str(text);
            return place.go_on(&waiting);
        }
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if self.waits_behind(rest) {
                return Self::Pending(Box::new(self), rest.to_owned());
            }
            let (place, read) = self.step(next, rest);
            self = place;
            rest = rest.get(read..).unwrap_or_default();
        }
        self
    }

    /// Whether what this rest means depends on what comes behind it.
    fn waits_behind(&self, rest: &str) -> bool {
        let begins = |whole: &str| {
            let part = whole.get(..rest.len());
            part.is_some_and(|part| part.eq_ignore_ascii_case(rest))
        };
        match self {
            Self::Text => begins("</") || begins("<!---"),
            Self::Comment => begins("--!"),
            Self::Raw { tag, .. } => {
                begins(&format!("</{tag}")) || tag == "script" && rest.len() < 4 && begins("<!--")
            }
            _ => false,
        }
    }

    /// Takes one step, and says how many bytes it took.
    fn step(self, next: char, rest: &str) -> (Self, usize) {
        let one = next.len_utf8();
        match self {
            Self::Text => text(rest).unwrap_or((Self::Text, one)),
            Self::Lost(_) | Self::Pending(..) => (self, rest.len()),
            Self::Declaration if next == '>' => (Self::Text, one),
            Self::Declaration => (self, one),
            Self::Comment => match rest.strip_prefix("-->").or_else(|| rest.strip_prefix("--!>")) {
                Some(after) => (Self::Text, rest.len() - after.len()),
                None => (Self::Comment, one),
            },
            Self::TagName(mut tag) => match next {
                '>' => (behind(&tag), one),
                '/' => (Self::Tag(tag), one),
                next if next.is_ascii_whitespace() => (Self::Tag(tag), one),
                next => {
                    tag.push(next.to_ascii_lowercase());
                    (Self::TagName(tag), one)
                }
            },
            Self::Tag(tag) => match next {
                '>' => (behind(&tag), one),
                '/' => (Self::Tag(tag), one),
                next if next.is_ascii_whitespace() => (Self::Tag(tag), one),
                next => (Self::named(tag, next), one),
            },
            Self::AttributeName { .. } | Self::BeforeValue { .. } | Self::Value { .. } => {
                (self.in_attribute(next), one)
            }
            Self::Raw { tag, .. } if tag == "script" && rest.starts_with("<!--") => {
                (Self::Lost(HIDDEN_SCRIPT), one)
            }
            Self::Raw { tag, script } => {
                let name = rest.strip_prefix("</");
                let ends = name.and_then(|name| name.get(..tag.len()));
                let over = name.and_then(|name| name.get(tag.len()..)).is_some_and(|after| {
                    after.starts_with(|next: char| next.is_ascii_whitespace() || matches!(next, '/' | '>'))
                });
                if over && ends.is_some_and(|end| end.eq_ignore_ascii_case(&tag)) {
                    let read = 2 + tag.len();
                    (Self::TagName(format!("/{tag}")), read)
                } else {
                    let script = script.step(next);
                    (Self::Raw { tag, script }, one)
                }
            }
        }
    }

    /// Takes one step in a name or a value of an attribute.
    fn in_attribute(self, next: char) -> Self {
        match self {
            Self::AttributeName { tag, mut name, ended } => match next {
                '>' => behind(&tag),
                '/' => Self::Tag(tag),
                '=' => Self::BeforeValue { tag, name },
                next if next.is_ascii_whitespace() => Self::AttributeName {
                    tag,
                    name,
                    ended: true,
                },
                next if ended => Self::named(tag, next),
                next => {
                    name.push(next.to_ascii_lowercase());
                    Self::AttributeName { tag, name, ended }
                }
            },
            Self::BeforeValue { tag, name } => match next {
                '>' => behind(&tag),
                next if next.is_ascii_whitespace() => Self::BeforeValue { tag, name },
                quote @ ('"' | '\'') => Self::Value {
                    tag,
                    name,
                    quote: Some(quote),
                    before: String::new(),
                },
                next => Self::Value {
                    tag,
                    name,
                    quote: None,
                    before: next.to_string(),
                },
            },
            Self::Value {
                tag,
                name,
                quote,
                mut before,
            } => match (quote, next) {
                (Some(quote), next) if quote == next => Self::Tag(tag),
                (None, '>') => behind(&tag),
                (None, next) if next.is_ascii_whitespace() => Self::Tag(tag),
                (quote, next) => {
                    before.push(next);
                    Self::Value {
                        tag,
                        name,
                        quote,
                        before,
                    }
                }
            },
            place => place,
        }
    }

    /// Where an attribute's name begins.
    fn named(tag: String, first: char) -> Self {
        Self::AttributeName {
            tag,
            name: first.to_ascii_lowercase().to_string(),
            ended: false,
        }
    }

    /// Whether two ways through a template end in the same context; an address then counts as begun in the way that says less.
    pub(super) fn meet(self, other: &Self) -> Option<Self> {
        match (self, other) {
            (
                Self::Value {
                    tag,
                    name,
                    quote,
                    before,
                },
                Self::Value {
                    tag: other_tag,
                    name: other_name,
                    quote: other_quote,
                    before: other_before,
                },
            ) if tag == *other_tag && name == *other_name && quote == *other_quote => {
                let before = if before == *other_before || (is_begun(&before) && is_begun(other_before)) {
                    // Of two the one that says less of where it leads.
                    if names_its_site(&before) {
                        other_before.clone()
                    } else {
                        before
                    }
                } else {
                    UNCLEAR.to_owned()
                };
                Some(Self::Value {
                    tag,
                    name,
                    quote,
                    before,
                })
            }
            (
                Self::Raw { tag, script },
                Self::Raw {
                    tag: other,
                    script: there,
                },
            ) if tag == *other => {
                let script = script.meet(*there);
                Some(Self::Raw { tag, script })
            }
            (place, other) => {
                // A name that is over and the space behind it are the same place.
                let (place, other) = (place.settled(), other.clone().settled());
                (place == other).then_some(place)
            }
        }
    }

    /// Whether what was found of a loop's body, entered here, also holds where its next round begins.
    pub(super) fn goes_round_to(&self, next: &Self) -> bool {
        match (self, next) {
            (
                Self::Value { name, before, .. },
                Self::Value {
                    before: next_before, ..
                },
            ) => !holds_address(name) || before == next_before || is_begun(next_before),
            (Self::Raw { script, .. }, Self::Raw { script: next, .. }) => script == next,
            // Whether they are the same place at all is asked where ways meet.
            _ => true,
        }
    }

    fn settled(self) -> Self {
        match self {
            Self::AttributeName { tag, .. } | Self::TagName(tag) => Self::Tag(tag),
            place => place,
        }
    }
}

/// The beginning of an address that is not the same on every way to it.
pub(super) const UNCLEAR: &str = "\0";

/// A value in an address: by itself it decides nothing, as two of them may make up a scheme together.
pub(super) const VALUE: char = '\u{1}';

/// Whether what is written of an address decides its scheme, so that a value behind it cannot.
pub(super) fn is_begun(before: &str) -> bool {
    let before = before.trim_start().to_ascii_lowercase();
    before.starts_with("mailto:")
        || before.starts_with("tel:")
        || (before.contains(['/', '?', '#'])
            && before.split(['/', '?', '#']).next().is_some_and(|first| {
                matches!(first, "http:" | "https:") || !first.contains([':', '&', '\0'])
            }))
}

/// Whether what is written of an address decides from which site it is: `/` alone does not, since another may follow.
pub(super) fn names_its_site(before: &str) -> bool {
    let before = before.trim_start();
    let lower = before.to_ascii_lowercase();
    let other_site = ["http:", "https:", ""]
        .iter()
        .find_map(|scheme| lower.strip_prefix(scheme)?.strip_prefix("//"));
    match other_site {
        Some(host) => host.find(['/', '?', '#']).is_some_and(|end| {
            let host = host.get(..end).unwrap_or_default();
            !host.is_empty() && host.chars().all(|letter| letter.is_ascii_graphic())
        }),
        None => match before.strip_prefix('/') {
            Some(path) => {
                path.starts_with(|first: char| first.is_ascii_alphanumeric() || "._-~?#%".contains(first))
            }
            None => is_begun(before) && !lower.starts_with("http"),
        },
    }
}

/// What `<` begins, if it begins anything.
fn text(rest: &str) -> Option<(Place, usize)> {
    let after = rest.strip_prefix('<')?;
    for empty in ["!-->", "!--->"] {
        if after.starts_with(empty) {
            return Some((Place::Text, 1 + empty.len()));
        }
    }
    if after.starts_with("!--") {
        return Some((Place::Comment, 4));
    }
    if after.starts_with(['!', '?']) {
        return Some((Place::Declaration, 2));
    }
    let (close, name) = match after.strip_prefix('/') {
        Some(name) => ("/", name),
        None => ("", after),
    };
    if name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Some((Place::TagName(close.to_owned()), 1 + close.len()));
    }
    (close == "/" && !name.is_empty()).then_some((Place::Declaration, 2))
}

/// Where the reader is behind the `>` of a tag.
fn behind(tag: &str) -> Place {
    if RAW.contains(&tag) {
        Place::Raw {
            tag: tag.to_owned(),
            script: Script::default(),
        }
    } else {
        Place::Text
    }
}
