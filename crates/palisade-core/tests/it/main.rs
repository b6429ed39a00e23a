//! The core seen from outside: what is promised about all values, answers of Django, and inputs found by fuzzing.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says where"
)]

mod cookie_round_trip;
mod corpus;
mod corpus_host;
mod corpus_signed;
mod django_addresses;
mod header_round_trip;
mod settings_page;
mod threat_pages;
