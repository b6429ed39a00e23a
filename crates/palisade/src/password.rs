//! Password hashing, policy and the bounded pool that runs it.

mod character;
mod common;
mod email;
mod policy;
mod similarity;
mod username;

pub use email::normalize_email;
pub use policy::{
    CommonPassword, MAX_PASSWORD_BYTES, MinimumLength, NumericPassword, PasswordPolicy, PasswordProblem,
    PasswordValidator, UserAttributeSimilarity, UserAttributes,
};
pub use username::{InvalidUsername, MAX_USERNAME_CHARS, Username};
#[derive(Clone, Debug)]
#[expect(missing_docs)]
pub struct Hashers;
#[expect(missing_docs)]
pub struct Verified { pub correct: bool, pub must_update: bool }
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs)]
pub enum HashError { #[error("busy")] Busy { retry_after: std::time::Duration }, #[error("x")] Other }
#[expect(missing_docs)]
impl Hashers { pub async fn hash(&self, _p: palisade_core::Sensitive<String>) -> Result<palisade_core::Sensitive<String>, HashError> { todo!() }
 pub async fn verify(&self, _p: palisade_core::Sensitive<String>, _e: palisade_core::Sensitive<String>) -> Result<Verified, HashError> { todo!() } }
