//! What a new password must not be: Django's four validators, with Django's words.
//!
//! They run when a password is chosen, never when one is entered to log in.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Debug;
use std::path::Path;

use super::common::{self, Unreadable};
use super::similarity::Likeness;
use palisade_core::character::{is_digit, is_space};
use palisade_core::settings::{PasswordRule, Settings};

#[cfg(test)]
mod tests;

/// The longest password that is looked at; hashing is refused beyond it, so that nobody can make the server chew on
/// a megabyte (CWE-400).
pub const MAX_PASSWORD_BYTES: usize = 4096;

/// What is known about the person who chooses a password; what is empty is not compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserAttributes<'a> {
    /// The name the account is logged in with.
    pub username: &'a str,
    /// The given name.
    pub first_name: &'a str,
    /// The family name.
    pub last_name: &'a str,
    /// The e-mail address.
    pub email: &'a str,
}

/// Why a password was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordProblem {
    /// Fewer characters than required.
    #[error("This password is too short. It must contain at least {min_length} character{}.", plural(*min_length))]
    TooShort {
        /// How many are required.
        min_length: usize,
    },
    /// More bytes than will be hashed.
    #[error("This password is too long. It must contain at most {max_bytes} bytes.")]
    TooLong {
        /// How many are allowed.
        max_bytes: usize,
    },
    /// Much like something known about the user.
    #[error("The password is too similar to the {verbose_name}.")]
    TooSimilar {
        /// What it resembles.
        verbose_name: Cow<'static, str>,
    },
    /// On the list of common passwords.
    #[error("This password is too common.")]
    TooCommon,
    /// Nothing but digits.
    #[error("This password is entirely numeric.")]
    EntirelyNumeric,
    /// Refused by a validator of the application.
    #[error("{message}")]
    Other {
        /// A name for the reason.
        code: &'static str,
        /// The reason for the user to read.
        message: Cow<'static, str>,
    },
}

impl PasswordProblem {
    /// Names the reason as Django does.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "password_too_short",
            Self::TooLong { .. } => "password_too_long",
            Self::TooSimilar { .. } => "password_too_similar",
            Self::TooCommon => "password_too_common",
            Self::EntirelyNumeric => "password_entirely_numeric",
            Self::Other { code, .. } => code,
        }
    }
}

/// One rule for new passwords.
pub trait PasswordValidator: Debug + Send + Sync {
    /// Refuses a password that breaks the rule.
    ///
    /// # Errors
    ///
    /// The reason.
    fn validate(&self, password: &str, about: &UserAttributes<'_>) -> Result<(), PasswordProblem>;

    /// Says the rule to the person who is about to choose.
    fn help_text(&self) -> String;
}

/// All rules for new passwords.
///
/// # Example
///
/// ```
/// use palisade::password::{PasswordPolicy, UserAttributes};
///
/// let policy = PasswordPolicy::default();
/// let alice = UserAttributes { username: "alice", ..UserAttributes::default() };
/// assert!(policy.validate("a boat in a blue bottle", &alice).is_ok());
/// let problems = policy.validate("alice12", &alice).unwrap_err();
/// assert_eq!(problems[0].to_string(), "The password is too similar to the username.");
/// assert_eq!(problems[1].to_string(), "This password is too short. It must contain at least 8 characters.");
/// ```
#[derive(Debug)]
pub struct PasswordPolicy {
    validators: Vec<Box<dyn PasswordValidator>>,
}

impl Default for PasswordPolicy {
    /// Takes the four validators in the order of a new Django project.
    fn default() -> Self {
        Self::with_minimum_length(8)
    }
}

impl PasswordPolicy {
    /// Takes the four validators, with another minimum of characters.
    pub fn with_minimum_length(min_length: usize) -> Self {
        Self::dangerous_without_validators()
            .with_validator(UserAttributeSimilarity::default())
            .with_validator(MinimumLength(min_length))
            .with_validator(CommonPassword)
            .with_validator(NumericPassword)
    }

