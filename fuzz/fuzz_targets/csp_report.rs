//! Fuzzes reports of violated policies.
#![no_main]

#[path = "../properties/csp_report.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::holds(data));
