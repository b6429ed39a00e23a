//! Fuzzes cookie headers.
#![no_main]

#[path = "../properties/cookie.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::holds(data));
