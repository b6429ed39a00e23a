//! What a form knows about one of its fields.
//!
//! The derive writes one constant [`FieldSpec`] a field. A rule that does not fit the field's type (`max_length` on a
//! number) is an error while compiling, because a rule that never runs looks like a defence and is none.

use std::fmt;
use std::sync::OnceLock;

use super::Field;
use crate::media::{ImageHandling, MediaType};

/// Says what kind of value a type holds, and so which rules fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Characters: lengths, patterns, e-mail and user names.
    Text,
    /// Whole numbers: limits.
    Whole,
    /// Numbers: limits.
    Real,
    /// Yes or no.
    Flag,
    /// Files: kinds and sizes.
    File,
    /// A type of your own.
    Other,
}

/// Names the HTML control that shows a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of HTML")]
pub enum Widget {
    Text,
    Email,
    Password,
    Number,
    Checkbox,
    Textarea,
    Select,
    Hidden,
    Url,
    Search,
    Tel,
    Date,
    File,
}

impl Widget {
    /// Gives the name that HTML has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Email => "email",
            Self::Password => "password",
            Self::Number => "number",
            Self::Checkbox => "checkbox",
            Self::Textarea => "textarea",
            Self::Select => "select",
            Self::Hidden => "hidden",
            Self::Url => "url",
            Self::Search => "search",
            Self::Tel => "tel",
            Self::Date => "date",
            Self::File => "file",
        }
    }
}

/// Holds the smallest or largest number that a field takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// A whole number.
    Whole(i128),
    /// Any number.
    Real(f64),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(limit) => write!(f, "{limit}"),
            // `{:?}` keeps the `.0` of whole ones, as Python does.
            Self::Real(limit) => write!(f, "{limit:?}"),
        }
    }
}

/// Holds a regular expression that the derive has checked, and compiles it once.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<regex::Regex>>,
}

impl Pattern {
    /// Takes the text of the pattern.
    pub const fn new(text: &'static str) -> Self {
        Self {
            text,
            compiled: OnceLock::new(),
        }
    }

    /// Says whether the pattern is found in the value; one that does not compile is found nowhere.
    pub fn is_match(&self, value: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| regex::Regex::new(self.text).ok());
        compiled.as_ref().is_some_and(|regex| regex.is_match(value))
    }
}

/// Says which further rule of Django's a text follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextRule {
    Email,
    Username,
}

/// Describes one declared field: its name, its rules and how it is shown.
#[derive(Clone, Debug)]
pub struct FieldSpec {
    pub(crate) name: &'static str,
    pub(crate) label: Option<&'static str>,
    pub(crate) help: &'static str,
    pub(crate) initial: Option<&'static str>,
    pub(crate) autocomplete: Option<&'static str>,
    pub(crate) autocapitalize: Option<&'static str>,
    pub(crate) inputmode: Option<&'static str>,
    pub(crate) kind: Kind,
    pub(crate) widget: Widget,
    pub(crate) required: bool,
    pub(crate) has_empty: bool,
    pub(crate) multiple: bool,
    pub(crate) sensitive: bool,
    pub(crate) strip: bool,
    pub(crate) max_length: Option<usize>,
    pub(crate) min_length: Option<usize>,
    pub(crate) max: Option<Limit>,
    pub(crate) min: Option<Limit>,
    pub(crate) rule: Option<TextRule>,
    pub(crate) pattern: Option<fn() -> &'static Pattern>,
    pub(crate) choices: &'static [(&'static str, &'static str)],
    pub(crate) accept: &'static [MediaType],
    pub(crate) max_size: u64,
    pub(crate) max_files: usize,
    pub(crate) images: ImageHandling,
}

/// The rules, as the derive writes them. One that does not fit the type of its field does not compile.
#[expect(clippy::missing_panics_doc, reason = "they panic while compiling")]
impl FieldSpec {
    /// Describes a field of type `T` without further rules.
    pub const fn of<T: Field>(name: &'static str) -> Self {
        Self {
            name,
            label: None,
            help: "",
            initial: None,
            autocomplete: None,
            autocapitalize: None,
            inputmode: None,
            kind: T::KIND,
            widget: T::WIDGET,
            required: T::REQUIRED,
            has_empty: T::HAS_EMPTY,
            multiple: T::MULTIPLE,
            sensitive: <T::Secrecy as super::Secrecy>::SENSITIVE,
            strip: !<T::Secrecy as super::Secrecy>::SENSITIVE,
            max_length: None,
            min_length: None,
            max: None,
            min: None,
            rule: None,
            pattern: None,
            choices: &[],
            accept: &[],
            max_size: 0,
            max_files: 1,
            images: ImageHandling::AsIs,
        }
    }

