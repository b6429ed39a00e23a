//! What a client can read: a page, a problem for programs (RFC 9457), or a line of text.
//!
//! Browsers that open a page name HTML. Whoever names other things, or takes anything, is a program, which would have to pick the
//! status out of a page; who says nothing at all gets the page.

use http::HeaderValue;

/// The form of an error's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// HTML, for people.
    Page,
    /// `application/problem+json`.
    Problem,
    /// Plain text.
    Text,
}

impl Wanted {
    /// Reads the request's `Accept`.
    pub(super) fn by(accept: Option<&HeaderValue>) -> Self {
        let text = accept.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let ranges: Vec<String> = text.split(',').filter_map(range).collect();
        let takes = |wanted: fn(&str) -> bool| ranges.iter().any(|range| wanted(range));
        if ranges.is_empty() || takes(|range| matches!(range, "text/html" | "application/xhtml+xml")) {
            Self::Page
        } else if takes(is_json) || !takes(|range| matches!(range, "text/plain" | "text/*")) {
            Self::Problem
        } else {
            Self::Text
        }
    }
}

fn is_json(range: &str) -> bool {
    matches!(range, "application/json" | "application/*") || range.ends_with("+json")
}

/// A media range in lower case, without its parameters; nothing, if it is refused (`q=0`).
fn range(entry: &str) -> Option<String> {
    let mut parts = entry.split(';').map(str::trim);
    let range = parts.next()?.to_ascii_lowercase();
    let is_refused = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("q") && value.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0)
    };
    (!range.is_empty() && !parts.any(is_refused)).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_names_html_gets_a_page_and_a_program_a_problem_or_a_line() {
        for (accept, wanted) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Wanted::Page,
            ),
            ("application/json, Text/HTML;q=0.1", Wanted::Page),
            ("", Wanted::Page),
            ("*/*", Wanted::Problem),
            ("application/json, text/plain, */*", Wanted::Problem),
            ("application/vnd.api+json", Wanted::Problem),
            ("application/json, text/html;q=0", Wanted::Problem),
            ("image/avif,image/webp,*/*;q=0.8", Wanted::Problem),
            ("application/octet-stream", Wanted::Problem),
            ("text/plain", Wanted::Text),
            ("text/*;q=0.5, image/png", Wanted::Text),
        ] {
            let header = HeaderValue::from_static(accept);
            assert_eq!(Wanted::by(Some(&header)), wanted, "{accept}");
        }
        assert_eq!(Wanted::by(None), Wanted::Page);
        assert_eq!(
            Wanted::by(HeaderValue::from_bytes(b"\xff").ok().as_ref()),
            Wanted::Page
        );
    }
}
