//! Fuzzes signed values and what they carry.
#![no_main]

#[path = "../properties/signed_value.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::holds(data));
