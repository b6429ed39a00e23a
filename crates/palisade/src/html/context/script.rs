//! Where in a script a value stands: code, a string, a comment.
//!
//! It decides which filter helps: JSON is a value where code stands, and ends the string that it is put into. This reader knows as much
//! of JavaScript as that takes. A `/` begins a regular expression where no value can stand before it.

/// Where in a script the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// Where a statement or an expression stands, with the last character that is no space.
    Code(char),
    /// Behind a `/` in code, with what stood before it.
    Slash(char),
    /// In a string; whether nothing is written in it yet, and whether a `\\` was the last.
    Text { quote: char, empty: bool, escaped: bool },
    /// In a regular expression; whether in one of its classes, and whether a `\\` was the last.
    Pattern { class: bool, escaped: bool },
    /// In a comment up to the end of the line.
    Line,
    /// In a comment up to `*/`; whether a `*` was the last.
    Block { star: bool },
}

impl Default for Script {
    fn default() -> Self {
        Self::Code(';')
    }
}

impl Script {
    /// Takes one step.
    pub(super) fn step(self, next: char) -> Self {
        match self {
            Self::Code(last) => Self::in_code(last, next),
            Self::Slash(before) => match next {
                '/' => Self::Line,
                '*' => Self::Block { star: false },
                next if "(,=:[!&|?{};+-*%<>~^".contains(before) => Self::Pattern {
                    class: false,
                    escaped: false,
                }
                .step(next),
                next => Self::in_code('/', next),
            },
            Self::Text { quote, escaped, .. } => match next {
                '\n' | '\r' if quote != '`' && !escaped => Self::Code(';'),
                next if next == quote && !escaped => Self::Code(quote),
                next => Self::Text {
                    quote,
                    empty: false,
                    escaped: next == '\\' && !escaped,
                },
            },
            Self::Pattern { class, escaped } => match next {
                '\n' | '\r' => Self::Code(';'),
                '/' if !class && !escaped => Self::Code(')'),
                next => Self::Pattern {
                    class: !escaped && next == '[' || class && (escaped || next != ']'),
                    escaped: next == '\\' && !escaped,
                },
            },
            Self::Line => match next {
                '\n' | '\r' | '\u{2028}' | '\u{2029}' => Self::Code(';'),
                _ => Self::Line,
            },
            Self::Block { star } => match next {
                '/' if star => Self::Code(';'),
                next => Self::Block { star: next == '*' },
            },
        }
    }

    fn in_code(last: char, next: char) -> Self {
        match next {
            '"' | '\'' | '`' => Self::Text {
                quote: next,
                empty: true,
                escaped: false,
            },
            '/' => Self::Slash(last),
            next if next.is_whitespace() => Self::Code(last),
            next => Self::Code(next),
        }
    }

    /// Where the reader is behind a value.
    pub(super) fn behind_a_value(self) -> Self {
        match self {
            Self::Code(_) | Self::Slash(_) => Self::Code(')'),
            Self::Text { quote, .. } => Self::Text {
                quote,
                empty: false,
                escaped: false,
            },
            place => place,
        }
    }

    /// Whether an expression may stand here.
    pub(super) fn is_code(self) -> bool {
        matches!(self, Self::Code(_))
    }

    /// The quote of a string in which nothing stands yet. In a string of back ticks a value can be code whatever is done to it.
    pub(super) fn quote_just_opened(self) -> Option<char> {
        match self {
            Self::Text {
                quote: quote @ ('"' | '\''),
                empty: true,
                ..
            } => Some(quote),
            _ => None,
        }
    }

    /// Whether two ways through a template end in the same place.
    pub(super) fn meet(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Code(last), Self::Code(other)) if last != other => Some(Self::Code(';')),
            (Self::Text { quote, .. }, Self::Text { quote: other, .. }) if quote == other => {
                Some(Self::Text {
                    quote,
                    empty: false,
                    escaped: false,
                })
            }
            (one, other) => (one == other).then_some(one),
        }
    }
}
