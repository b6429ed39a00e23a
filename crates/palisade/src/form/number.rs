//! How numbers are cleaned: Django's `IntegerField` and `FloatField`.
//!
//! A whole number that its type cannot hold is refused with the limits of the type, as the number that it is, and never
//! wraps around.

use std::borrow::Cow;

use super::field::{CarriesNoSecret, Input};
use super::spec::{Kind, Limit, Widget};
use super::text::{among_choices, strip_end};
use super::{ErrorList, Field, FieldSpec, ValidationError};

/// More digits than Python reads.
const MOST_DIGITS: usize = 4300;

/// Reads a whole number as Python's `int` does, after Django has cut off a fraction of zeros. ASCII digits only.
///
/// What is beyond `i128` becomes its end: it is beyond every limit then, too.
fn whole(text: &str) -> Option<i128> {
    let zeros = strip_end(text).trim_end_matches('0');
    let text = zeros.strip_suffix('.').unwrap_or(text).trim();
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, text.get(1..)?),
        [b'+', ..] => (false, text.get(1..)?),
        _ => (false, text),
    };
    let digits = without_underscores(digits)?;
    if digits.is_empty() || digits.len() > MOST_DIGITS || !digits.bytes().all(|digit| digit.is_ascii_digit())
    {
        return None;
    }
    let number = digits.bytes().try_fold(0_i128, |sum, digit| {
        let digit = i128::from(digit - b'0');
        sum.checked_mul(10)?
            .checked_add(if negative { -digit } else { digit })
    });
    Some(number.unwrap_or(if negative { i128::MIN } else { i128::MAX }))
}

/// Reads a number as Python's `float` does, which must be finite. ASCII digits only.
fn real(text: &str) -> Option<f64> {
    let text = without_underscores(text.trim())?;
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(number)
}

/// Python lets single underscores stand between digits.
fn without_underscores(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let mut places = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'_')
        .map(|(place, _)| place);
    let between = places.all(|place| place > 0 && digit(bytes.get(place - 1)) && digit(bytes.get(place + 1)));
    between.then(|| Cow::Owned(text.replace('_', "")))
}

/// Gives the text of a number; white space alone is not nothing, as in Django.
fn given<'form>(input: Input<'form>, spec: &FieldSpec) -> Result<&'form str, ErrorList> {
    let value = input
        .last()
        .filter(|value| !value.is_empty())
        .ok_or_else(ValidationError::required)?;
    among_choices(value, spec)?;
    Ok(value)
}

fn within(value: i128, least: i128, most: i128, spec: &FieldSpec) -> Result<(), ErrorList> {
    let limit = |limit, end| match limit {
        Some(Limit::Whole(limit)) => limit,
        _ => end,
    };
    let (least, most) = (limit(spec.min, least), limit(spec.max, most));
    if value > most {
        return Err(ValidationError::too_large(most).into());
    }
    if value < least {
        return Err(ValidationError::too_small(least).into());
    }
    Ok(())
}

