//! Django's security system for Rust services: tower layers, extractors and stores.

pub mod auth;
pub mod clock;
pub mod csrf;
pub mod form;
pub mod guard;
pub mod headers;
pub mod host;
pub mod log;
pub mod password;
pub mod redact;
pub mod rejection;
pub mod router;
pub mod serve;
pub mod session;
pub mod sqlite;
pub mod stack;
pub mod transport;

pub use palisade_core as core;
pub use serve::serve;
