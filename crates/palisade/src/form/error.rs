//! What is wrong with a value, in Django's words.
//!
//! The English texts are a format: people have translated them, documented them and written tests against them, so they
//! are Django's to the letter. A code stands beside each text for programs.

use std::borrow::Cow;

use serde::Serialize;

/// Says what is wrong with one value.
///
/// # Example
///
/// ```
/// use palisade::form::ValidationError;
///
/// let error = ValidationError::from("Enter a colour.").with_code("colour");
/// assert_eq!((error.code(), error.message()), ("colour", "Enter a colour."));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct ValidationError {
    code: Cow<'static, str>,
    message: Cow<'static, str>,
}

impl ValidationError {
    /// Replaces the code, which is `invalid` at first.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = code.into();
        self
    }

    /// Says in one word what is wrong, for programs.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Says what is wrong, for the person who filled in the form.
    pub fn message(&self) -> &str {
        &self.message
    }

    fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: Cow::Borrowed(code),
            message: message.into(),
        }
    }

    pub(crate) fn required() -> Self {
        Self::new("required", "This field is required.")
    }

    pub(crate) fn too_long(limit: usize, length: usize) -> Self {
        let characters = characters(limit);
        Self::new(
            "max_length",
            format!("Ensure this value has at most {limit} {characters} (it has {length})."),
        )
    }

    pub(crate) fn too_short(limit: usize, length: usize) -> Self {
        let characters = characters(limit);
        Self::new(
            "min_length",
            format!("Ensure this value has at least {limit} {characters} (it has {length})."),
        )
    }

    pub(crate) fn null_characters() -> Self {
        Self::new("null_characters_not_allowed", "Null characters are not allowed.")
    }

    pub(crate) fn too_large(limit: impl std::fmt::Display) -> Self {
        Self::new(
            "max_value",
            format!("Ensure this value is less than or equal to {limit}."),
        )
    }

    pub(crate) fn too_small(limit: impl std::fmt::Display) -> Self {
        Self::new(
            "min_value",
            format!("Ensure this value is greater than or equal to {limit}."),
        )
    }

    pub(crate) fn whole_number() -> Self {
        Self::new("invalid", "Enter a whole number.")
    }

    pub(crate) fn number() -> Self {
        Self::new("invalid", "Enter a number.")
    }

    pub(crate) fn email() -> Self {
        Self::new("invalid", "Enter a valid email address.")
    }

    pub(crate) fn username() -> Self {
        Self::new(
            "invalid",
            "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.",
        )
    }

    pub(crate) fn pattern() -> Self {
        Self::new("invalid", "Enter a valid value.")
    }

    pub(crate) fn empty_file() -> Self {
        Self::new("empty", "The submitted file is empty.")
    }

    pub(crate) fn too_large_file(most: u64) -> Self {
        let most = in_words(most);
        Self::new(
            "max_size",
            format!("This file is too large: it may have {most} at most."),
        )
    }

    pub(crate) fn too_many_files(most: usize) -> Self {
        let files = if most == 1 {
            "one file".to_owned()
        } else {
            format!("{most} files")
        };
        Self::new("max_files", format!("Choose {files} at most."))
    }

    pub(crate) fn unacceptable_file(why: String) -> Self {
        Self::new("invalid_file", why)
    }

    pub(crate) fn choice(value: &str) -> Self {
        let message = format!("Select a valid choice. {value} is not one of the available choices.");
        Self::new("invalid_choice", message)
    }
}

/// A size as people say it, never more than it is.
fn in_words(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} bytes"),
        1000..1_000_000 => format!("{} KB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn characters(limit: usize) -> &'static str {
    if limit == 1 { "character" } else { "characters" }
}

impl From<&'static str> for ValidationError {
    fn from(message: &'static str) -> Self {
        Self::new("invalid", message)
    }
}

impl From<String> for ValidationError {
    fn from(message: String) -> Self {
        Self::new("invalid", message)
    }
}

impl From<Cow<'static, str>> for ValidationError {
    fn from(message: Cow<'static, str>) -> Self {
        Self::new("invalid", message)
    }
}

/// Collects what is wrong with one field, or with the form as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ErrorList(Vec<ValidationError>);

impl ErrorList {
    /// Adds one error.
    pub fn push(&mut self, error: impl Into<ValidationError>) {
        self.0.push(error.into());
    }

    /// Adds all errors of another list.
    pub fn append(&mut self, more: impl Into<Self>) {
        self.0.extend(more.into().0);
    }

    /// Says whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Goes through the errors in the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, ValidationError> {
        self.0.iter()
    }

    /// Goes through the messages.
    pub fn messages(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(ValidationError::message)
    }
}

impl<'list> IntoIterator for &'list ErrorList {
    type Item = &'list ValidationError;
    type IntoIter = std::slice::Iter<'list, ValidationError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<E: Into<ValidationError>> From<E> for ErrorList {
    fn from(error: E) -> Self {
        Self(vec![error.into()])
    }
}

impl<E: Into<ValidationError>> From<Vec<E>> for ErrorList {
    fn from(errors: Vec<E>) -> Self {
        Self(errors.into_iter().map(Into::into).collect())
    }
}

/// Collects what is wrong with a form: what a function named by `#[form(clean = …)]` is given to write to.
#[derive(Clone, Debug, Default)]
pub struct FormErrors {
    fields: Vec<(&'static str, ErrorList)>,
    form: ErrorList,
}

impl FormErrors {
    pub(crate) fn of(specs: &[super::FieldSpec]) -> Self {
        Self {
            fields: specs
                .iter()
                .map(|spec| (spec.name(), ErrorList::default()))
                .collect(),
            form: ErrorList::default(),
        }
    }

    /// Adds errors to the field of that name.
    ///
    /// A name that the form does not have keeps the form invalid: the errors are those of the form.
    pub fn add(&mut self, field: &str, errors: impl Into<ErrorList>) {
        match self.fields.iter_mut().find(|(name, _)| *name == field) {
            Some((_, list)) => list.append(errors),
            None => self.form.append(errors),
        }
    }

    /// Adds errors that belong to no single field.
    pub fn add_to_form(&mut self, errors: impl Into<ErrorList>) {
        self.form.append(errors);
    }

    /// Shows the errors of a field.
    pub fn field(&self, name: &str) -> Option<&ErrorList> {
        self.fields
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, list)| list)
    }

    /// Shows the errors that belong to no single field.
    pub fn form(&self) -> &ErrorList {
        &self.form
    }

    /// Says whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.form.is_empty() && self.fields.iter().all(|(_, list)| list.is_empty())
    }
}