macro_rules! whole_number {
    ($($number:ty),*) => {$(
        impl Field for $number {
            type Value = Self;
            type Secrecy = CarriesNoSecret;
            const KIND: Kind = Kind::Whole;
            const WIDGET: Widget = Widget::Number;

            fn clean(input: Input<'_>, spec: &FieldSpec) -> Result<Self, ErrorList> {
                let value = whole(given(input, spec)?).ok_or_else(ValidationError::whole_number)?;
                let (least, most) = (i128::from(Self::MIN), i128::from(Self::MAX));
                within(value, least, most, spec)?;
                // Limits wider than the type are no reason to wrap around.
                Self::try_from(value)
                    .map_err(|_| if value > most { ValidationError::too_large(most) } else { ValidationError::too_small(least) }.into())
            }

            fn is_blank(input: Input<'_>, _: &FieldSpec) -> bool {
                input.last().is_none_or(str::is_empty)
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
    )*};
}

whole_number!(i8, i16, i32, i64, u8, u16, u32, u64);

impl Field for f64 {
    type Value = Self;
    type Secrecy = CarriesNoSecret;
    const KIND: Kind = Kind::Real;
    const WIDGET: Widget = Widget::Number;

    fn clean(input: Input<'_>, spec: &FieldSpec) -> Result<Self, ErrorList> {
        let value = real(given(input, spec)?).ok_or_else(ValidationError::number)?;
        if let Some(limit) = spec.max.filter(|limit| value > as_real(*limit)) {
            return Err(ValidationError::too_large(limit).into());
        }
        if let Some(limit) = spec.min.filter(|limit| value < as_real(*limit)) {
            return Err(ValidationError::too_small(limit).into());
        }
        Ok(value)
    }

    fn is_blank(input: Input<'_>, _: &FieldSpec) -> bool {
        input.last().is_none_or(str::is_empty)
    }

    fn present(&self) -> Option<&Self> {
        Some(self)
    }

    fn texts(&self) -> Vec<String> {
        vec![format!("{self:?}")]
    }

    fn same(&self, other: &Self) -> bool {
        self.to_bits() == other.to_bits()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a limit beyond 2^53 is none that anybody writes to the digit"
)]
fn as_real(limit: Limit) -> f64 {
    match limit {
        Limit::Whole(limit) => limit as f64,
        Limit::Real(limit) => limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_as_python_reads_them() {
        let read = [
            ("5.", 5),
            ("5.00 ", 5),
            ("+5", 5),
            (" -7 ", -7),
            ("00012", 12),
            ("5. ", 5),
            ("1_000", 1000),
        ];
        for (text, number) in read {
            assert_eq!(whole(text), Some(number), "{text:?}");
        }
        for text in [
            "1e3", "1__0", "_1", "1_", "5.10", "--1", "0x10", "- 5", "  ", "", ".", "-", "5.0.0",
        ] {
            assert_eq!(whole(text), None, "{text:?}");
        }
        assert_eq!(whole(&"9".repeat(4301)), None);
    }

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        for (text, number) in [
            ("5.", 5.0),
            ("1_0.5", 10.5),
            (".5", 0.5),
            ("+.5e1", 5.0),
            (" 1 ", 1.0),
            ("-0", -0.0),
        ] {
            assert_eq!(real(text), Some(number), "{text:?}");
        }
        for text in [
            "inf", "1e400", "0x1p3", "1e", "1_e5", "infinity", "NaN", "-inf", "",
        ] {
            assert_eq!(real(text), None, "{text:?}");
        }
    }

    #[test]
    fn number_beyond_its_type_does_not_wrap_around() {
        const WIDE: FieldSpec = FieldSpec::of::<u8>("age").with_max(Limit::Whole(1000));
        const SPEC: FieldSpec = FieldSpec::of::<u8>("age");
        let said = |text: &str| {
            u8::clean(Input::texts(&[text]), &SPEC).map_err(|errors| errors.messages().collect::<String>())
        };
        assert_eq!(said("255"), Ok(255));
        assert_eq!(
            said("256"),
            Err("Ensure this value is less than or equal to 255.".into())
        );
        assert_eq!(
            said("-1"),
            Err("Ensure this value is greater than or equal to 0.".into())
        );
        assert_eq!(
            said(&"9".repeat(60)),
            Err("Ensure this value is less than or equal to 255.".into())
        );
        assert_eq!(
            said(&format!("-{}", "9".repeat(60))),
            Err("Ensure this value is greater than or equal to 0.".into())
        );
        let errors = u8::clean(Input::texts(&["300"]), &WIDE).unwrap_err();
        assert_eq!(
            errors.messages().collect::<Vec<_>>(),
            ["Ensure this value is less than or equal to 255."]
        );
    }

    #[test]
    fn limits_are_told_in_django_s_words() {
        const SPEC: FieldSpec = FieldSpec::of::<f64>("score")
            .with_max(Limit::Real(9.5))
            .with_min(Limit::Whole(1));
        let said = |text: &str| {
            f64::clean(Input::texts(&[text]), &SPEC).map_err(|errors| errors.messages().collect::<String>())
        };
        assert_eq!(
            said("9.6"),
            Err("Ensure this value is less than or equal to 9.5.".into())
        );
        assert_eq!(
            said("0"),
            Err("Ensure this value is greater than or equal to 1.".into())
        );
        assert_eq!(said("x"), Err("Enter a number.".into()));
        assert_eq!(said(""), Err("This field is required.".into()));
    }
}
