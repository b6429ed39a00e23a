//! Rules for new passwords as Django writes them: `AUTH_PASSWORD_VALIDATORS`, a list of classes with options.
//!
//! A class of the site's own is Python, which nothing here can run. It is kept as what it is, so that a start with it is refused by
//! name: to leave it out without a word would take passwords that Django refuses.

use serde_json::Value;

use super::raw::{Raw, quoted};
use super::slot::{Parsed, toml_text};

/// Where Django keeps its validators, and what their classes are called besides the rule.
const MODULE: &str = "django.contrib.auth.password_validation.";
const CLASS: &str = "Validator";
/// What Django takes for too similar.
const MAX_SIMILARITY: f64 = 0.7;

/// One rule for new passwords.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PasswordRule {
    /// Nothing much like what is known of the user.
    UserAttributeSimilarity {
        /// How similar is too similar: from 0.1; beyond 1 nothing is.
        max_similarity: f64,
        /// What is compared, of `username`, `first_name`, `last_name` and `email`.
        user_attributes: Vec<String>,
    },
    /// Not fewer characters than `password_min_length`, or than this.
    MinimumLength {
        /// The number, where the rule has one of its own.
        min_length: Option<usize>,
    },
    /// Nothing that many people choose.
    CommonPassword {
        /// A list of the site's own in place of Django's, a password a line.
        password_list_path: Option<String>,
    },
    /// Not digits alone.
    NumericPassword,
    /// A class that is none of Django's. A start with it is refused.
    Unknown {
        /// The path of the class.
        name: String,
    },
}

impl PasswordRule {
    /// What Django knows about users.
    pub const USER_ATTRIBUTES: [&'static str; 4] = ["username", "first_name", "last_name", "email"];

    /// The four rules of a new Django project.
    pub(super) fn all() -> Vec<Self> {
        vec![
            Self::UserAttributeSimilarity {
                max_similarity: MAX_SIMILARITY,
                user_attributes: Self::USER_ATTRIBUTES.map(str::to_owned).to_vec(),
            },
            Self::MinimumLength { min_length: None },
            Self::CommonPassword {
                password_list_path: None,
            },
            Self::NumericPassword,
        ]
    }

    fn parse(value: &Value) -> Result<Self, String> {
        let none = serde_json::Map::new();
        let (name, options) = match value {
            Value::String(name) => (name.as_str(), &none),
            Value::Object(entry) => {
                let name = entry.get("NAME").and_then(Value::as_str);
                let name = name.ok_or("has an entry without a NAME that is a text")?;
                if let Some(other) = entry
                    .keys()
                    .find(|key| !matches!(key.as_str(), "NAME" | "OPTIONS"))
                {
                    return Err(format!(
                        "has {} in an entry, which has NAME and OPTIONS only",
                        quoted(other)
                    ));
                }
                match entry.get("OPTIONS") {
                    None => (name, &none),
                    Some(Value::Object(options)) => (name, options),
                    Some(_) => return Err(format!("has OPTIONS of {} that are no table", quoted(name))),
                }
            }
            _ => {
                return Err("has an entry that is neither a name nor a table of NAME and OPTIONS".to_owned());
            }
        };
        Self::of(name, options)
    }

    fn of(name: &str, options: &serde_json::Map<String, Value>) -> Result<Self, String> {
        let class = name.strip_prefix(MODULE).unwrap_or(name);
        let mut options = Options {
            name: class,
            options: options.clone(),
        };
        let rule = match class.strip_suffix(CLASS).unwrap_or(class) {
            "UserAttributeSimilarity" => Self::UserAttributeSimilarity {
                max_similarity: options.similarity()?,
                user_attributes: options.attributes()?,
            },
            "MinimumLength" => Self::MinimumLength {
                min_length: options.length()?,
            },
            "CommonPassword" => Self::CommonPassword {
                password_list_path: options.path()?,
            },
            "NumericPassword" => Self::NumericPassword,
            _ => {
                return Ok(Self::Unknown {
                    name: name.to_owned(),
                });
            }
        };
        options.are_all_read()?;
        Ok(rule)
    }

    fn toml(&self) -> String {
        let (class, options) = match self {
            Self::UserAttributeSimilarity {
                max_similarity,
                user_attributes,
            } => {
                let attributes: Vec<String> = user_attributes.iter().map(|name| toml_text(name)).collect();
                let mut options = Vec::new();
                if (max_similarity - MAX_SIMILARITY).abs() > f64::EPSILON {
                    options.push(format!("max_similarity = {max_similarity:?}"));
                }
                if *user_attributes != Self::USER_ATTRIBUTES {
                    options.push(format!("user_attributes = [{}]", attributes.join(", ")));
                }
                ("UserAttributeSimilarity", options)
            }
            Self::MinimumLength { min_length } => {
                let options = min_length.map(|length| format!("min_length = {length}"));
                ("MinimumLength", options.into_iter().collect())
            }
            Self::CommonPassword { password_list_path } => {
                let path = password_list_path.as_deref().map(toml_text);
                let options = path.map(|path| format!("password_list_path = {path}"));
                ("CommonPassword", options.into_iter().collect())
            }
            Self::NumericPassword => ("NumericPassword", Vec::new()),
            Self::Unknown { name } => return toml_text(name),
        };
        let name = toml_text(&format!("{class}{CLASS}"));
        if options.is_empty() {
            name
        } else {
            format!("{{ NAME = {name}, OPTIONS = {{ {} }} }}", options.join(", "))
        }
    }
}

impl Parsed for Vec<PasswordRule> {
    fn parse(raw: &Raw<'_>) -> Result<Self, String> {
        raw.values()?.iter().map(PasswordRule::parse).collect()
    }

    fn toml(&self) -> String {
        let rules: Vec<String> = self.iter().map(PasswordRule::toml).collect();
        format!("[{}]", rules.join(", "))
    }
}

/// The options of one rule, of which each is taken out when it is read.
struct Options<'n> {
    name: &'n str,
    options: serde_json::Map<String, Value>,
}

impl Options<'_> {
    fn take<T>(
        &mut self,
        option: &str,
        what: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        match self.options.remove(option) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(&value)
                .map(Some)
                .ok_or_else(|| format!("has a {option} of {} that is not {what}", quoted(self.name))),
        }
    }

    fn similarity(&mut self) -> Result<f64, String> {
        let enough = |value: &Value| value.as_f64().filter(|number| *number >= 0.1);
        let found = self.take("max_similarity", "a number of at least 0.1", enough)?;
        Ok(found.unwrap_or(MAX_SIMILARITY))
    }

    fn attributes(&mut self) -> Result<Vec<String>, String> {
        let names = |value: &Value| -> Option<Vec<String>> {
            let names = value.as_array()?.iter();
            names.map(|name| name.as_str().map(str::to_owned)).collect()
        };
        let found = self.take("user_attributes", "a list of names", names)?;
        Ok(found.unwrap_or_else(|| PasswordRule::USER_ATTRIBUTES.map(str::to_owned).to_vec()))
    }

    fn length(&mut self) -> Result<Option<usize>, String> {
        let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
        self.take("min_length", "a whole number", number)
    }

    fn path(&mut self) -> Result<Option<String>, String> {
        self.take("password_list_path", "a path", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    fn are_all_read(&self) -> Result<(), String> {
        match self.options.keys().next() {
            None => Ok(()),
            Some(other) => Err(format!(
                "has the option {} for {}, which has none of that name",
                quoted(other),
                quoted(self.name)
            )),
        }
    }
}
