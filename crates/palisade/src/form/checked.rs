//! The form in a handler: only with the proof that the request has passed the CSRF check.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::{FromRequest, Request};

use super::multipart::FileFields;
use super::{Bound, ErrorList, Form, FormPolicy, FormRejection, Submission, UnknownFields, body, clean};
use crate::csrf::{Proof, room_of};
use crate::report::Notes;

/// Extracts a form from the body of a request that the CSRF guard has let through.
///
/// # Errors
///
/// A [`FormRejection`]: 500 where no guard has run, 400 for a body that is broken or beyond the limits, 415 for one that
/// is no form. A value that does not fit is no rejection: see [`validate`](Self::validate).
///
/// # Security
///
/// The [`Proof`] is a type that only `palisade::csrf` can make, so a route outside the stack cannot read a form by
/// accident (CWE-352). Fields that the form does not declare are dropped and logged (CWE-915).
pub struct Checked<F> {
    submission: Submission,
    proof: Proof,
    form: PhantomData<fn() -> F>,
}

impl<F: Form> Checked<F> {
    /// Cleans the fields: the form, or the form with what is wrong with it.
    ///
    /// # Errors
    ///
    /// The form to be shown again.
    pub fn validate(self) -> Result<Valid<F>, Bound<F>> {
        clean::validate(self.submission)
    }

    /// Shows the proof of the check, for code that asks for it.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }
}

impl<F: Form, S: Send + Sync> FromRequest<S> for Checked<F> {
    type Rejection = FormRejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, FormRejection> {
        let (parts, body) = request.into_parts();
        let proof = parts
            .extensions
            .get::<Proof>()
            .copied()
            .ok_or(FormRejection::MissingCsrfGuard)?;
        if parts.method.is_safe() {
            return Err(FormRejection::SafeMethod);
        }
        let policy = FormPolicy::of(&parts.extensions);
        let files = FileFields::of::<F>(&parts.extensions)?;
        let room = room_of(&parts.extensions);
        let submission = body::read(&parts.headers, body, &policy, files.as_ref(), room).await?;
        if let Some(notes) = parts.extensions.get::<Notes>() {
            let sensitive: Vec<&str> = F::sensitive_names().collect();
            notes.tell_form(submission.iter(), &sensitive);
        }
        refuse_or_log_unknown::<F>(&submission, &policy)?;
        Ok(Self {
            submission,
            proof,
            form: PhantomData,
        })
    }
}

/// Does with undeclared fields what the policy says.
pub(super) fn refuse_or_log_unknown<F: Form>(
    submission: &Submission,
    policy: &FormPolicy,
) -> Result<(), FormRejection> {
    let Some(names) = submission.unknown(F::FIELDS, F::IGNORED) else {
        return Ok(());
    };
    if policy.unknown_fields == UnknownFields::Refuse {
        return Err(FormRejection::UnknownFields(names));
    }
    tracing::warn!(
        target: "palisade::rejection",
        threat = palisade_core::Threat::MassAssignment.id(),
        form = std::any::type_name::<F>(),
        fields = names,
        "fields that the form does not declare were dropped"
    );
    Ok(())
}

/// Shows the names of the fields that were sent only.
impl<F> fmt::Debug for Checked<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Checked").field(&self.submission).finish()
    }
}

/// Holds a form that is valid. It reads as the struct itself.
///
/// What only the handler can find out (a name that is taken, a password that is wrong) turns it back into a form to be
/// shown, with [`refuse`](Self::refuse).
pub struct Valid<F> {
    form: F,
    bound: Bound<F>,
}

impl<F: Form> Valid<F> {
    pub(super) fn new(form: F, bound: Bound<F>) -> Self {
        Self { form, bound }
    }

    /// Takes the form out.
    pub fn into_form(self) -> F {
        self.form
    }

    /// Shows the form again, with errors at one field.
    #[must_use]
    pub fn refuse(self, field: &str, errors: impl Into<ErrorList>) -> Bound<F> {
        let mut bound = self.bound;
        bound.errors_mut().add(field, errors);
        bound
    }

    /// Shows the form again, with errors that belong to no single field.
    #[must_use]
    pub fn refuse_form(self, errors: impl Into<ErrorList>) -> Bound<F> {
        let mut bound = self.bound;
        bound.errors_mut().add_to_form(errors);
        bound
    }
}

impl<F> Deref for Valid<F> {
    type Target = F;

    fn deref(&self) -> &F {
        &self.form
    }
}

/// Shows which form it is, and none of its values.
impl<F> fmt::Debug for Valid<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Valid").field(&std::any::type_name::<F>()).finish()
    }
}