    /// Sets the kinds of files that are taken, told from their bytes. A file field says so, or it does not compile.
    #[must_use]
    pub const fn with_accept(mut self, kinds: &'static [MediaType]) -> Self {
        assert!(matches!(self.kind, Kind::File), "`accept` is a rule for files");
        assert!(
            !kinds.is_empty(),
            "`accept` lists the kinds of files that are taken"
        );
        self.accept = kinds;
        self
    }

    /// Sets the most bytes of a file. A file field says so, or it does not compile.
    #[must_use]
    pub const fn with_max_size(mut self, bytes: u64) -> Self {
        assert!(matches!(self.kind, Kind::File), "`max_size` is a rule for files");
        assert!(bytes > 0, "a file has at least one byte");
        self.max_size = bytes;
        self
    }

    /// Sets the most files of a field that takes several. A `Vec` of files says so, or it does not compile.
    #[must_use]
    pub const fn with_max_files(mut self, files: usize) -> Self {
        assert!(
            matches!(self.kind, Kind::File) && self.multiple,
            "`max_files` is a rule for a `Vec` of files"
        );
        assert!(files > 1, "one file needs no `Vec`");
        self.max_files = files;
        self
    }

    /// Sets what becomes of pictures before they are kept.
    #[must_use]
    pub const fn with_images(mut self, handling: ImageHandling) -> Self {
        assert!(matches!(self.kind, Kind::File), "`images` is a rule for files");
        self.images = handling;
        self
    }

    /// Says that this is all: what a file field must say is said.
    #[must_use]
    pub const fn complete(self) -> Self {
        assert!(
            !matches!(self.kind, Kind::File) || !self.accept.is_empty(),
            "a file field says which kinds of files it takes: `accept = [Pdf, Png]`"
        );
        assert!(
            !matches!(self.kind, Kind::File) || self.max_size > 0,
            "a file field says how many bytes it takes: `max_size = 10_000_000`"
        );
        assert!(
            !matches!(self.kind, Kind::File) || !self.multiple || self.max_files > 1,
            "a `Vec` of files says how many it takes: `max_files = 10`"
        );
        self
    }

    /// Sets the label; the name in words otherwise.
    #[must_use]
    pub const fn with_label(mut self, label: &'static str) -> Self {
        self.label = Some(label);
        self
    }

    /// Sets the help text.
    #[must_use]
    pub const fn with_help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// Sets what an empty form shows.
    #[must_use]
    pub const fn with_initial(mut self, initial: &'static str) -> Self {
        assert!(
            !self.sensitive,
            "a `Sensitive` field is never shown filled in: `initial` has no use"
        );
        self.initial = Some(initial);
        self
    }

    /// Sets what browsers may fill in.
    #[must_use]
    pub const fn with_autocomplete(mut self, autocomplete: &'static str) -> Self {
        self.autocomplete = Some(autocomplete);
        self
    }

    /// Sets what a phone writes with a capital by itself: `none`, `sentences`, `words` or `characters`. For user names it is `none`.
    #[must_use]
    pub const fn with_autocapitalize(mut self, autocapitalize: &'static str) -> Self {
        self.autocapitalize = Some(autocapitalize);
        self
    }

    /// Sets which keys a phone shows: `numeric` for a code of digits.
    #[must_use]
    pub const fn with_inputmode(mut self, inputmode: &'static str) -> Self {
        self.inputmode = Some(inputmode);
        self
    }

    /// Sets the HTML control.
    #[must_use]
    pub const fn with_widget(mut self, widget: Widget) -> Self {
        assert!(
            !self.sensitive || matches!(widget, Widget::Password | Widget::Text | Widget::Textarea),
            "a `Sensitive` field is typed by its user: `password`, `text` or `textarea`"
        );
        self.widget = widget;
        self
    }

    /// Sets the greatest number of characters.
    #[must_use]
    pub const fn with_max_length(mut self, length: usize) -> Self {
        assert!(matches!(self.kind, Kind::Text), "`max_length` is a rule for text");
        self.max_length = Some(length);
        self
    }

    /// Sets the least number of characters.
    #[must_use]
    pub const fn with_min_length(mut self, length: usize) -> Self {
        assert!(matches!(self.kind, Kind::Text), "`min_length` is a rule for text");
        self.min_length = Some(length);
        self
    }

    /// Sets the largest number.
    #[must_use]
    pub const fn with_max(mut self, limit: Limit) -> Self {
        assert!(
            self.takes(limit),
            "`max` is a rule for numbers, and whole for whole ones"
        );
        self.max = Some(limit);
        self
    }

