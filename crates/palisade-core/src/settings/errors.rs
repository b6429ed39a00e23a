//! What is wrong with a site's settings: everything at once, each with its place and what to do.
//!
//! A site that stops at the first wrong setting is started once for every wrong setting. And a message about a secret
//! is a message in a log, so no value of a secret is ever part of one.

use std::fmt;

use super::Setting;

/// Where a setting came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Place {
    /// This line of the TOML text, counted from one.
    Line(usize),
    /// The dump of a Django's settings.
    Django,
    /// The environment variable of the setting.
    Variable,
    /// Nowhere: it is missing, or was set by the program.
    Nowhere,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub(super) setting: String,
    pub(super) place: Place,
    /// The name of the file with Django's settings, where it stands there.
    pub(super) file: String,
    pub(super) what: String,
}

impl Problem {
    /// The setting's name as it was written, or empty where the text is no TOML.
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        self.place
    }

    /// What is wrong and what to do.
    pub fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Place::Line(line) = self.place {
            write!(f, "line {line}: ")?;
        }
        if !self.file.is_empty() {
            write!(f, "{}: ", self.file.escape_debug())?;
        }
        match Setting::find(&self.setting) {
            Some(setting) if self.place == Place::Variable => write!(f, "{}: ", setting.variable())?,
            Some(setting) if self.place == Place::Django => {
                write!(f, "{}: ", setting.name().to_uppercase())?;
            }
            _ if self.setting.is_empty() => {}
            _ => write!(f, "{}: ", self.setting.escape_debug())?,
        }
        f.write_str(&self.what)
    }
}

/// Everything that is wrong with the settings, in the order of the file, the environment and the rest.
///
/// # Example
/// ```
/// use palisade_core::settings::Settings;
///
/// let errors = Settings::load(Some("sesion_cookie_age = 60"), []).unwrap_err();
/// assert!(errors.to_string().contains(
///     "line 1: sesion_cookie_age: there is no such setting; did you mean `session_cookie_age`?"
/// ));
/// assert_eq!(errors.problems().len(), 3); // the secret key and the hosts are missing, too
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SettingsErrors {
    problems: Vec<Problem>,
}

impl SettingsErrors {
    /// Sorts the problems; nothing wrong is no error.
    pub(super) fn refuse(mut problems: Vec<Problem>) -> Result<(), Self> {
        problems.sort_by_key(|problem| problem.place);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self { problems })
        }
    }

    /// What is wrong, one by one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for SettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("the settings have one problem:")?,
            count => write!(f, "the settings have {count} problems:")?,
        }
        for problem in &self.problems {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

/// The same text: what `main` returns is shown by its `Debug`.
impl fmt::Debug for SettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for SettingsErrors {}
