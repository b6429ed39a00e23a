//! Fuzzes content security policies.
#![no_main]

#[path = "../properties/csp.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::holds(data));
