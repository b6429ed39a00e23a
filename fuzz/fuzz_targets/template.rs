//! Fuzzes templates that are let through, with values that want to be more than text.
#![no_main]

#[path = "../properties/template.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::holds(data));
