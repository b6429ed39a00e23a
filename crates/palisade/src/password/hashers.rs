//! The hashers that are in use: the preferred one for new passwords, the others to verify old ones.
//!
//! [`make_password`] and [`verify_password`] decide, as in Django (§9); here are three things that Django leaves to others: the password's
//! length is limited before it is hashed (CWE-400), hashing runs in a bounded pool, and a damaged row is nobody's password.

use std::sync::Arc;
use std::time::Duration;

use palisade_core::password::{
    Algorithm, KeyedPassword, Parameters, PasswordKey, PasswordKeys, algorithm_name,
};
use palisade_core::secret::Sensitive;

use super::MAX_PASSWORD_BYTES;
use super::derive::BCRYPT_BYTES;
use super::hasher::{Hasher, Work, make_password, verify_password};
use super::keyed;
use super::pool::Pool;
use crate::clock::Clock;

#[cfg(test)]
mod tests;

/// Why a password was not hashed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// All cores are hashing and enough are waiting: the client is owed a 503 with `Retry-After`.
    #[error("too many passwords are being hashed")]
    Busy {
        /// When to come back.
        retry_after: Duration,
    },
    /// The password is longer than will be hashed: [`MAX_PASSWORD_BYTES`], or what the algorithm takes in.
    #[error("the password is longer than {max_bytes} bytes")]
    TooLong {
        /// How many are allowed.
        max_bytes: usize,
    },
    /// The algorithm cannot be used for new passwords, or none was given.
    #[error("no algorithm to hash passwords with: {0}")]
    Unsupported(&'static str),
    /// Hashing was interrupted, ran out of memory or was given impossible parameters.
    #[error("the password could not be hashed")]
    Failed,
}

/// What comparing a password with a stored one found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verified {
    /// The password is the one that was stored.
    pub correct: bool,
    /// It is not stored as it would be today: if it is correct, hash and store it again.
    pub must_update: bool,
}

impl Verified {
    const NOBODYS: Self = Self {
        correct: false,
        must_update: false,
    };
}

/// Hashes passwords, and verifies them against what is stored.
///
/// # Example
///
/// ```
/// use palisade::core::secret::Sensitive;
/// use palisade::password::Hashers;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let hashers = Hashers::dangerous_cheap(); // in production: Hashers::default()
/// let password = Sensitive::new(String::from("a boat in a blue bottle"));
/// let stored = hashers.hash(&password).await?;
/// assert!(stored.starts_with("argon2$argon2id$"));
/// assert!(hashers.verify(&password, Some(&stored)).await?.correct);
/// // Nobody of that name: takes as long, and says no.
/// assert!(!hashers.verify(&password, None).await?.correct);
/// # Ok::<(), palisade::password::HashError>(())
/// # }).unwrap();
/// ```
///
/// # Security
///
/// Verifying takes the time of one hash of the preferred algorithm also when there is no such user or no usable password, so
/// that the time does not tell who has an account (CVE-2024-39329). A user whose hash is of *another* algorithm than the preferred
/// one can still be told apart by time until the next login has replaced it.
#[derive(Clone, Debug)]
pub struct Hashers {
    scheme: Arc<Scheme>,
    pool: Pool,
}

#[derive(Clone, Debug)]
struct Scheme {
    preferred: Algorithm,
    accepted: Vec<Algorithm>,
    parameters: Parameters,
    keyed: Option<Keyed>,
}

/// The keys of keyed hashes, and the clock by which they expire.
#[derive(Clone, Debug)]
struct Keyed {
    keys: PasswordKeys,
    clock: Clock,
}

impl Default for Hashers {
    /// Prefers Argon2id and accepts all that a new Django project accepts, with Django's parameters.
    fn default() -> Self {
        Self::of(Scheme {
            preferred: Algorithm::Argon2,
            accepted: vec![
                Algorithm::Argon2,
                Algorithm::Pbkdf2Sha256,
                Algorithm::Pbkdf2Sha1,
                Algorithm::BcryptSha256,
                Algorithm::Scrypt,
            ],
            parameters: Parameters::default(),
            keyed: None,
        })
    }
}

impl Hashers {
    /// Takes the algorithms in the order of Django's `PASSWORD_HASHERS`: the first for new passwords, all to verify.
    ///
    /// # Errors
    ///
    /// When the list is empty or names an unsalted algorithm, which nothing here can compute.
    pub fn new(algorithms: impl IntoIterator<Item = Algorithm>) -> Result<Self, HashError> {
        let accepted: Vec<_> = algorithms.into_iter().collect();
        if accepted
            .iter()
            .any(|algorithm| matches!(algorithm, Algorithm::UnsaltedMd5 | Algorithm::UnsaltedSha1))
        {
            return Err(HashError::Unsupported("unsalted hashes are not supported"));
        }
        match accepted.first() {
            Some(Algorithm::Md5) => Err(HashError::Unsupported("md5 only verifies what is to be replaced")),
            Some(preferred) => {
                let preferred = *preferred;
                Ok(Self::of(Scheme {
                    preferred,
                    accepted,
                    parameters: Parameters::default(),
                    keyed: None,
                }))
            }
            None => Err(HashError::Unsupported("the list is empty")),
        }
    }

