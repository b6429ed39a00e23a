//! Fuzzes hosts, origins, URLs and redirects.
#![no_main]

#[path = "../properties/origin_host.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::holds(data));