    /// Sets the smallest number.
    #[must_use]
    pub const fn with_min(mut self, limit: Limit) -> Self {
        assert!(
            self.takes(limit),
            "`min` is a rule for numbers, and whole for whole ones"
        );
        self.min = Some(limit);
        self
    }

    const fn takes(&self, limit: Limit) -> bool {
        matches!(
            (self.kind, limit),
            (Kind::Whole | Kind::Real, Limit::Whole(_)) | (Kind::Real, Limit::Real(_))
        )
    }

    /// Asks for a value.
    #[must_use]
    pub const fn required(mut self) -> Self {
        assert!(
            self.required || matches!(self.kind, Kind::Flag),
            "an `Option` may be missing: drop the `Option` or the `required`"
        );
        self.required = true;
        self
    }

    /// Lets the value be empty.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        assert!(
            self.has_empty,
            "this type has no empty value: an optional one is an `Option<…>`"
        );
        self.required = false;
        self
    }

    /// Sets whether white space around the value is dropped, as it is at first unless the value is sensitive.
    #[must_use]
    pub const fn with_strip(mut self, strip: bool) -> Self {
        assert!(matches!(self.kind, Kind::Text), "`strip` is a rule for text");
        self.strip = strip;
        self
    }

    /// Asks for an e-mail address, of at most 320 characters unless told.
    #[must_use]
    pub const fn email(mut self) -> Self {
        assert!(
            matches!(self.kind, Kind::Text) && self.rule.is_none(),
            "`email` is a rule for text"
        );
        self.rule = Some(TextRule::Email);
        if self.max_length.is_none() {
            self.max_length = Some(320);
        }
        if matches!(self.widget, Widget::Text) {
            self.widget = Widget::Email;
        }
        self
    }

    /// Asks for a user name, of at most 150 characters unless told, and normalises it (NFKC).
    #[must_use]
    pub const fn username(mut self) -> Self {
        assert!(
            matches!(self.kind, Kind::Text) && self.rule.is_none(),
            "`username` is a rule for text"
        );
        self.rule = Some(TextRule::Username);
        if self.max_length.is_none() {
            self.max_length = Some(150);
        }
        if self.autocomplete.is_none() {
            self.autocomplete = Some("username");
        }
        if self.autocapitalize.is_none() {
            self.autocapitalize = Some("none");
        }
        self
    }

    /// Asks that the pattern is found in the value.
    #[must_use]
    pub const fn with_pattern(mut self, pattern: fn() -> &'static Pattern) -> Self {
        assert!(matches!(self.kind, Kind::Text), "`regex` is a rule for text");
        self.pattern = Some(pattern);
        self
    }

    /// Sets the values that may be chosen, each with its label.
    #[must_use]
    pub const fn with_choices(mut self, choices: &'static [(&'static str, &'static str)]) -> Self {
        assert!(!matches!(self.kind, Kind::Flag), "a checkbox has no choices");
        assert!(
            !self.sensitive,
            "a `Sensitive` field has no choices: all of them stand in the page"
        );
        assert!(!choices.is_empty(), "no choice could be made from an empty list");
        self.choices = choices;
        if !matches!(self.widget, Widget::Hidden) {
            self.widget = Widget::Select;
        }
        self
    }
}

/// What can be asked.
impl FieldSpec {
    /// The name, in HTML and in errors.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The label: the one that was set, or the name in words, as Django makes them.
    pub fn label(&self) -> String {
        self.label.map_or_else(|| in_words(self.name), str::to_owned)
    }

    /// Says whether a value is asked for.
    pub const fn is_required(&self) -> bool {
        self.required
    }

    /// Says whether the value is a secret: never shown again, never taken from a query string.
    pub const fn is_sensitive(&self) -> bool {
        self.sensitive
    }
}

/// `first_name` is "First name".
fn in_words(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(char::to_uppercase);
    let rest = letters.as_str().to_lowercase();
    first
        .into_iter()
        .flatten()
        .chain(rest.chars())
        .map(|letter| if letter == '_' { ' ' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_words_as_in_django() {
        assert_eq!(in_words("first_name"), "First name");
        assert_eq!(in_words("isADMIN"), "Isadmin");
        assert_eq!(in_words(""), "");
        assert_eq!(in_words("_x"), " x");
    }

    #[test]
    fn limits_are_written_as_python_writes_them() {
        assert_eq!(Limit::Whole(-3).to_string(), "-3");
        assert_eq!(Limit::Real(1.0).to_string(), "1.0");
        assert_eq!(Limit::Real(9.5).to_string(), "9.5");
    }
}
