//! What holds for every text in `Host`, `Origin`, `Referer` and `next`.

use palisade_core::host::{AllowedHosts, Host};
use palisade_core::origin::{Origin, TrustedOrigins};
use palisade_core::redirect::{iri_to_uri, is_safe_next, redirect_location};
use palisade_core::url::urlsplit;

/// Asserts it for one input.
pub(super) fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    hosts(text);
    origins(text);
    redirects(text);
}

fn hosts(text: &str) {
    if let Ok(host) = Host::parse(text) {
        let domain = host.domain();
        assert_eq!(host.as_str(), text);
        assert!(
            domain
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b)),
            "{text:?} has a domain with other characters"
        );
        assert!(
            !domain.bytes().any(|b| b.is_ascii_uppercase()),
            "{text:?} keeps capitals"
        );
        assert!(AllowedHosts::parse([domain]).allows(&host));
    }
    if AllowedHosts::parse(["own.example"]).validate(text).is_ok() {
        let rest = &text["own.example".len()..];
        assert!(
            rest.bytes().all(|b| b.is_ascii_digit() || b".:".contains(&b)),
            "{text:?} is allowed"
        );
    }
}

fn origins(text: &str) {
    if let Ok(origin) = text.parse::<Origin>() {
        assert_eq!(
            origin.to_string().parse(),
            Ok(origin),
            "{text:?} is read as another origin"
        );
    }
    assert!(!TrustedOrigins::default().allows_origin(text));
    let trusted = TrustedOrigins::parse(["https://*.own.example"]).expect("a pattern");
    if trusted.allows_origin(text) {
        let url = urlsplit(text).expect("a trusted origin is a URL");
        assert!(
            url.netloc == "own.example" || url.netloc.ends_with(".own.example"),
            "{text:?} is trusted"
        );
    }
}

fn redirects(text: &str) {
    if let Ok(url) = urlsplit(text) {
        assert!(!url.netloc.contains(['/', '?', '#', '\t', '\r', '\n']));
    }
    if is_safe_next(text, &[], true) {
        // As a browser reads it: backslashes are slashes, TAB and line breaks are nothing.
        let seen: String = text
            .trim()
            .chars()
            .filter(|c| !matches!(c, '\t' | '\r' | '\n'))
            .map(|c| if c == '\\' { '/' } else { c })
            .collect();
        let host = seen
            .strip_prefix("//")
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['?', '#']));
        assert!(!host, "{text:?} leaves the site");
        assert!(
            !seen.to_ascii_lowercase().starts_with("javascript:"),
            "{text:?} runs script"
        );
    }
    if let Ok(location) = redirect_location(text) {
        assert!(
            location.bytes().all(|b| b.is_ascii_graphic()),
            "{location:?} is no header value"
        );
        assert_eq!(
            iri_to_uri(&location),
            location,
            "quoting twice changes {location:?}"
        );
    }
}