    /// Takes the rules of the settings: `auth_password_validators` and `password_min_length`.
    ///
    /// # Errors
    ///
    /// When a list of passwords cannot be read, or a rule is none of Django's.
    pub fn from_settings(settings: &Settings) -> Result<Self, PolicyError> {
        let mut policy = Self::dangerous_without_validators();
        for rule in &settings.auth_password_validators {
            policy = match rule {
                PasswordRule::UserAttributeSimilarity {
                    max_similarity,
                    user_attributes,
                } => {
                    let rule = UserAttributeSimilarity::try_new(*max_similarity)
                        .map_err(|_| PolicyError::Unknown(format!("max_similarity = {max_similarity}")))?;
                    policy.with_validator(rule.comparing(user_attributes.iter().map(String::as_str)))
                }
                PasswordRule::MinimumLength { min_length } => {
                    policy.with_validator(MinimumLength(min_length.unwrap_or(settings.password_min_length)))
                }
                PasswordRule::CommonPassword {
                    password_list_path: None,
                } => policy.with_validator(CommonPassword),
                PasswordRule::CommonPassword {
                    password_list_path: Some(path),
                } => {
                    let listed = ListedPasswords::from_file(Path::new(path));
                    policy.with_validator(listed.map_err(|unreadable| PolicyError::List {
                        path: path.clone(),
                        unreadable,
                    })?)
                }
                PasswordRule::NumericPassword => policy.with_validator(NumericPassword),
                PasswordRule::Unknown { name } => return Err(PolicyError::Unknown(name.clone())),
                other => return Err(PolicyError::Unknown(format!("{other:?}"))),
            };
        }
        Ok(policy)
    }

    /// Starts without any rule.
    ///
    /// # Security
    ///
    /// The empty password passes. For tests, or to build a policy of other validators.
    pub fn dangerous_without_validators() -> Self {
        Self {
            validators: Vec::new(),
        }
    }

    /// Adds a rule.
    #[must_use]
    pub fn with_validator(mut self, validator: impl PasswordValidator + 'static) -> Self {
        self.validators.push(Box::new(validator));
        self
    }

    /// Asks all rules.
    ///
    /// # Errors
    ///
    /// All reasons against the password, in the order of the rules; [`PasswordProblem::TooLong`] alone for one beyond
    /// [`MAX_PASSWORD_BYTES`].
    pub fn validate(&self, password: &str, about: &UserAttributes<'_>) -> Result<(), Vec<PasswordProblem>> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(vec![PasswordProblem::TooLong {
                max_bytes: MAX_PASSWORD_BYTES,
            }]);
        }
        let problems: Vec<_> = self
            .validators
            .iter()
            .filter_map(|rule| rule.validate(password, about).err())
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    /// Says all rules to the person who is about to choose.
    pub fn help_texts(&self) -> Vec<String> {
        self.validators.iter().map(|rule| rule.help_text()).collect()
    }
}

/// Why the rules of the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A list of passwords cannot be read.
    #[error("password_list_path {path}: {unreadable}")]
    List {
        /// Where it should be.
        path: String,
        /// What was wrong.
        #[source]
        unreadable: Unreadable,
    },
    /// A rule is not known here.
    #[error("auth_password_validators: `{0}` is none of Django's rules")]
    Unknown(String),
}

/// Refuses every password: what stands in for rules that could not be read, so that none is set unchecked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoPassword;

impl PasswordValidator for NoPassword {
    fn validate(&self, _: &str, _: &UserAttributes<'_>) -> Result<(), PasswordProblem> {
        Err(PasswordProblem::Other {
            code: "password_rules_missing",
            message: "No new password can be set at the moment. Please tell whoever runs this site.".into(),
        })
    }

    fn help_text(&self) -> String {
        "No new password can be set at the moment.".into()
    }
}

/// Refuses passwords of fewer characters (code points, not bytes).
#[derive(Clone, Copy, Debug)]
pub struct MinimumLength(pub usize);

impl PasswordValidator for MinimumLength {
    fn validate(&self, password: &str, _: &UserAttributes<'_>) -> Result<(), PasswordProblem> {
        if password.chars().count() < self.0 {
            return Err(PasswordProblem::TooShort { min_length: self.0 });
        }
        Ok(())
    }

    fn help_text(&self) -> String {
        format!(
            "Your password must contain at least {} character{}.",
            self.0,
            plural(self.0)
        )
    }
}

/// Refuses passwords that resemble the user's name or address, or a word of them.
#[derive(Clone, Copy, Debug)]
pub struct UserAttributeSimilarity {
    max_similarity: f64,
    compared: [bool; 4],
}

impl Default for UserAttributeSimilarity {
    fn default() -> Self {
        Self {
            max_similarity: 0.7,
            compared: [true; 4],
        }
    }
}

