//! Fuzzes files that people upload: what is accepted is what it is taken for.
#![no_main]

#[path = "../properties/media.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::holds(data));
