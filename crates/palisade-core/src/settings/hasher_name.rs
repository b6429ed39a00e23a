//! Names of password hashers as settings write them: the algorithm's, or the path of Django's class.

use super::raw::quoted;
use super::slot::Word;
use crate::password::Algorithm;

/// New passwords are hashed with Argon2id; the others are what Django has in its list.
pub(super) const DEFAULT: [Algorithm; 5] = [
    Algorithm::Argon2,
    Algorithm::Pbkdf2Sha256,
    Algorithm::Pbkdf2Sha1,
    Algorithm::BcryptSha256,
    Algorithm::Scrypt,
];

/// The order of a Django that says none, which hashes new passwords with PBKDF2.
pub(super) const OF_DJANGO: [Algorithm; 5] = [
    Algorithm::Pbkdf2Sha256,
    Algorithm::Pbkdf2Sha1,
    Algorithm::Argon2,
    Algorithm::BcryptSha256,
    Algorithm::Scrypt,
];

/// Where Django keeps its hashers, and what their classes are called besides the algorithm.
const MODULE: &str = "django.contrib.auth.hashers.";
const CLASS: &str = "PasswordHasher";

impl Word for Algorithm {
    fn from_word(word: &str) -> Result<Self, String> {
        let class = word
            .strip_prefix(MODULE)
            .and_then(|class| class.strip_suffix(CLASS));
        let wanted = match class.map(str::to_ascii_lowercase).as_deref() {
            Some("pbkdf2") => "pbkdf2sha256".to_owned(),
            Some(class) => class.to_owned(),
            None => word.to_owned(),
        };
        let is_wanted = |algorithm: &Self| match class {
            Some(_) => algorithm.name().replace('_', "") == wanted,
            None => algorithm.name() == wanted,
        };
        Self::ALL.into_iter().find(is_wanted).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|algorithm| algorithm.name()).collect();
            format!(
                "has {} in it, which is none of {}",
                quoted(word),
                known.join(", ")
            )
        })
    }

    fn word(&self) -> String {
        self.name().to_owned()
    }
}
