//! Password hashing, policy and the bounded pool that runs it.
//!
//! Meets `weak-password-storage` and helps against `credential-guessing`. A stolen table of users gives away nothing for as long as hashing is expensive, and
//! what is expensive for the thief is so for the server: so [`Hashers`] stores what Django stores (§9), in a pool that
//! refuses rather than drowns, and [`PasswordPolicy`] refuses what a thief tries first (§10).

mod common;
mod derive;
mod email;
pub mod hasher;
mod hashers;
mod keyed;
mod pbkdf2;
mod policy;
mod pool;
mod similarity;
mod username;

pub use crate::key_files::{KeyFileError, make_key, read_keys};
pub use common::Unreadable;
pub use email::normalize_email;
pub use hashers::{HashError, Hashers, Verified};
pub use palisade_core::password::{Algorithm, Parameters};
pub(crate) use policy::NoPassword;
pub use policy::{
    CommonPassword, InvalidSimilarity, ListedPasswords, MAX_PASSWORD_BYTES, MinimumLength, NumericPassword,
    PasswordPolicy, PasswordProblem, PasswordValidator, PolicyError, UserAttributeSimilarity, UserAttributes,
};
pub use username::{InvalidUsername, MAX_USERNAME_CHARS, Username, UsernameCharacters};