    fn of(scheme: Scheme) -> Self {
        Self {
            scheme: Arc::new(scheme),
            pool: Pool::default(),
        }
    }

    /// Sets how expensive new hashes are; stored ones of another cost are replaced at their owner's next login.
    #[must_use]
    pub fn with_parameters(mut self, parameters: Parameters) -> Self {
        Arc::make_mut(&mut self.scheme).parameters = parameters;
        self
    }

    /// Hashes new passwords under the newest of these keys, and verifies those of django-sha2 and of older keys; whatever is
    /// stored otherwise is replaced at its owner's next login.
    ///
    /// A table that is stolen without the keys gives nobody anything to guess against. Django cannot read such hashes: use
    /// them where the passwords are this side's alone.
    #[must_use]
    pub fn with_keys(mut self, keys: PasswordKeys, clock: Clock) -> Self {
        Arc::make_mut(&mut self.scheme).keyed = Some(Keyed { keys, clock });
        self
    }

    /// Puts a keyed hash around an older one of MD5 or SHA, without knowing the password: django-sha2's `hh$…`, in the time of
    /// one bcrypt. Nothing is returned for any other stored password.
    ///
    /// # Errors
    ///
    /// As [`Self::hash`]; [`HashError::Unsupported`] without keys.
    pub async fn wrap(&self, stored: &Sensitive<String>) -> Result<Option<Sensitive<String>>, HashError> {
        let (stored, scheme) = (stored.clone(), Arc::clone(&self.scheme));
        let wrap = move || {
            let key = scheme
                .newest_key()?
                .ok_or(HashError::Unsupported("there are no keys"))?;
            let wrapped = keyed::wrap(stored.expose(), key, &scheme.parameters);
            wrapped
                .map(|wrapped| wrapped.map(Sensitive::new))
                .map_err(|_| HashError::Failed)
        };
        self.pool.run(wrap).await?
    }

    /// Sets how many hash at a time, and how many may wait for their turn; by default as many as there are cores, and
    /// sixteen times as many.
    ///
    /// Each hash of Argon2id takes 100 MiB while it runs.
    #[must_use]
    pub fn with_limits(mut self, at_a_time: usize, waiting: usize) -> Self {
        self.pool = Pool::new(at_a_time, waiting);
        self
    }

    /// Sets how long a hash may wait for its turn; five seconds by default.
    #[must_use]
    pub fn with_longest_wait(mut self, wait: Duration) -> Self {
        self.pool = self.pool.with_longest_wait(wait);
        self
    }

    /// Takes the default algorithms, at a cost that protects nobody.
    ///
    /// # Security
    ///
    /// For tests only: a stolen table of such hashes is as good as one in clear.
    pub fn dangerous_cheap() -> Self {
        Self::default().with_parameters(Parameters {
            pbkdf2_iterations: 2,
            argon2_memory_cost: 8,
            argon2_time_cost: 1,
            argon2_parallelism: 1,
            bcrypt_work_factor: 4,
            scrypt_work_factor: 2,
            scrypt_parallelism: 1,
            ..Parameters::default()
        })
    }

    /// How many hashes were begun since the start, to make passwords or to verify them: what a guesser makes a server do.
    pub fn begun(&self) -> u64 {
        self.pool.begun()
    }

    /// Names the algorithm of new hashes.
    pub fn preferred(&self) -> Algorithm {
        self.scheme.preferred
    }

    /// Hashes a new password, with the preferred algorithm and a salt of its own, into the text to store.
    ///
    /// # Errors
    ///
    /// [`HashError::Busy`] when the pool is full; [`HashError::TooLong`], for plain bcrypt beyond the 72 bytes that it
    /// reads; [`HashError::Failed`].
    pub async fn hash(&self, password: &Sensitive<String>) -> Result<String, HashError> {
        let reads = if self.preferred() == Algorithm::Bcrypt {
            BCRYPT_BYTES
        } else {
            MAX_PASSWORD_BYTES
        };
        let password = accept(password, reads)?;
        let scheme = Arc::clone(&self.scheme);
        self.pool.run(move || scheme.hash(password.expose())).await?
    }

    /// Compares a password with what is stored, or, where there is no such user, takes the time of it.
    ///
    /// # Errors
    ///
    /// As [`Self::hash`]. A stored text that cannot be read is no error: nobody has that password.
    pub async fn verify(
        &self,
        password: &Sensitive<String>,
        stored: Option<&str>,
    ) -> Result<Verified, HashError> {
        let password = accept(password, MAX_PASSWORD_BYTES)?;
        let stored = stored.map(|stored| Sensitive::new(stored.to_owned()));
        let scheme = Arc::clone(&self.scheme);
        let verify = move || {
            scheme.verify(
                password.expose(),
                stored.as_ref().map(|stored| stored.expose().as_str()),
            )
        };
        self.pool.run(verify).await?
    }
}