impl UserAttributeSimilarity {
    /// Sets how similar is too similar, between 0.1 and 1; values beyond count as the nearest of these.
    pub fn new(max_similarity: f64) -> Self {
        Self {
            max_similarity: max_similarity.clamp(0.1, 1.0),
            ..Self::default()
        }
    }

    /// Compares with these attributes alone, of Django's `username`, `first_name`, `last_name` and `email`.
    #[must_use]
    pub fn comparing<'a>(self, attributes: impl IntoIterator<Item = &'a str>) -> Self {
        let attributes: Vec<&str> = attributes.into_iter().collect();
        let compared = PasswordRule::USER_ATTRIBUTES.map(|name| attributes.contains(&name));
        Self { compared, ..self }
    }

    /// Sets how similar is too similar, as Django takes it: from 0.1 on; beyond 1 nothing is.
    ///
    /// # Errors
    ///
    /// For less than 0.1.
    pub fn try_new(max_similarity: f64) -> Result<Self, InvalidSimilarity> {
        if max_similarity < 0.1 {
            Err(InvalidSimilarity)
        } else {
            Ok(Self {
                max_similarity,
                ..Self::default()
            })
        }
    }

    /// Refuses a password that resembles any of these values, each with the name that the person knows it by: for user models with
    /// other attributes than Django's.
    ///
    /// # Errors
    ///
    /// [`PasswordProblem::TooSimilar`], for the first.
    pub fn validate_against<'a>(
        self,
        password: &str,
        attributes: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), PasswordProblem> {
        let likeness = Likeness::new(password, self.max_similarity);
        let mut attributes = attributes.into_iter();
        match attributes.find(|(_, value)| !value.is_empty() && likeness.reaches(value)) {
            Some((verbose_name, _)) => Err(PasswordProblem::TooSimilar {
                verbose_name: Cow::Owned(verbose_name.to_owned()),
            }),
            None => Ok(()),
        }
    }
}

/// How similar is too similar was set too low: everything would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("max_similarity must be at least 0.1")]
pub struct InvalidSimilarity;

impl PasswordValidator for UserAttributeSimilarity {
    fn validate(&self, password: &str, about: &UserAttributes<'_>) -> Result<(), PasswordProblem> {
        let attributes = [
            ("username", about.username),
            ("first name", about.first_name),
            ("last name", about.last_name),
            ("email address", about.email),
        ];
        let compared = attributes.into_iter().zip(self.compared);
        let compared = compared.filter_map(|(attribute, compared)| compared.then_some(attribute));
        self.validate_against(password, compared)
    }

    fn help_text(&self) -> String {
        "Your password can’t be too similar to your other personal information.".into()
    }
}

/// Refuses the passwords on Django's list, whatever their case.
#[derive(Clone, Copy, Debug)]
pub struct CommonPassword;

impl PasswordValidator for CommonPassword {
    fn validate(&self, password: &str, _: &UserAttributes<'_>) -> Result<(), PasswordProblem> {
        if common::is_listed(password.to_lowercase().trim_matches(is_space)) {
            return Err(PasswordProblem::TooCommon);
        }
        Ok(())
    }

    fn help_text(&self) -> String {
        "Your password can’t be a commonly used password.".into()
    }
}

/// Refuses the passwords on a list of one's own.
#[derive(Clone, Debug)]
pub struct ListedPasswords(HashSet<String>);

impl ListedPasswords {
    /// Reads a list, a password a line in lower case, perhaps compressed with gzip.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, or is no text.
    pub fn from_file(path: &Path) -> Result<Self, Unreadable> {
        common::read_list(path).map(Self)
    }
}

impl PasswordValidator for ListedPasswords {
    fn validate(&self, password: &str, _: &UserAttributes<'_>) -> Result<(), PasswordProblem> {
        if self.0.contains(password.to_lowercase().trim_matches(is_space)) {
            return Err(PasswordProblem::TooCommon);
        }
        Ok(())
    }

    fn help_text(&self) -> String {
        CommonPassword.help_text()
    }
}

/// Refuses passwords of nothing but digits, in any script.
#[derive(Clone, Copy, Debug)]
pub struct NumericPassword;

impl PasswordValidator for NumericPassword {
    fn validate(&self, password: &str, _: &UserAttributes<'_>) -> Result<(), PasswordProblem> {
        if !password.is_empty() && password.chars().all(is_digit) {
            return Err(PasswordProblem::EntirelyNumeric);
        }
        Ok(())
    }

    fn help_text(&self) -> String {
        "Your password can’t be entirely numeric.".into()
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}
