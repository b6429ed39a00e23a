//! What holds for every report of a violated policy, whoever sends it.

use palisade::headers::csp_report::read_reports;

/// Asserts it for one input.
pub(super) fn holds(data: &[u8]) {
    for kind in [
        "application/csp-report",
        "application/reports+json; charset=utf-8",
    ] {
        let read = read_reports(kind, data, "example.com");
        assert!(read.len() <= 16, "{} reports of one body", read.len());
        for violation in read {
            let texts = [
                violation.directive(),
                violation.blocked(),
                violation.document(),
                violation.source().unwrap_or_default(),
            ];
            for text in texts {
                assert!(
                    text.len() <= 160 && text.bytes().all(|byte| matches!(byte, b'!'..=b'~')),
                    "{text:?} may not stand in a log"
                );
            }
            assert!(violation.document().starts_with('/'), "{}", violation.document());
            assert!(
                !texts.iter().any(|text| text.contains(['#'])),
                "{texts:?} has a fragment"
            );
        }
    }
    assert!(read_reports("text/html", data, "example.com").is_empty());
}
