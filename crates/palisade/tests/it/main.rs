//! The library seen from outside: whole requests through the whole stack.

mod client;
mod defects;
mod flaky;
