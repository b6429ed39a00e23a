//! The parts of a stored password, as leniently read as Django reads them.

use palisade_core::signing::base64url;

use super::{HasherError, Scheme};

/// How much of a salt or hash is shown.
const SHOWN: usize = 6;
/// How much of an MD5 salt is shown.
const SHOWN_OF_MD5_SALT: usize = 2;
/// The version of a hash of Argon2 that has none.
const ARGON2_UNVERSIONED: i64 = 18;
/// The labels of a summary, in the order in which Django shows them.
const LABELS: [&str; 12] = [
    "algorithm",
    "variety",
    "version",
    "iterations",
    "memory cost",
    "time cost",
    "work factor",
    "block size",
    "parallelism",
    "salt",
    "hash",
    "checksum",
];

/// A part of a stored password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// Text.
    Text(String),
    /// A number.
    Number(i64),
}

/// A stored password in its parts, under Django's names for them.
#[derive(Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The salt, as text.
    pub(super) salt: String,
    fields: Vec<(&'static str, Field)>,
}

impl std::fmt::Debug for Decoded {
    /// The names only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.fields.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Decoded {
    /// The parts, the salt among them.
    pub fn fields(&self) -> &[(&'static str, Field)] {
        &self.fields
    }

    /// A part that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|(known, field)| match field {
            Field::Text(text) if *known == name => Some(text.as_str()),
            _ => None,
        })
    }

    /// A part that is a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.fields.iter().find_map(|(known, field)| match field {
            Field::Number(number) if *known == name => Some(*number),
            _ => None,
        })
    }

    /// The hasher's scheme at the cost that is stored; what is zero is as the hasher has it, as in Django.
    pub(super) fn scheme(&self, scheme: Scheme) -> Scheme {
        let stored = |name, default: u32| match self.number(name) {
            None | Some(0) => default,
            // Impossible, and refused where it is used.
            Some(number) => u32::try_from(number).unwrap_or(u32::MAX),
        };
        match scheme {
            Scheme::Pbkdf2 { digest, iterations } => Scheme::Pbkdf2 {
                digest,
                iterations: stored("iterations", iterations),
            },
            Scheme::Scrypt {
                work_factor,
                block_size,
                parallelism,
            } => Scheme::Scrypt {
                work_factor: stored("work_factor", work_factor),
                block_size: stored("block_size", block_size),
                parallelism: stored("parallelism", parallelism),
            },
            other => other,
        }
    }

    /// The parts under the labels of Django's summary and in its order, secrets masked.
    pub(super) fn summary(&self, scheme: Scheme) -> Vec<(&'static str, Field)> {
        let shown_of_salt = if scheme == Scheme::Md5 {
            SHOWN_OF_MD5_SALT
        } else {
            SHOWN
        };
        let masked = |field: &Field, shown| match field {
            Field::Text(text) => Field::Text(mask(text, shown)),
            Field::Number(number) => Field::Number(*number),
        };
        let label = |(name, field): &(&'static str, Field)| {
            Some(match *name {
                "salt" => ("salt", masked(field, shown_of_salt)),
                "hash" | "checksum" => (*name, masked(field, SHOWN)),
                "algostr" => return None,
                "work_factor" => ("work factor", field.clone()),
                "block_size" => ("block size", field.clone()),
                "memory_cost" => ("memory cost", field.clone()),
                "time_cost" => ("time cost", field.clone()),
                other => (other, field.clone()),
            })
        };
        let mut summary: Vec<_> = self.fields.iter().filter_map(label).collect();
        summary.sort_by_key(|(label, _)| LABELS.iter().position(|known| known == label));
        summary
    }
}

