//! The corpus of signed values, run as a plain test: what the fuzzer once found stays found, on any machine.

use std::path::Path;

use proptest::prelude::*;

#[path = "../../../../fuzz/properties/signed_value.rs"]
mod signed_value;

#[test]
fn every_input_of_the_corpus_keeps_the_promises() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/signed_value");
    let mut inputs = 0;
    for entry in folder.read_dir().unwrap() {
        signed_value::holds(&std::fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 30, "only {inputs} inputs in {}", folder.display());
}

proptest! {
    #[test]
    fn every_text_keeps_the_promises(text: String) {
        signed_value::holds(text.as_bytes());
    }

    #[test]
    fn all_bytes_keep_the_promises(bytes: Vec<u8>) {
        signed_value::holds(&bytes);
    }

    #[test]
    fn everything_like_json_keeps_the_promises(inside in r#"([\[\]{},:"\\aué0-9.eE\-+ ]|NaN|-Infinity|null|"k":|\\u00e9|\\ud83d){0,16}"#) {
        signed_value::holds(inside.as_bytes());
        signed_value::holds(format!("{{\"k\":{inside}}}").as_bytes());
    }
}
