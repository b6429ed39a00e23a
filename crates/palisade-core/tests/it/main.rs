//! Integration tests of the values, against answers of Django and against inputs found by fuzzing.

mod corpus_host;
mod django_addresses;
