//! Forms that take declared fields only.
//!
//! A request may send any name and any value. What reaches a model is decided here, by two lists that stand in the
//! source: the fields that the form declares, and the fields that it may write ([`ModelForm`]). Everything else is dropped
//! and logged. Meets `mass-assignment`, and for [`Sensitive`](palisade_core::secret::Sensitive) fields
//! `sensitive-data-exposure`.
//!
//! 1. A handler that takes [`Checked<F>`] gets a form whose request has passed the CSRF check, and no other.
//! 2. The body is read within [`FormLimits`] (400 otherwise).
//! 3. Names that the form does not declare are dropped and logged, or refused ([`UnknownFields`]).
//! 4. [`Checked::validate`] cleans each field by the rules of its type and attributes, with Django's messages.
//! 5. What is valid comes as [`Valid<F>`], to be used as the struct; what is not as [`Bound<F>`], to be shown again.
//! 6. [`ModelForm::apply`] writes exactly the fields listed, and says which have changed.
//!
//! # Attributes
//!
//! On a field: `label`, `help`, `initial`, `autocomplete`, `autocapitalize`, `inputmode`, `widget`, `name = "html-name"`; `max_length`, `min_length`,
//! `strip = false`, `email`, `username`, `regex` for text; `min`, `max` for numbers; `choices = ["a", …]`,
//! `[("a", "Label"), …]` or the path of a constant; `optional` lets text and lists be empty, `required` asks for a
//! checkbox to be ticked; `validate = path` calls `fn(&T) -> Result<(), E>` for a value that is there. On the struct:
//! `clean = path` calls `fn(&mut Self, &mut FormErrors)` once all fields are valid, `ignore("save", …)` names what may be
//! sent without being a field (buttons), `model` and `fields(…)` belong to `ModelForm`.
//!
//! # Example
//!
//! ```
//! use palisade::form::{Form, ModelForm};
//!
//! struct Note { title: String, body: String, owner: u64 }
//!
//! #[derive(ModelForm)]
//! #[form(model = Note, fields(title, body))]
//! struct NoteForm {
//!     #[form(max_length = 5)]
//!     title: String,
//!     #[form(optional, widget = textarea)]
//!     body: String,
//! }
//!
//! let mut note = Note { title: "Old".into(), body: String::new(), owner: 1 };
//! let sent = NoteForm::from_pairs([("title", " New "), ("owner", "2")]).unwrap();
//! assert_eq!(sent.into_form().apply(&mut note), ["title"]);
//! assert_eq!((note.title.as_str(), note.owner), ("New", 1));
//!
//! let bound = NoteForm::from_pairs([("title", "A title")]).unwrap_err();
//! let said: Vec<_> = bound.errors().field("title").unwrap().messages().collect();
//! assert_eq!(said, ["Ensure this value has at most 5 characters (it has 7)."]);
//! ```
//!
//! In a handler:
//!
//! ```
//! # use palisade::form::{Checked, Form};
//! # #[derive(Form)] struct NoteForm { title: String }
//! async fn edit(form: Checked<NoteForm>) -> String {
//!     match form.validate() {
//!         Ok(valid) => format!("saved {}", valid.title),
//!         Err(bound) => bound.html(), // or a template with `form => bound`
//!     }
//! }
//! ```
//!
//! The form itself is no extractor, so that no handler takes one past the check:
//!
//! ```compile_fail,E0277
//! # use palisade::form::Form;
//! # #[derive(Form)] struct NoteForm { title: String }
//! async fn edit(form: NoteForm) {}
//! let router: axum::Router = axum::Router::new().route("/", axum::routing::post(edit));
//! ```
//!
//! Nor can a handler make the proof that [`Checked`] asks for:
//!
//! ```compile_fail,E0423
//! let proof = palisade::csrf::Proof(());
//! ```
//!
//! A rule that does not fit the type of its field does not compile either, since it would never run:
//!
//! ```compile_fail,E0080
//! # use palisade::form::Form;
//! #[derive(Form)]
//! struct Person { #[form(max_length = 3)] age: u8 }
//! ```
//!
//! # Security
//!
//! Text is stripped and may hold no NUL, and that is all that is taken away: a value is escaped where it is shown.
//! Secrets are wiped from the buffers of this module; what the HTTP stack has buffered before is not ours to wipe.

mod body;
mod bound;
mod checked;
mod clean;
mod email;
mod error;
mod field;
mod file;
mod held;
mod html;
mod limits;
mod multipart;
mod number;
mod query;
mod rejection;
mod spec;
mod submission;
#[cfg(test)]
mod tests;
mod text;

pub use bound::{Bound, ChoiceView, FieldView, FormView};
pub use checked::{Checked, Valid};
pub use clean::Cleaning;
pub use error::{ErrorList, FormErrors, ValidationError};
pub use field::{CarriesNoSecret, CarriesSecret, Field, FromText, Input, Readable, Secrecy};
pub use limits::{FileParts, FormLimits, FormPolicy, UnknownFields};
pub use palisade_macros::{Form, ModelForm};
pub use query::QueryForm;
pub use rejection::FormRejection;
pub use spec::{FieldSpec, Kind, Limit, Pattern, Widget};

use submission::Submission;

/// Declares which fields a request may fill in. Derive it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a form",
    note = "derive it: `#[derive(Form)]` or `#[derive(ModelForm)]`"
)]
pub trait Form: Sized + Send + 'static {
    /// [`CarriesSecret`] if any field is.
    type Secrecy: Secrecy;
    /// The declared fields, in their order.
    const FIELDS: &'static [FieldSpec];
    /// Names that may be sent without being fields.
    const IGNORED: &'static [&'static str] = &[];

    /// Makes the form of what was sent; the errors go to `cleaning`. Written by the derive.
    fn clean(cleaning: &mut Cleaning<'_>) -> Option<Self>;

    /// Makes an empty form to be shown.
    fn blank() -> Bound<Self> {
        Bound::blank()
    }

    /// Names the fields that are secret: what the stack keeps out of query strings and logs.
    fn sensitive_names() -> impl Iterator<Item = &'static str> {
        Self::FIELDS
            .iter()
            .filter(|spec| spec.sensitive)
            .map(FieldSpec::name)
    }

    /// Validates names and values that did not come by a request: in tests, from a file, from a queue.
    ///
    /// # Errors
    ///
    /// The form with what is wrong with it.
    ///
    /// # Security
    ///
    /// Nothing has checked where the values come from. In a handler, take [`Checked`].
    fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Valid<Self>, Bound<Self>> {
        clean::validate(pairs.into_iter().collect())
    }
}

/// Writes exactly the listed fields of a form to a model. Derive it with `#[form(model = Note, fields(title, body))]`.
pub trait ModelForm: Form {
    /// What is written to.
    type Model;
    /// The listed fields: no request can set any other through this form.
    const MODEL_FIELDS: &'static [&'static str];

    /// Names the listed fields in which the form differs from the model.
    fn changed(&self, model: &Self::Model) -> Vec<&'static str>;

    /// Writes the listed fields, and names those that have changed.
    fn apply(self, model: &mut Self::Model) -> Vec<&'static str>;

    /// Makes a form to be shown, filled in from the model.
    fn of(model: &Self::Model) -> Bound<Self>;
}
