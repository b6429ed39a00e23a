//! How text is cleaned: Django's `CharField`, `EmailField` and user names.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::email::is_email;
use super::field::Input;
use super::spec::TextRule;
use super::{ErrorList, FieldSpec, ValidationError};
use crate::password::UsernameCharacters;
use palisade_core::character::is_space;

/// Drops white space from both ends, which for Python includes the four separators `U+001C`–`U+001F`.
pub(super) fn strip(value: &str) -> &str {
    value.trim_matches(is_space)
}

/// Drops white space from the end.
pub(super) fn strip_end(value: &str) -> &str {
    value.trim_end_matches(is_space)
}

/// Strips the value if that is asked for; a choice is taken as it is.
pub(super) fn prepare<'form>(value: &'form str, spec: &FieldSpec) -> &'form str {
    if spec.strip && spec.choices.is_empty() {
        strip(value)
    } else {
        value
    }
}

/// Gives the value, which must be there and one of the choices.
pub(super) fn given<'form>(input: Input<'form>, spec: &FieldSpec) -> Result<&'form str, ErrorList> {
    let value = input
        .last()
        .map(|value| prepare(value, spec))
        .filter(|value| !value.is_empty());
    let value = value.ok_or_else(ValidationError::required)?;
    among_choices(value, spec)?;
    Ok(value)
}

/// Says whether the value may be chosen.
pub(super) fn among_choices(value: &str, spec: &FieldSpec) -> Result<(), ErrorList> {
    if spec.choices.is_empty() || spec.choices.iter().any(|(known, _)| *known == value) {
        return Ok(());
    }
    Err(ValidationError::choice(value).into())
}

/// Cleans one text. The rules and their order are Django's, and all that fail are reported.
pub(super) fn clean<'form>(input: Input<'form>, spec: &FieldSpec) -> Result<Cow<'form, str>, ErrorList> {
    let value = input.last().map(|value| prepare(value, spec)).unwrap_or_default();
    if value.is_empty() {
        return if spec.required {
            Err(ValidationError::required().into())
        } else {
            Ok(Cow::Borrowed(""))
        };
    }
    among_choices(value, spec)?;
    let value = normalised(value, spec);
    let mut errors = ErrorList::default();
    if spec.rule == Some(TextRule::Email) && !is_email(&value) {
        errors.push(ValidationError::email());
    }
    check_length(&value, spec, &mut errors);
    if value.contains('\0') {
        errors.push(ValidationError::null_characters());
    }
    if spec.pattern.is_some_and(|pattern| !pattern().is_match(&value)) {
        errors.push(ValidationError::pattern());
    }
    // Django asks this of the model, once the form has nothing to say against the value.
    if errors.is_empty()
        && spec.rule == Some(TextRule::Username)
        && !UsernameCharacters::Unicode.allow(&value)
    {
        errors.push(ValidationError::username());
    }
    if errors.is_empty() { Ok(value) } else { Err(errors) }
}

fn check_length(value: &str, spec: &FieldSpec, errors: &mut ErrorList) {
    if spec.min_length.is_none() && spec.max_length.is_none() {
        return;
    }
    let length = value.chars().count();
    if let Some(limit) = spec.min_length.filter(|limit| length < *limit) {
        errors.push(ValidationError::too_short(limit, length));
    }
    if let Some(limit) = spec.max_length.filter(|limit| length > *limit) {
        errors.push(ValidationError::too_long(limit, length));
    }
}

/// User names are kept in form NFKC, so that two that look alike are one.
///
/// One that is too long is left alone: normalising never makes it fit, and is slow (CVE-2023-46695).
fn normalised<'form>(value: &'form str, spec: &FieldSpec) -> Cow<'form, str> {
    let fits = |limit| value.len() <= limit || value.chars().count() <= limit;
    if spec.rule == Some(TextRule::Username) && !value.is_ascii() && spec.max_length.is_none_or(fits) {
        return Cow::Owned(value.nfkc().collect());
    }
    Cow::Borrowed(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(raw: &str, spec: &FieldSpec) -> Vec<String> {
        clean(Input::texts(&[raw]), spec).map_or_else(
            |errors| errors.messages().map(str::to_owned).collect(),
            |_| Vec::new(),
        )
    }

    #[test]
    fn text_is_stripped_as_python_strips() {
        assert_eq!(strip("\u{1f}\u{a0} a b\u{3000}\u{85}\u{1c}\n"), "a b");
        assert_eq!(strip("\u{200b}a"), "\u{200b}a");
    }

    #[test]
    fn all_that_is_wrong_is_said_in_django_s_order() {
        const ONE: FieldSpec = FieldSpec::of::<String>("title").with_max_length(1);
        const SPEC: FieldSpec = FieldSpec::of::<String>("title")
            .with_max_length(5)
            .with_min_length(2);
        assert_eq!(
            said(" abcdefg\0", &SPEC),
            [
                "Ensure this value has at most 5 characters (it has 8).",
                "Null characters are not allowed."
            ]
        );
        assert_eq!(
            said("é", &SPEC),
            ["Ensure this value has at least 2 characters (it has 1)."]
        );
        assert_eq!(said("  ", &SPEC), ["This field is required."]);
        assert_eq!(said("ééééé", &SPEC), [""; 0]);
        assert_eq!(
            said("ab", &ONE),
            ["Ensure this value has at most 1 character (it has 2)."]
        );
    }

    #[test]
    fn email_address_is_judged_before_its_length() {
        const SPEC: FieldSpec = FieldSpec::of::<String>("email").email();
        let long = format!("{}@example.com", "a".repeat(320));
        assert_eq!(
            said(&long, &SPEC),
            [
                "Enter a valid email address.",
                "Ensure this value has at most 320 characters (it has 332)."
            ]
        );
        assert_eq!(said(" a@example.com ", &SPEC), [""; 0]);
    }

    #[test]
    fn user_names_that_look_alike_are_one() {
        const SPEC: FieldSpec = FieldSpec::of::<String>("username").username();
        assert_eq!(clean(Input::texts(&["ﬀ"]), &SPEC).unwrap(), "ff");
        assert_eq!(clean(Input::texts(&["Ω"]), &SPEC).unwrap(), "Ω");
        let message =
            "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.";
        for bad in ["a b", "a/b", "a\nb", "a\u{301}x!", "½"] {
            assert_eq!(said(bad, &SPEC), [message], "{bad:?}");
        }
        for good in ["a.b@c+d-e_f", "jürgen", "北京", "٣", "Ⅷ"] {
            assert_eq!(said(good, &SPEC), [""; 0], "{good:?}");
        }
    }

    #[test]
    fn over_long_user_name_is_refused_before_it_is_normalised() {
        const SPEC: FieldSpec = FieldSpec::of::<String>("username").username();
        let long = "ﬀ".repeat(151);
        assert_eq!(
            said(&long, &SPEC),
            ["Ensure this value has at most 150 characters (it has 151)."]
        );
        assert_eq!(normalised(&long, &SPEC), long);
    }

    #[test]
    fn choice_is_taken_to_the_letter() {
        const SPEC: FieldSpec = FieldSpec::of::<String>("level").with_choices(&[("low", "Low")]);
        assert_eq!(said("low", &SPEC), [""; 0]);
        assert_eq!(
            said(" low", &SPEC),
            ["Select a valid choice.  low is not one of the available choices."]
        );
    }
}
