//! The corpus of multipart bodies, run as a plain test: what the fuzzer once found stays found, on any machine.

use std::path::Path;

use proptest::prelude::*;

#[path = "../../../../fuzz/properties/multipart_scan.rs"]
mod multipart_scan;

#[test]
fn every_input_of_the_corpus_keeps_the_promises() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/multipart_scan");
    let mut inputs = 0;
    for entry in folder.read_dir().unwrap() {
        multipart_scan::holds(&std::fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 20, "only {inputs} inputs in {}", folder.display());
}

proptest! {
    #[test]
    fn all_bytes_keep_the_promises(bytes: Vec<u8>) {
        multipart_scan::holds(&bytes);
    }

    #[test]
    fn everything_like_multipart_keeps_the_promises(
        inside in "(--XX|--X|\r\n|\r|\n|-|--| |\t|X|;|\"|=|name=csrfmiddlewaretoken|Content-Disposition: form-data; |filename=\"a\"|TOKEN){0,24}"
    ) {
        multipart_scan::holds(inside.as_bytes());
    }
}
