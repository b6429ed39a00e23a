//! Django's security system for Rust services: tower layers, extractors and stores.

#[cfg(test)]
extern crate self as palisade;

pub mod auth;
pub mod clock;
pub mod csrf;
mod endpoint;
pub mod errors;
pub mod form;
pub mod guard;
pub mod headers;
pub mod host;
pub mod password;
pub mod redact;
pub mod rejection;
pub mod router;
pub mod serve;
pub mod session;
pub mod sqlite;
pub mod stack;
pub mod transport;

pub use axum;
pub use palisade_core as core;
pub use palisade_core::{SecretKey, Sensitive, Settings};
pub use palisade_macros::{Form, ModelForm};
pub use rejection::Rejection;
pub use router::{Policies, Router};
pub use serve::serve;
pub use stack::{Palisade, Protected};
