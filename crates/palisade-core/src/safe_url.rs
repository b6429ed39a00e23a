//! Addresses that may stand in a link of a page: none of them is script.
//!
//! Escaping does not help in `href`: `javascript:alert(1)` has no character to escape, and runs in the site's own name when
//! somebody clicks (CWE-79). Browsers read addresses generously: they drop TAB and line breaks wherever they stand and control
//! characters at the beginning, and take every case. So what counts here is not whether a bad scheme is recognised but whether a
//! good one is: `http`, `https`, `mailto`, or none at all.
//!
//! # Example
//!
//! ```
//! use palisade_core::safe_url::{REFUSED_URL, safe_url};
//!
//! assert_eq!(safe_url("https://example.com/?a=1"), "https://example.com/?a=1");
//! assert_eq!(safe_url("/notes/?page=2"), "/notes/?page=2");
//! assert_eq!(safe_url("java\tscript:alert(1)"), REFUSED_URL);
//! ```

/// The schemes that a link may have.
pub const SAFE_SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// What stands where a refused address would: a browser opens an empty page, and whoever looks at the source sees why.
pub const REFUSED_URL: &str = "about:invalid#refused";

/// The longest address that is let through, in bytes.
const MAX_LENGTH: usize = 8192;

/// Lets an address into a link, or puts [`REFUSED_URL`] in its place.
///
/// A page with a refused link is still a page: one bad address among many must not take all of them from their reader.
///
/// # Security
///
/// The result is text: it still has to be escaped for the attribute. It may lead to any other site.
pub fn safe_url(url: &str) -> &str {
    if is_safe_url(url) {
        url.trim_matches(' ')
    } else {
        REFUSED_URL
    }
}

/// Says whether an address is harmless in a link: `http`, `https`, `mailto`, or relative to the page.
///
/// Refused is also what only some reader could take for a scheme: a colon in the first part of a relative address, a character
/// reference there, and control characters and invisible marks anywhere.
///
/// # Example
///
/// ```
/// use palisade_core::safe_url::is_safe_url;
///
/// assert!(is_safe_url("mailto:ann@example.com") && is_safe_url("?page=2#top") && is_safe_url("a/b:c"));
/// for bad in ["JavaScript:alert(1)", "\u{1}javascript:alert(1)", "data:text/html,x", "javascript&#58;alert(1)", "a b:c"] {
///     assert!(!is_safe_url(bad), "{bad}");
/// }
/// ```
pub fn is_safe_url(url: &str) -> bool {
    let url = url.trim_matches(' ');
    if url.len() > MAX_LENGTH || url.chars().any(is_unseen) {
        return false;
    }
    let first = url.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    if let Some((scheme, _)) = first.split_once(':') {
        return SAFE_SCHEMES.iter().any(|safe| scheme.eq_ignore_ascii_case(safe));
    }
    !first.contains('&')
}

/// Says whether an address leads to a path of the site itself, for what a page loads by itself, such as images.
///
/// # Example
///
/// ```
/// use palisade_core::safe_url::is_own_path;
///
/// assert!(is_own_path("/media/cat.png") && is_own_path("cat.png"));
/// assert!(!is_own_path("//tracker.example/x.gif") && !is_own_path(r"/\tracker.example/x.gif"));
/// assert!(!is_own_path("https://tracker.example/x.gif"));
/// ```
pub fn is_own_path(url: &str) -> bool {
    let url = url.trim_matches(' ');
    let first = url.split(['/', '?', '#']).next().unwrap_or_default();
    is_safe_url(url) && !url.contains('\\') && !url.starts_with("//") && !first.contains(':')
}

/// Controls, and marks that change how a text looks without being seen: nothing that an address needs unquoted.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_has_no_writing_in_which_it_is_let_through() {
        for bad in [
            "javascript:alert(1)",
            "JAVASCRIPT:alert(1)",
            " javascript:alert(1)",
            "\tjavascript:alert(1)",
            "java\nscript:alert(1)",
            "javascript\r:alert(1)",
            "\u{0}javascript:alert(1)",
            "\u{1f}javascript:alert(1)",
            "\u{feff}javascript:alert(1)",
            "\u{a0}javascript:alert(1)",
            "javascript&colon;alert(1)",
            "javascript&#x3a;alert(1)",
            "&#106;avascript:alert(1)",
            "vbscript:msgbox(1)",
            "data:text/html;base64,PHNjcmlwdD4=",
            "blob:https://example.com/1",
            "file:///etc/passwd",
            "view-source:x",
            "jav\u{ad}ascript:alert(1)",
            "http\u{200b}s://example.com",
            "https://example.com/\u{202e}gpj.exe",
        ] {
            assert!(!is_safe_url(bad), "{bad:?}");
            assert_eq!(safe_url(bad), REFUSED_URL);
        }
    }

    #[test]
    fn links_of_people_stay_as_they_are() {
        for good in [
            "https://example.com/a?b=c&d=e#f",
            "HTTP://EXAMPLE.COM",
            "mailto:ann@example.com?subject=x",
            "/notes/1/",
            "//example.com/x",
            "../up",
            "?q=a:b",
            "#a:b",
            "",
            "caf\u{e9}/\u{4e2d}",
        ] {
            assert_eq!(safe_url(good), good);
        }
        assert_eq!(safe_url(" /a "), "/a");
    }

    #[test]
    fn an_image_is_loaded_from_the_site_alone() {
        for bad in [
            "//t.example/x",
            "/\\t.example",
            "\\\\t.example",
            "http:x",
            "http://t.example",
            "mailto:x",
            "data:x",
        ] {
            assert!(!is_own_path(bad), "{bad:?}");
        }
    }
}
