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
