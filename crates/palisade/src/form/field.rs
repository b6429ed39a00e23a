//! How text from a request becomes a value of a declared type.
//!
//! The type says nearly everything: `String` must be there, `Option<…>` may be missing, `Vec<…>` takes every value of a
//! repeated name, `Sensitive<String>` is never shown again. What the type cannot say stands in the [`FieldSpec`].

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use palisade_core::secret::{Sensitive, constant_time_eq};

use super::file::FileSlot;
use super::spec::{Kind, Widget};
use super::text;
use super::{ErrorList, FieldSpec, ValidationError};

/// Holds the values that came under a field's name: texts, and files.
#[derive(Clone, Copy, Debug)]
pub struct Input<'form> {
    texts: &'form [&'form str],
    files: &'form [&'form FileSlot],
}

impl<'form> Input<'form> {
    pub(crate) fn of(texts: &'form [&'form str], files: &'form [&'form FileSlot]) -> Self {
        Self { texts, files }
    }

    #[cfg(test)]
    pub(crate) fn texts(texts: &'form [&'form str]) -> Self {
        Self::of(texts, &[])
    }

    /// Gives each value by itself.
    pub(crate) fn each(self) -> impl Iterator<Item = Self> {
        let texts = self
            .texts
            .iter()
            .map(|text| Self::of(std::slice::from_ref(text), &[]));
        let files = self
            .files
            .iter()
            .map(|file| Self::of(&[], std::slice::from_ref(file)));
        texts.chain(files)
    }

    /// Gives the files, in their order.
    pub(crate) fn files(self) -> &'form [&'form FileSlot] {
        self.files
    }

    /// Gives the last value, which is the one that counts for a single field (as in Django).
    pub fn last(self) -> Option<&'form str> {
        self.texts.last().copied()
    }

    /// Gives all values, in their order.
    pub fn all(self) -> &'form [&'form str] {
        self.texts
    }
}

/// Says, in the type system, whether a form carries a secret.
pub trait Secrecy {
    /// Whether there is a secret.
    const SENSITIVE: bool;
    /// What the whole is when something of secrecy `S` is added.
    type With<S: Secrecy>: Secrecy;
}

/// Marks what may be read from a query string.
#[diagnostic::on_unimplemented(
    message = "a form with a `Sensitive` field cannot be read from a query string",
    label = "this form carries a secret",
    note = "query strings are kept in histories, logs and `Referer` headers: send the form by POST and take it as `Checked<…>`"
)]
pub trait Readable: Secrecy {}

/// The secrecy of a value that may be shown.
#[derive(Debug)]
pub enum CarriesNoSecret {}

/// The secrecy of a value that may not be shown.
#[derive(Debug)]
pub enum CarriesSecret {}

impl Secrecy for CarriesNoSecret {
    const SENSITIVE: bool = false;
    type With<S: Secrecy> = S;
}

impl Secrecy for CarriesSecret {
    const SENSITIVE: bool = true;
    type With<S: Secrecy> = Self;
}

impl Readable for CarriesNoSecret {}

/// Makes a type usable for a field of a form.
///
/// A type of your own that has `FromStr` and `Display` needs no more than [`FromText`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a form",
    label = "not a form field",
    note = "fields are `String`, `bool`, numbers, `Option<…>`, `Vec<…>`, `Sensitive<String>`, or a type of yours with `impl FromText`"
)]
pub trait Field: Sized {
    /// What validators are given a reference to.
    type Value: ?Sized;
    /// [`CarriesNoSecret`] or [`CarriesSecret`].
    type Secrecy: Secrecy;
    /// Which rules fit.
    const KIND: Kind;
    /// How the field is shown unless told.
    const WIDGET: Widget;
    /// Whether a value must be given unless told.
    const REQUIRED: bool = true;
    /// Whether there is an empty value, so that the field may be `optional`.
    const HAS_EMPTY: bool = false;
    /// Whether every value of a repeated name counts.
    const MULTIPLE: bool = false;

    /// Makes the value, or says in Django's words why not.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the input.
    fn clean(input: Input<'_>, spec: &FieldSpec) -> Result<Self, ErrorList>;

    /// Says whether nothing was given.
    fn is_blank(input: Input<'_>, spec: &FieldSpec) -> bool {
        input
            .last()
            .is_none_or(|value| text::prepare(value, spec).is_empty())
    }

    /// Shows the value to validators, which do not run where there is none.
    fn present(&self) -> Option<&Self::Value>;

    /// Writes the value as the form shows it. A secret gives nothing.
    fn texts(&self) -> Vec<String>;

    /// Says whether both are the same value.
    fn same(&self, other: &Self) -> bool;
}

/// Makes a type with `FromStr` and `Display` a field.
///
/// # Example
///
/// ```
/// use palisade::form::{Form, FromText};
///
/// #[derive(Debug, PartialEq)]
/// enum Level { Low, High }
///
/// impl std::str::FromStr for Level {
///     type Err = ();
///     fn from_str(text: &str) -> Result<Self, ()> {
///         match text { "low" => Ok(Self::Low), "high" => Ok(Self::High), _ => Err(()) }
///     }
/// }
///
/// impl std::fmt::Display for Level {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         f.write_str(match self { Self::Low => "low", Self::High => "high" })
///     }
/// }
///
/// impl FromText for Level {
///     const INVALID: &'static str = "Choose a level.";
/// }
///
/// #[derive(Form)]
/// struct Alarm { level: Level }
///
/// assert_eq!(Alarm::from_pairs([("level", "high")]).unwrap().level, Level::High);
/// let bound = Alarm::from_pairs([("level", "7")]).unwrap_err();
/// assert_eq!(bound.errors().field("level").unwrap().messages().collect::<Vec<_>>(), ["Choose a level."]);
/// ```
pub trait FromText: FromStr + Display + PartialEq {
    /// What is said about text that is no such value.
    const INVALID: &'static str = "Enter a valid value.";
}

impl<T: FromText> Field for T {
    type Value = Self;
    type Secrecy = CarriesNoSecret;
    const KIND: Kind = Kind::Other;
    const WIDGET: Widget = Widget::Text;

