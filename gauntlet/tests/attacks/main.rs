//! Attacks that need no browser: each must succeed against the weak twin and fail against the vault, side by side.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod access;
mod guessing;
mod leaks;
mod network;
mod recovery;
mod rooms;
mod script;
