//! The core seen from outside: what is promised about all values, answers of Django, and inputs found by fuzzing.

mod cookie_round_trip;
mod corpus;
mod corpus_host;
mod django_addresses;
mod header_round_trip;
mod threat_pages;
