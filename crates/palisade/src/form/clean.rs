//! Turns what was sent into a form, or into what is wrong with it.

use super::{Bound, ErrorList, Field, FieldSpec, Form, FormErrors, Submission, Valid};

/// Goes through the fields of one form: what the derived code works with.
#[derive(Debug)]
pub struct Cleaning<'form> {
    specs: &'static [FieldSpec],
    submission: &'form Submission,
    errors: FormErrors,
}

impl Cleaning<'_> {
    /// Cleans the field at that place.
    pub fn field<T: Field>(&mut self, place: usize) -> Option<T> {
        let spec = self.specs.get(place)?;
        match self.submission.with(spec.name, |input| T::clean(input, spec)) {
            Ok(value) => Some(value),
            Err(errors) => {
                self.errors.add(spec.name, errors);
                None
            }
        }
    }

    /// Calls a validator, if there is a value.
    pub fn check<T: Field, E: Into<ErrorList>>(
        &mut self,
        place: usize,
        value: Option<&T>,
        validator: impl FnOnce(&T::Value) -> Result<(), E>,
    ) {
        let Some(Err(errors)) = value.and_then(Field::present).map(validator) else {
            return;
        };
        match self.specs.get(place) {
            Some(spec) => self.errors.add(spec.name, errors),
            None => self.errors.add_to_form(errors),
        }
    }

    /// Says whether anything is wrong so far.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Gives the errors to a function that looks at the form as a whole.
    pub fn errors(&mut self) -> &mut FormErrors {
        &mut self.errors
    }
}

/// Validates what was sent.
pub(super) fn validate<F: Form>(submission: Submission) -> Result<Valid<F>, Bound<F>> {
    let mut cleaning = Cleaning {
        specs: F::FIELDS,
        submission: &submission,
        errors: FormErrors::of(F::FIELDS),
    };
    let form = F::clean(&mut cleaning);
    let Cleaning { errors, .. } = cleaning;
    let bound = |errors| Bound::sent(submission.into_values(F::FIELDS), errors);
    match form {
        Some(form) if errors.is_empty() => Ok(Valid::new(form, bound(errors))),
        _ => Err(bound(errors)),
    }
}
