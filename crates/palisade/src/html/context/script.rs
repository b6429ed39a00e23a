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
    #[expect(
        clippy::match_same_arms,
        reason = "in the order of the states, each with its ways out of it"
    )]
    pub(super) fn step(self, next: char) -> Self {
        let ends_line = matches!(next, '\n' | '\r' | '\u{2028}' | '\u{2029}');
        match (self, next) {
            (Self::Code, '"' | '\'') => Self::InString {
                quote: next,
                escaped: false,
            },
            (Self::Code, '/') => Self::Slash,
            (Self::Code, '`') => Self::Unclear,
            (Self::Code, _) => Self::Code,
            (Self::Slash, '/') => Self::Line,
            (Self::Slash, '*') => Self::Block { star: false },
            (Self::Slash | Self::Unclear, _) => Self::Unclear,
            (Self::InString { quote, escaped: true }, _) => Self::InString {
                quote,
                escaped: false,
            },
            (Self::InString { quote, .. }, '\\') => Self::InString { quote, escaped: true },
            (Self::InString { quote, .. }, next) if next == quote => Self::Code,
            // What looked like a string is none: a quote in a regular expression, or a mistake.
            (Self::InString { .. }, '\n' | '\r') => Self::Unclear,
            (Self::InString { .. }, _) => self,
            (Self::Line, _) if ends_line => Self::Code,
            (Self::Line, _) => Self::Line,
            (Self::Block { star: true }, '/') => Self::Code,
            (Self::Block { .. }, next) => Self::Block { star: next == '*' },
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
