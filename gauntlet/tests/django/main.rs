//! One login for a real Django and a Palisade on one database: what either does, the other knows.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says where"
)]

mod answers;
mod checks;
mod dump;
mod error_reports;
mod everywhere;
mod half_logins;
mod keys;
mod logins;
mod passwords;
mod permissions;
mod sessions;
mod tokens;
