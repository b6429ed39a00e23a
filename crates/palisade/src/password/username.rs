//! The names of accounts.
//!
//! A name is normalised (NFKC) before it is compared or stored, so that two names that look alike in their
//! parts (`ﬁnn` and `finn`) are one account; an over-long one is refused before that work (CVE-2023-46695).

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use palisade_core::character::is_word;

/// How many characters a name may have.
pub const MAX_USERNAME_CHARS: usize = 150;

/// A name that can be stored: normalised, of letters, numbers and `@ . + - _`, not longer than 150 characters.
///
/// # Example
///
/// ```
/// use palisade::password::Username;
///
/// assert_eq!(Username::parse("ﬁnn")?.as_str(), "finn");
/// assert!(Username::parse("finn; DROP TABLE").is_err());
/// # Ok::<(), palisade::password::InvalidUsername>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Username(String);

/// Which letters and numbers names may have: Django's `UnicodeUsernameValidator` and `ASCIIUsernameValidator`.
///
/// # Example
///
/// ```
/// use palisade::password::UsernameCharacters;
///
/// assert!(UsernameCharacters::Unicode.allow("René") && !UsernameCharacters::Ascii.allow("René"));
/// assert!(!UsernameCharacters::Unicode.allow("rené\n"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsernameCharacters {
    /// Those of every script.
    Unicode,
    /// Those of English.
    Ascii,
}

impl UsernameCharacters {
    /// Says whether a text has nothing but such letters and numbers and `@ . + - _`, and at least one.
    pub fn allow(self, name: &str) -> bool {
        let is_lawful =
            |c: char| "@.+-".contains(c) || (is_word(c) && (self == Self::Unicode || c.is_ascii()));
        !name.is_empty() && name.chars().all(is_lawful)
    }
}

/// Why a name was refused; Django's texts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUsername {
    /// There is none.
    #[error("This field is required.")]
    Missing,
    /// It has too many characters.
    #[error("Ensure this value has at most {MAX_USERNAME_CHARS} characters (it has {length}).")]
    TooLong {
        /// How many it has.
        length: usize,
    },
    /// It has a character that names may not have.
    #[error(
        "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."
    )]
    Invalid,
}

impl Username {
    /// Normalises and checks a name as Django's user form does; white space around it has been stripped before.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(name: &str) -> Result<Self, InvalidUsername> {
        within_limit(name)?;
        let name: String = name.nfkc().collect();
        within_limit(&name)?;
        if name.is_empty() {
            return Err(InvalidUsername::Missing);
        }
        if !UsernameCharacters::Unicode.allow(&name) {
            return Err(InvalidUsername::Invalid);
        }
        Ok(Self(name))
    }

    /// Normalises a name that is only looked up: it may be one that could not be chosen today.
    ///
    /// An over-long name is given back as it is; there is no account of that name.
    pub fn normalize(name: &str) -> String {
        if within_limit(name).is_ok() {
            name.nfkc().collect()
        } else {
            name.to_owned()
        }
    }

    /// Shows the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the name away.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn within_limit(name: &str) -> Result<(), InvalidUsername> {
    // Counting stops for nobody: bytes are at least as many as characters, and are known.
    if name.len() <= MAX_USERNAME_CHARS {
        return Ok(());
    }
    match name.chars().count() {
        length if length > MAX_USERNAME_CHARS => Err(InvalidUsername::TooLong { length }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_judged_as_django_judges_them() {
        for good in [
            "joe",
            "René",
            "ᴮᴵᴳᴮᴵᴿᴰ",
            "أحمد",
            "a@b.c+d-e_f",
            "²",
            "1",
            "\u{16ee}",
            "ﬁ",
            "o\u{301}",
        ] {
            assert!(Username::parse(good).is_ok(), "{good:?}");
        }
        for bad in [
            "o'connell",
            "o’connell",
            "Éric ",
            "jean marc",
            "zero\u{200b}width",
            "nonbreaking\u{a0}space",
            "en\u{2013}dash",
            "trailingnewline\u{a}",
            "कमला",
            "a/b",
            "x\u{301}",
            "<b>",
            "ⓐ!",
        ] {
            assert_eq!(Username::parse(bad), Err(InvalidUsername::Invalid), "{bad:?}");
        }
        assert_eq!(Username::parse(""), Err(InvalidUsername::Missing));
    }

    #[test]
    fn lookalikes_in_compatibility_forms_are_one_name() {
        for name in ["ᴮᴵᴳᴮᴵᴿᴰ", "ＢＩＧＢＩＲＤ", "BIGBIRD"] {
            assert_eq!(Username::parse(name).unwrap().as_str(), "BIGBIRD");
            assert_eq!(Username::normalize(name), "BIGBIRD");
        }
    }

    #[test]
    fn long_name_is_refused_before_and_after_normalising() {
        assert!(Username::parse(&"é".repeat(150)).is_ok());
        assert_eq!(
            Username::parse(&"é".repeat(151)),
            Err(InvalidUsername::TooLong { length: 151 })
        );
        // One character that becomes eighteen.
        assert_eq!(
            Username::parse(&"\u{fdfa}".repeat(100)),
            Err(InvalidUsername::TooLong { length: 1800 })
        );
        assert_eq!(
            InvalidUsername::TooLong { length: 151 }.to_string(),
            "Ensure this value has at most 150 characters (it has 151)."
        );
        assert_eq!(Username::normalize(&"ﬁ".repeat(151)), "ﬁ".repeat(151));
    }

    proptest! {
        #[test]
        fn accepted_name_is_its_own_normal_form(name in "\\PC{0,12}") {
            if let Ok(parsed) = Username::parse(&name) {
                prop_assert_eq!(Username::parse(parsed.as_str()).unwrap(), parsed);
            }
        }
    }
}
