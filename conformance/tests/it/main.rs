//! The program as a host sees it: a child process, lines in and lines out.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot talk to the program has failed"
)]

mod conversation;
mod examples;
mod framing;
