//! The core seen from outside: what is promised about all values, not about one.

#![expect(clippy::expect_used, reason = "a test that cannot go on says where")]

mod corpus_signed;