    fn clean(input: Input<'_>, spec: &FieldSpec) -> Result<Self, ErrorList> {
        let value = text::given(input, spec)?;
        value.parse().map_err(|_| ErrorList::from(T::INVALID))
    }

    fn present(&self) -> Option<&Self> {
        Some(self)
    }

    fn texts(&self) -> Vec<String> {
        vec![self.to_string()]
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl Field for String {
    type Value = str;
    type Secrecy = CarriesNoSecret;
    const KIND: Kind = Kind::Text;
    const WIDGET: Widget = Widget::Text;
    const HAS_EMPTY: bool = true;

    fn clean(input: Input<'_>, spec: &FieldSpec) -> Result<Self, ErrorList> {
        text::clean(input, spec).map(Cow::into_owned)
    }

    fn present(&self) -> Option<&str> {
        (!self.is_empty()).then_some(self)
    }

    fn texts(&self) -> Vec<String> {
        vec![self.clone()]
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl Field for Sensitive<String> {
    type Value = Self;
    type Secrecy = CarriesSecret;
    const KIND: Kind = Kind::Text;
    const WIDGET: Widget = Widget::Password;
    const HAS_EMPTY: bool = true;

    fn clean(input: Input<'_>, spec: &FieldSpec) -> Result<Self, ErrorList> {
        text::clean(input, spec).map(|value| Self::new(value.into_owned()))
    }

    fn present(&self) -> Option<&Self> {
        (!self.expose().is_empty()).then_some(self)
    }

    fn texts(&self) -> Vec<String> {
        Vec::new()
    }

    fn same(&self, other: &Self) -> bool {
        constant_time_eq(self.expose(), other.expose())
    }
}

/// A checkbox: missing is no. `false`, `0` and nothing are no, in any case, as in Django's `BooleanField`.
impl Field for bool {
    type Value = Self;
    type Secrecy = CarriesNoSecret;
    const KIND: Kind = Kind::Flag;
    const WIDGET: Widget = Widget::Checkbox;
    const REQUIRED: bool = false;
    const HAS_EMPTY: bool = true;

    fn clean(input: Input<'_>, spec: &FieldSpec) -> Result<Self, ErrorList> {
        let no = |value: &str| value.is_empty() || value == "0" || value.eq_ignore_ascii_case("false");
        let yes = input.last().is_some_and(|value| !no(value));
        if spec.required && !yes {
            return Err(ValidationError::required().into());
        }
        Ok(yes)
    }

    fn is_blank(input: Input<'_>, _: &FieldSpec) -> bool {
        input.last().is_none_or(str::is_empty)
    }

    fn present(&self) -> Option<&Self> {
        Some(self)
    }

    fn texts(&self) -> Vec<String> {
        if *self { vec!["on".into()] } else { Vec::new() }
    }

    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl<T: Field> Field for Option<T> {
    type Value = T::Value;
    type Secrecy = T::Secrecy;
    const KIND: Kind = T::KIND;
    const WIDGET: Widget = T::WIDGET;
    const REQUIRED: bool = false;
    const HAS_EMPTY: bool = true;
    const MULTIPLE: bool = T::MULTIPLE;

    fn clean(input: Input<'_>, spec: &FieldSpec) -> Result<Self, ErrorList> {
        if T::is_blank(input, spec) {
            return Ok(None);
        }
        T::clean(input, spec).map(Some)
    }

    fn is_blank(input: Input<'_>, spec: &FieldSpec) -> bool {
        T::is_blank(input, spec)
    }

    fn present(&self) -> Option<&T::Value> {
        self.as_ref().and_then(Field::present)
    }

    fn texts(&self) -> Vec<String> {
        self.as_ref().map(Field::texts).unwrap_or_default()
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Some(left), Some(right)) => left.same(right),
            (None, None) => true,
            _ => false,
        }
    }
}

/// A repeated name. Empty values do not count.
impl<T: Field> Field for Vec<T> {
    type Value = [T];
    type Secrecy = T::Secrecy;
    const KIND: Kind = T::KIND;
    const WIDGET: Widget = T::WIDGET;
    const HAS_EMPTY: bool = true;
    const MULTIPLE: bool = true;

    fn clean(input: Input<'_>, spec: &FieldSpec) -> Result<Self, ErrorList> {
        let given = input.each().filter(|value| !T::is_blank(*value, spec));
        let values: Self = given
            .map(|value| T::clean(value, spec))
            .collect::<Result<_, _>>()?;
        if values.is_empty() && spec.required {
            return Err(ValidationError::required().into());
        }
        Ok(values)
    }

    fn is_blank(input: Input<'_>, spec: &FieldSpec) -> bool {
        input.each().all(|value| T::is_blank(value, spec))
    }

    fn present(&self) -> Option<&[T]> {
        (!self.is_empty()).then_some(self)
    }

    fn texts(&self) -> Vec<String> {
        self.iter().flat_map(Field::texts).collect()
    }

    fn same(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(left, right)| left.same(right))
    }
}
