//! What may be shown of a stored password: enough to recognise it, too little to attack it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::EncodedPassword;

/// How much of a salt or hash is shown.
const SHOWN: usize = 6;
/// How much of an MD5 salt is shown.
const SHOWN_OF_MD5_SALT: usize = 2;
/// The version of Argon2 that a hash without one has.
const ARGON2_UNVERSIONED: u32 = 18;

impl EncodedPassword {
    /// Names the fields with salt and hash masked but for their beginning: Django's `safe_summary`, in its order.
    ///
    /// # Example
    ///
    /// ```
    /// use palisade_core::password::EncodedPassword;
    ///
    /// let stored: EncodedPassword = "md5$seasalt1$dddc94d790e6dde53c090307844536f5".parse()?;
    /// assert_eq!(stored.safe_summary()[1], ("salt", "se******".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn safe_summary(&self) -> Vec<(&'static str, String)> {
        let mut summary = vec![("algorithm", self.algorithm().to_string())];
        match self {
            Self::Pbkdf2 {
                iterations,
                salt,
                hash,
                ..
            } => summary.extend([
                ("iterations", iterations.to_string()),
                ("salt", mask(salt, SHOWN)),
                ("hash", mask(hash, SHOWN)),
            ]),
            Self::Argon2 {
                variety,
                version,
                memory_cost,
                time_cost,
                parallelism,
                salt,
                hash,
            } => summary.extend([
                ("variety", variety.name().to_owned()),
                ("version", version.unwrap_or(ARGON2_UNVERSIONED).to_string()),
                ("memory cost", memory_cost.to_string()),
                ("time cost", time_cost.to_string()),
                ("parallelism", parallelism.to_string()),
                ("salt", mask(&plain(salt), SHOWN)),
                ("hash", mask(hash, SHOWN)),
            ]),
            Self::Bcrypt {
                work_factor,
                salt,
                checksum,
                ..
            } => summary.extend([
                ("work factor", work_factor.to_string()),
                ("salt", mask(salt, SHOWN)),
                ("checksum", mask(checksum, SHOWN)),
            ]),
            Self::Scrypt {
                work_factor,
                salt,
                block_size,
                parallelism,
                hash,
            } => summary.extend([
                ("work factor", work_factor.to_string()),
                ("block size", block_size.to_string()),
                ("parallelism", parallelism.to_string()),
                ("salt", mask(salt, SHOWN)),
                ("hash", mask(hash, SHOWN)),
            ]),
            Self::Md5 { salt, hash } => {
                summary.extend([
                    ("salt", mask(salt, SHOWN_OF_MD5_SALT)),
                    ("hash", mask(hash, SHOWN)),
                ]);
            }
            Self::UnsaltedMd5 { hash, .. } | Self::UnsaltedSha1 { hash } => {
                summary.push(("hash", mask(hash, SHOWN)));
            }
        }
        summary
    }
}

impl fmt::Debug for EncodedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.safe_summary()).finish()
    }
}

/// Shows the first characters and an asterisk for each of the others.
fn mask(text: &str, shown: usize) -> String {
    text.chars()
        .enumerate()
        .map(|(index, character)| if index < shown { character } else { '*' })
        .collect()
}

/// The salt that base64 stands for, as Latin-1.
fn plain(salt: &str) -> String {
    STANDARD_NO_PAD
        .decode(salt)
        .unwrap_or_default()
        .into_iter()
        .map(char::from)
        .collect()
}
