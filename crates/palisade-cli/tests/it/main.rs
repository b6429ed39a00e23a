//! The command as it is called.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod keys;
#[cfg(all(feature = "mysql", feature = "postgres"))]
mod servers;
