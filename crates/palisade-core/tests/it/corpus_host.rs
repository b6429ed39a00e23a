//! Inputs found by fuzzing hosts, origins, URLs and redirects keep the promises that hold for every text.

use std::path::Path;

use palisade_core::host::{AllowedHosts, Host};
use palisade_core::origin::{Origin, TrustedOrigins};
use palisade_core::redirect::{iri_to_uri, is_safe_next, redirect_location};
use palisade_core::url::urlsplit;
use proptest::prelude::*;

/// What holds for every text that a client can send.
fn check(text: &str) {
    if let Ok(host) = Host::parse(text) {
        assert_eq!(host.as_str(), text);
        assert!(
            host.domain()
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase()),
            "{text:?}"
        );
        assert!(!host.domain().contains(['/', '@', '\\', '?', '#']), "{text:?}");
        assert!(AllowedHosts::parse([host.domain()]).allows(&host), "{text:?}");
    }
    assert!(
        AllowedHosts::parse(["own.example"]).validate(text).is_err() || {
            let lower = text.to_ascii_lowercase();
            lower.starts_with("own.example")
        }
    );
    if let Ok(url) = urlsplit(text) {
        assert!(
            !url.netloc.contains(['/', '?', '#', '\t', '\r', '\n']),
            "{text:?}"
        );
        let again = urlsplit(&url.to_string());
        assert!(
            again.is_err() || again.is_ok_and(|again| again.scheme == url.scheme || url.scheme.is_empty())
        );
    }
    if let Ok(origin) = text.parse::<Origin>() {
        assert_eq!(origin.to_string().parse::<Origin>().as_ref(), Ok(&origin));
    }
    assert!(!TrustedOrigins::default().allows_origin(text));
    if is_safe_next(text, &[], true) {
        let seen: String = text
            .trim()
            .replace('\\', "/")
            .chars()
            .filter(|c| !matches!(c, '\t' | '\r' | '\n'))
            .collect();
        let host = seen
            .strip_prefix("//")
            .is_some_and(|host| !host.is_empty() && !host.starts_with(['?', '#']));
        assert!(!host, "leaves the site: {text:?}");
        assert!(
            !seen.to_ascii_lowercase().starts_with("javascript:"),
            "runs script: {text:?}"
        );
    }
    if let Ok(location) = redirect_location(text) {
        assert!(
            location.is_ascii() && !location.contains(['\r', '\n', ' ']),
            "{text:?}"
        );
        assert_eq!(iri_to_uri(&location), location);
    }
}

#[test]
fn every_input_of_the_corpus_keeps_the_promises() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/origin_host");
    let mut inputs = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        check(&String::from_utf8_lossy(&bytes));
        inputs += 1;
    }
    assert!(inputs >= 20, "only {inputs} inputs in {}", folder.display());
}

proptest! {
    #[test]
    fn every_text_keeps_the_promises(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn every_text_of_an_address_keeps_the_promises(text in r"([a-z]{0,5}:)?[/\\]{0,3}[a-zA-Z.:@\[\]\t\r\n %é℀／-]{0,12}[/?#\\]?[ -~]{0,6}") {
        check(&text);
    }
}
