//! Templates put together at random, run as a plain test: whatever is let through keeps its shape with every value.

use std::path::Path;

use proptest::prelude::*;

#[path = "../../../../fuzz/properties/template.rs"]
mod template;

#[test]
fn every_input_of_the_corpus_keeps_the_promises() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/template");
    let mut inputs = 0;
    for entry in folder.read_dir().unwrap() {
        template::holds(&std::fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 10, "only {inputs} inputs in {}", folder.display());
}

proptest! {
    #[test]
    fn every_template_keeps_the_promises(pieces in prop::collection::vec(any::<u8>(), 0..12)) {
        template::holds(&pieces);
    }
}
