//! The corpus of reports, run as a plain test: what the fuzzer once found stays found, on any machine.

use std::path::Path;

use proptest::prelude::*;

#[path = "../../../../fuzz/properties/csp_report.rs"]
mod csp_report;

#[test]
fn every_input_of_the_corpus_keeps_the_promises() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/csp_report");
    let mut inputs = 0;
    for entry in folder.read_dir().unwrap() {
        csp_report::holds(&std::fs::read(entry.unwrap().path()).unwrap());
        inputs += 1;
    }
    assert!(inputs >= 10, "only {inputs} inputs in {}", folder.display());
}

proptest! {
    #[test]
    fn everything_like_a_report_keeps_the_promises(
        document in "https://example.com(/|\\?|#|[ -~]|\\PC){0,30}",
        blocked in "(https://|data:|//|\\?|#|[ -~]|\\PC){0,20}",
        source in "(https://example.com|https://|\\?|#|[ -~]|\\PC){0,20}",
    ) {
        let report = serde_json::json!({ "csp-report": {
            "document-uri": document, "blocked-uri": blocked, "source-file": source, "effective-directive": "img-src",
        } });
        csp_report::holds(report.to_string().as_bytes());
    }
}