impl Scheme {
    /// The key for new hashes, where there are keys; all of them may have expired since the start.
    fn newest_key(&self) -> Result<Option<&PasswordKey>, HashError> {
        let Some(Keyed { keys, clock }) = &self.keyed else {
            return Ok(None);
        };
        let newest = keys.newest(clock.now());
        newest.map(Some).ok_or(HashError::Unsupported(
            "every password key has expired; make a new one",
        ))
    }

    fn hash(&self, password: &str) -> Result<String, HashError> {
        if let Some(key) = self.newest_key()? {
            let keyed = keyed::encode(password.as_bytes(), key, &self.parameters);
            return keyed
                .map(|keyed| keyed.to_string())
                .map_err(|_| HashError::Failed);
        }
        make_password(Some(password.as_bytes()), None, &self.hasher(self.preferred)?)
            .map_err(|_| HashError::Failed)
    }

    /// The algorithm of new hashes; under a key it is Argon2.
    fn of_new_hashes(&self) -> Algorithm {
        if self.keyed.is_some() {
            Algorithm::Argon2
        } else {
            self.preferred
        }
    }

    fn accepts(&self, stored: &str) -> bool {
        let name = algorithm_name(stored);
        self.accepted.iter().any(|algorithm| algorithm.name() == name)
    }

    /// Django's hasher of an algorithm, at today's cost.
    fn hasher(&self, algorithm: Algorithm) -> Result<Hasher, HashError> {
        Hasher::of(algorithm, &self.parameters)
            .ok_or(HashError::Unsupported("unsalted hashes are not supported"))
    }

    fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verified, HashError> {
        if let Some(stored) = stored.filter(|stored| KeyedPassword::is_keyed(stored))
            && let Some(verified) = self.verify_keyed(password, stored)
        {
            return Ok(verified);
        }
        let stored = stored.filter(|stored| self.accepts(stored));
        let accepted = self.accepted.iter().map(|algorithm| self.hasher(*algorithm));
        let (accepted, preferred) = (
            accepted.collect::<Result<Vec<_>, _>>()?,
            self.hasher(self.of_new_hashes())?,
        );
        let found = verify_password(Some(password.as_bytes()), stored, &accepted, &preferred).ok();
        let Some(found) = found.filter(|found| !found.is_damaged) else {
            let algorithm = stored.map_or("", algorithm_name);
            tracing::warn!(%algorithm, "a stored password is malformed or too expensive to verify");
            return self.nobodys();
        };
        if found.work.contains(&Work::Fake) {
            return Ok(Verified::NOBODYS);
        }
        Ok(Verified {
            correct: found.correct,
            must_update: found.must_update || self.keyed.is_some(),
        })
    }

    /// The answer about what is nobody's password, in the time of a hash. No key is needed, since it takes no time, and none may be
    /// in force any more: nobody is told apart by that. What was typed is not hashed: bcrypt refuses to when it is too long.
    fn nobodys(&self) -> Result<Verified, HashError> {
        let made = make_password(
            Some(b"nobody's password"),
            None,
            &self.hasher(self.of_new_hashes())?,
        );
        std::hint::black_box(made).map_err(|_| HashError::Failed)?;
        Ok(Verified::NOBODYS)
    }

    /// Verifies a keyed password; nothing if it is none, or its key is not there.
    fn verify_keyed(&self, password: &str, stored: &str) -> Option<Verified> {
        let Some(Keyed { keys, clock }) = &self.keyed else {
            tracing::error!(
                "a stored password is keyed, and there are no keys: give them with Hashers::with_keys"
            );
            return None;
        };
        let Ok(stored) = stored.parse::<KeyedPassword>() else {
            tracing::warn!("a stored password is a malformed keyed hash");
            return None;
        };
        let key = match keys.find(stored.key_id(), clock.now()) {
            Ok(key) => key,
            Err(why) => {
                let key = stored.key_id().escape_debug();
                tracing::error!(%key, "a stored password cannot be verified: {why}, or let its users have their passwords reset");
                return None;
            }
        };
        let correct = keyed::is_same(password.as_bytes(), &stored, key).ok()?;
        let must_update = keyed::must_update(&stored, keys.newest(clock.now()), &self.parameters);
        Some(Verified { correct, must_update })
    }
}

fn accept(password: &Sensitive<String>, max_bytes: usize) -> Result<Sensitive<String>, HashError> {
    if password.expose().len() > max_bytes {
        return Err(HashError::TooLong { max_bytes });
    }
    Ok(Sensitive::new(password.expose().clone()))
}
