//! The fuzzer's corpora, run as plain tests: what it once found stays found, on any machine.
//!
//! The properties live beside the fuzz targets, so that fuzzer and test cannot drift apart.

use std::path::Path;

#[path = "../../../../fuzz/properties/cookie.rs"]
mod cookie;
#[path = "../../../../fuzz/properties/csp.rs"]
mod csp;

/// Runs a property over every file of a corpus.
fn each(target: &str, property: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut files = 0;
    for entry in folder.read_dir().unwrap() {
        property(&std::fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files > 0, "the corpus of {target} is empty");
}

#[test]
fn cookie() {
    each("cookie", cookie::holds);
}

#[test]
fn csp() {
    each("csp", csp::holds);
}
