//! Attacks that need no browser: each must succeed against the weak twin and fail against the vault, side by side.

mod access;
mod guessing;
mod leaks;
mod network;
mod recovery;
mod script;
