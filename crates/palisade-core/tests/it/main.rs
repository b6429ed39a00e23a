//! The core seen from outside: what is promised about all values, not about one.

mod cookie_round_trip;
mod corpus;
mod corpus_host;
mod django_addresses;
mod header_round_trip;
mod threat_pages;
