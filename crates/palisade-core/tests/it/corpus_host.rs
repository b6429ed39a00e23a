//! Hosts, origins, URLs and redirects keep their promises for the fuzzer's corpus and for random addresses.

use std::path::Path;

use proptest::prelude::*;

#[path = "../../../../fuzz/properties/origin_host.rs"]
mod property;

#[test]
fn every_input_of_the_corpus_keeps_the_promises() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/origin_host");
    let mut files = 0;
    for entry in folder.read_dir().unwrap() {
        property::holds(&std::fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= 20, "the corpus has only {files} files");
}

proptest! {
    #[test]
    fn every_text_keeps_the_promises(text in any::<String>()) {
        property::holds(text.as_bytes());
    }

    #[test]
    fn every_text_of_an_address_keeps_the_promises(
        text in r"([a-z]{0,5}:)?[/\\\t\n]{0,4}[a-zA-Z.:@\[\]\t\r\n %é℀／-]{0,12}(own\.example)?[/?#\\]?[ -~]{0,6}"
    ) {
        property::holds(text.as_bytes());
    }
}
