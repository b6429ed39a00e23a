//! A script, as far as it decides whether a value stands in a string, in code, or where neither can be told.
//!
//! What JavaScript's own tokenizer has to know, whether `/` divides or begins a regular expression, is not asked: behind such a
//! `/`, as behind a backtick, the rest of the script takes no values.

/// Where in a script the reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Script {
    /// In code.
    #[default]
    Code,
    /// In code, behind a slash that may begin a comment.
    Slash,
    /// In a string, which this quote ends unless a backslash stands before it.
    InString { quote: char, escaped: bool },
    /// In a comment up to the end of the line.
    Line,
    /// In a comment up to `*/`; whether a star stands right before.
    Block { star: bool },
    /// Behind something that this reader does not follow, or on ways that end differently.
    Unclear,
}

impl Script {
    pub(super) fn step(self, next: char) -> Self {
        match self {
            Self::Code => match next {
                quote @ ('"' | '\'') => Self::InString {
                    quote,
                    escaped: false,
                },
                '/' => Self::Slash,
                '`' => Self::Unclear,
                _ => Self::Code,
            },
            Self::Slash => match next {
                '/' => Self::Line,
                '*' => Self::Block { star: false },
                _ => Self::Unclear,
            },
            Self::InString { quote, escaped } => match next {
                _ if escaped => Self::InString {
                    quote,
                    escaped: false,
                },
                '\\' => Self::InString { quote, escaped: true },
                // What looked like a string is none: a quote in a regular expression, or a mistake.
                '\n' | '\r' => Self::Unclear,
                next if next == quote => Self::Code,
                _ => self,
            },
            Self::Line => match next {
                '\n' | '\r' | '\u{2028}' | '\u{2029}' => Self::Code,
                _ => Self::Line,
            },
            Self::Block { star: true } if next == '/' => Self::Code,
            Self::Block { .. } => Self::Block { star: next == '*' },
            Self::Unclear => Self::Unclear,
        }
    }

    /// Where two ways through a template meet.
    pub(super) fn meet(self, other: Self) -> Self {
        if self == other { self } else { Self::Unclear }
    }

    /// The filter that makes a value harmless here, if there is one.
    pub(super) fn filter(self) -> Option<&'static str> {
        match self {
            Self::Code => Some("tojson"),
            Self::InString { escaped: false, .. } => Some("escapejs"),
            _ => None,
        }
    }
}
