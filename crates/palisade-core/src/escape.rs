//! Text made harmless for the place it is put: HTML, a JavaScript string, a script element with JSON (CWE-79).
//!
//! Each place has its own dangerous characters, and Django's three escapers name them. What they write is the same here
//! byte for byte, so that a page can be compared. A template engine escapes HTML by itself; the other two are for
//! what is put into scripts.
//!
//! # Example
//!
//! ```
//! use palisade_core::escape::{escape, escape_js, json_script};
//!
//! assert_eq!(escape("<b>'&'"), "&lt;b&gt;&#x27;&amp;&#x27;");
//! assert_eq!(escape_js("</script>"), "\\u003C/script\\u003E");
//! assert_eq!(json_script(r#""</script>""#, None), r#"<script type="application/json">"\u003C/script\u003E"</script>"#);
//! ```

use std::fmt::{self, Write};

/// Displays text with `&`, `<`, `>`, `"` and `'` escaped for HTML, with Django's entities.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'text>(pub &'text str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(place) = rest.find(['&', '<', '>', '"', '\'']) {
            let (plain, special) = rest.split_at(place);
            f.write_str(plain)?;
            f.write_str(match special.as_bytes().first() {
                Some(b'&') => "&amp;",
                Some(b'<') => "&lt;",
                Some(b'>') => "&gt;",
                Some(b'"') => "&quot;",
                _ => "&#x27;",
            })?;
            rest = special.get(1..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

/// Escapes text for HTML, between tags and in quoted attributes: Django's `escape`.
///
/// # Security
///
/// Not for an attribute without quotes, nor for the value of `href`: `javascript:` has no character to escape.
pub fn escape(text: &str) -> String {
    Escaped(text).to_string()
}

/// Escapes text for the inside of a JavaScript string: Django's `escapejs`.
///
/// # Security
///
/// Only between quotes; what stands outside of a string in a script is code.
pub fn escape_js(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '\0'..='\x1f'
            | '\\'
            | '\''
            | '"'
            | '>'
            | '<'
            | '&'
            | '='
            | '-'
            | ';'
            | '`'
            | '\u{2028}'
            | '\u{2029}' => {
                push_unicode_escape(character, &mut escaped);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Puts JSON text into a script element that no value can end: Django's `json_script`.
///
/// The page's scripts read it with `JSON.parse(document.getElementById(id).textContent)`. An empty id counts as none.
pub fn json_script(json: &str, element_id: Option<&str>) -> String {
    let mut script = String::with_capacity(json.len() + 64);
    script.push_str("<script");
    if let Some(id) = element_id.filter(|id| !id.is_empty()) {
        // Writing to a String does not fail.
        let _ = write!(script, " id=\"{}\"", Escaped(id));
    }
    script.push_str(" type=\"application/json\">");
    for character in json.chars() {
        match character {
            '<' | '>' | '&' => push_unicode_escape(character, &mut script),
            _ => script.push(character),
        }
    }
    script.push_str("</script>");
    script
}

fn push_unicode_escape(character: char, out: &mut String) {
    let _ = write!(out, "\\u{:04X}", u32::from(character));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_value_stays_text() {
        assert_eq!(
            escape("<a href=\"x\" title='y'>&amp;</a>"),
            "&lt;a href=&quot;x&quot; title=&#x27;y&#x27;&gt;&amp;amp;&lt;/a&gt;"
        );
        assert_eq!(escape("é\u{2028}"), "é\u{2028}");
    }

    #[test]
    fn value_in_a_script_string_ends_neither_string_nor_script() {
        assert_eq!(
            escape_js("</script>'\"\\\n-=;&`\u{2028}\u{2029}\x7f"),
            "\\u003C/script\\u003E\\u0027\\u0022\\u005C\\u000A\\u002D\\u003D\\u003B\\u0026\\u0060\\u2028\\u2029\x7f"
        );
    }

    #[test]
    fn value_in_a_json_script_does_not_end_it() {
        let script = json_script(r#"{"a":"</script><!--&"}"#, Some("a\"><b>"));
        assert_eq!(
            script,
            "<script id=\"a&quot;&gt;&lt;b&gt;\" type=\"application/json\">\
             {\"a\":\"\\u003C/script\\u003E\\u003C!--\\u0026\"}</script>"
        );
        assert!(json_script("1", Some("")).starts_with("<script type="));
    }
}
