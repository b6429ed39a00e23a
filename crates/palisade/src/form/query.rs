//! Forms that are sent by GET: searches, filters, pages.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::{Bound, Form, FormPolicy, FormRejection, Readable, Submission, Valid, checked, clean};

/// Extracts a form from the query string.
///
/// # Example
///
/// ```
/// use palisade::form::{Form, QueryForm};
///
/// #[derive(Form)]
/// struct Search { #[form(optional)] q: String }
///
/// async fn search(form: QueryForm<Search>) -> String {
///     form.validate().map_or_else(|bound| bound.html(), |valid| format!("looking for {}", valid.q))
/// }
/// ```
///
/// # Errors
///
/// A [`FormRejection`] (400) where the limits are exceeded.
///
/// # Security
///
/// A form with a `Sensitive` field does not compile here: query strings are kept in histories, logs and `Referer`
/// headers (CWE-598). There is no CSRF check, so the handler must change nothing.
#[derive(Debug)]
pub struct QueryForm<F>
where
    F: Form,
    F::Secrecy: Readable,
{
    submission: Submission,
    form: PhantomData<fn() -> F>,
}

impl<F> QueryForm<F>
where
    F: Form,
    F::Secrecy: Readable,
{
    /// Cleans the fields: the form, or the form with what is wrong with it.
    ///
    /// # Errors
    ///
    /// The form to be shown again.
    pub fn validate(self) -> Result<Valid<F>, Bound<F>> {
        clean::validate(self.submission)
    }

    /// Says whether no field of the form was sent, so that it may be shown without complaints.
    pub fn is_absent(&self) -> bool {
        F::FIELDS
            .iter()
            .all(|spec| self.submission.with(spec.name, |input| input.all().is_empty()))
    }
}

impl<F, S> FromRequestParts<S> for QueryForm<F>
where
    F: Form,
    F::Secrecy: Readable,
    S: Send + Sync,
{
    type Rejection = FormRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, FormRejection> {
        let policy = FormPolicy::of(&parts.extensions);
        let submission = Submission::urlencoded(parts.uri.query().unwrap_or_default(), &policy.limits)?;
        checked::refuse_or_log_unknown::<F>(&submission, &policy)?;
        Ok(Self {
            submission,
            form: PhantomData,
        })
    }
}
