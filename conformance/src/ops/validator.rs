//! `validator.*`: what passwords and user names must not be.

use std::path::PathBuf;

use palisade::password::{
    CommonPassword, ListedPasswords, MinimumLength, NumericPassword, PasswordProblem, PasswordValidator,
    UserAttributeSimilarity, UserAttributes, UsernameCharacters,
};
use serde::Deserialize;
use serde_json::Value;

use crate::answer::{Answer, object};
use crate::call::{Call, Op};
use crate::failure::Failure;

pub(crate) const OPS: &[(&str, Op)] = &[
    ("validator.validate", validate),
    ("validator.describe", describe),
    ("validator.username", username),
];

/// What stands for a name that is not known yet.
const PLACEHOLDER: &str = "%(verbose_name)s";

/// One of Django's validators.
enum Validator {
    Similarity(UserAttributeSimilarity),
    Other(Box<dyn PasswordValidator>),
}

/// An attribute of the user.
#[derive(Deserialize)]
struct Attribute {
    value: Value,
    verbose_name: String,
}

impl Validator {
    fn read(call: &Call) -> Result<Self, Failure> {
        let validator = call.args.object("validator")?;
        let options = validator.object("options")?;
        Ok(match validator.text("name")?.as_str() {
            "MinimumLengthValidator" => Self::Other(Box::new(MinimumLength(options.get("min_length")?))),
            "NumericPasswordValidator" => Self::Other(Box::new(NumericPassword)),
            "CommonPasswordValidator" => match options.get::<Option<PathBuf>>("password_list_path")? {
                None => Self::Other(Box::new(CommonPassword)),
                Some(path) => Self::Other(Box::new(
                    ListedPasswords::from_file(&path).map_err(Failure::internal)?,
                )),
            },
            "UserAttributeSimilarityValidator" => {
                let similarity = UserAttributeSimilarity::try_new(options.get("max_similarity")?);
                Self::Similarity(similarity.map_err(|error| Failure::new("ValueError", error))?)
            }
            other => return Err(Failure::internal(format!("no validator {other}"))),
        })
    }

    fn help_text(&self) -> String {
        match self {
            Self::Similarity(similarity) => similarity.help_text(),
            Self::Other(validator) => validator.help_text(),
        }
    }

    /// Says what a password is refused with that breaks the rule.
    fn error_message(call: &Call) -> Result<String, Failure> {
        let validator = call.args.object("validator")?;
        let problem = match validator.text("name")?.as_str() {
            "MinimumLengthValidator" => PasswordProblem::TooShort {
                min_length: validator.object("options")?.get("min_length")?,
            },
            "UserAttributeSimilarityValidator" => PasswordProblem::TooSimilar {
                verbose_name: PLACEHOLDER.into(),
            },
            "CommonPasswordValidator" => PasswordProblem::TooCommon,
            _ => PasswordProblem::EntirelyNumeric,
        };
        Ok(problem.to_string())
    }
}

fn validate(call: &mut Call) -> Result<Answer, Failure> {
    let validator = Validator::read(call)?;
    let password = call.args.text("password")?;
    let user: Option<Vec<Attribute>> = call.args.get("user")?;
    let user = user.unwrap_or_default();
    let checked = match validator {
        Validator::Similarity(similarity) => {
            let attributes = user
                .iter()
                .filter_map(|attribute| Some((attribute.verbose_name.as_str(), attribute.value.as_str()?)));
            similarity.validate_against(&password, attributes)
        }
        Validator::Other(validator) => validator.validate(&password, &UserAttributes::default()),
    };
    checked.map(Answer::from).map_err(|problem| refused(&problem))
}

fn refused(problem: &PasswordProblem) -> Failure {
    let params = match problem {
        PasswordProblem::TooShort { min_length } => object([(
            "min_length",
            i64::try_from(*min_length).unwrap_or(i64::MAX).into(),
        )]),
        PasswordProblem::TooSimilar { verbose_name } => {
            object([("verbose_name", verbose_name.as_ref().into())])
        }
        _ => object([]),
    };
    let params = object([("code", problem.code().into()), ("params", params)]);
    Failure::new("ValidationError", problem).with_params(params)
}

fn describe(call: &mut Call) -> Result<Answer, Failure> {
    let validator = Validator::read(call)?;
    Ok(object([
        ("error_message", Validator::error_message(call)?.into()),
        ("help_text", validator.help_text().into()),
    ]))
}

fn username(call: &mut Call) -> Result<Answer, Failure> {
    let characters = match call.args.text("mode")?.as_str() {
        "ascii" => UsernameCharacters::Ascii,
        _ => UsernameCharacters::Unicode,
    };
    Ok(characters.allow(&call.args.text("value")?).into())
}
