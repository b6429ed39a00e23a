//! Fuzzes the search for the CSRF token in a multipart body.
#![no_main]

#[path = "../properties/multipart_scan.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::holds(data));