/// Reads a stored password of the algorithm `name`.
pub(super) fn decode(name: &str, scheme: Scheme, encoded: &str) -> Result<Decoded, HasherError> {
    let most = match scheme {
        Scheme::Pbkdf2 { .. } => 4,
        Scheme::Argon2 { .. } => usize::MAX,
        Scheme::Bcrypt { .. } => 5,
        Scheme::Scrypt { .. } => 7,
        Scheme::Md5 => 3,
    };
    let parts: Vec<&str> = encoded.splitn(most, '$').collect();
    let is_algorithm = |found: &str| {
        if found == name {
            Ok(())
        } else {
            Err(HasherError::OtherAlgorithm)
        }
    };
    let text = |name, value: &str| (name, Field::Text(value.to_owned()));
    let (salt, mut fields) = match (scheme, parts.as_slice()) {
        (Scheme::Pbkdf2 { .. }, [found, iterations, salt, hash]) => {
            is_algorithm(found)?;
            let fields = vec![text("hash", hash), ("iterations", number(iterations)?)];
            ((*salt).to_owned(), fields)
        }
        (Scheme::Bcrypt { .. }, [found, _, algostr, work_factor, data]) => {
            is_algorithm(found)?;
            let characters: Vec<char> = data.chars().collect();
            let (salt, checksum) = characters.split_at(characters.len().min(22));
            let fields = vec![
                text("algostr", algostr),
                ("checksum", Field::Text(checksum.iter().collect())),
                ("work_factor", number(work_factor)?),
            ];
            (salt.iter().collect(), fields)
        }
        (Scheme::Scrypt { .. }, [found, work_factor, salt, block_size, parallelism, hash]) => {
            is_algorithm(found)?;
            let fields = vec![
                ("work_factor", number(work_factor)?),
                ("block_size", number(block_size)?),
                ("parallelism", number(parallelism)?),
                text("hash", hash),
            ];
            ((*salt).to_owned(), fields)
        }
        (Scheme::Md5, [found, salt, hash]) => {
            is_algorithm(found)?;
            ((*salt).to_owned(), vec![text("hash", hash)])
        }
        (Scheme::Argon2 { .. }, [found, rest @ ..]) => {
            is_algorithm(found)?;
            argon2(rest)?
        }
        _ => return Err(HasherError::Malformed),
    };
    fields.insert(0, text("algorithm", name));
    fields.push(text("salt", &salt));
    Ok(Decoded { salt, fields })
}

type Parts = (String, Vec<(&'static str, Field)>);

/// Reads `argon2id$v=19$m=…,t=…,p=…$SALT$HASH`; the version may be missing.
fn argon2(parts: &[&str]) -> Result<Parts, HasherError> {
    let (variety, version, costs, salt, hash) = match parts {
        [variety, costs, salt, hash] => (variety, None, costs, salt, hash),
        [variety, version, costs, salt, hash] => (variety, Some(*version), costs, salt, hash),
        _ => return Err(HasherError::Malformed),
    };
    if !matches!(*variety, "argon2id" | "argon2i" | "argon2d") {
        return Err(HasherError::Malformed);
    }
    let pairs: Vec<(&str, &str)> = version
        .into_iter()
        .chain(costs.split(','))
        .map(|pair| pair.split_once('=').ok_or(HasherError::Malformed))
        .collect::<Result<_, _>>()?;
    let cost = |name| {
        let found = pairs.iter().rfind(|(known, _)| *known == name);
        found.map(|(_, value)| number(value)).transpose()
    };
    let required = |name| cost(name)?.ok_or(HasherError::Malformed);
    let version = match version {
        None => Field::Number(ARGON2_UNVERSIONED),
        Some(_) => required("v")?,
    };
    let salt = lenient_base64(salt).ok_or(HasherError::Malformed)?;
    let fields = vec![
        ("hash", Field::Text((*hash).to_owned())),
        ("memory_cost", required("m")?),
        ("parallelism", required("p")?),
        ("time_cost", required("t")?),
        ("variety", Field::Text((*variety).to_owned())),
        ("version", version),
    ];
    Ok((salt.into_iter().map(char::from).collect(), fields))
}

/// Decodes base64 as Python does, which skips what is not of the alphabet.
fn lenient_base64(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() {
        return None;
    }
    let to_url = |character| match character {
        '+' => '-',
        '/' => '_',
        '-' | '_' => ',',
        other => other,
    };
    base64url::decode(&text.chars().map(to_url).collect::<String>()).ok()
}

fn number(text: &str) -> Result<Field, HasherError> {
    text.parse()
        .map(Field::Number)
        .map_err(|_| HasherError::Malformed)
}

/// Shows the first characters and an asterisk for each of the others.
fn mask(text: &str, shown: usize) -> String {
    text.chars()
        .enumerate()
        .map(|(index, character)| if index < shown { character } else { '*' })
        .collect()
}
