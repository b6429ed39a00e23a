//! What holds for every `Cookie` and `Set-Cookie` header.

use palisade_core::cookie::{self, SetCookie};

/// Asserts it for one input.
pub(super) fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for (name, value) in cookie::parse(text) {
        assert_eq!(
            cookie::value(text, &name).as_ref(),
            Some(&value),
            "the one look-up and the list disagree"
        );
        if let Ok(set) = SetCookie::new(name.as_ref(), value.as_ref()) {
            let rendered = set.to_string();
            assert!(
                !rendered.bytes().any(|b| b.is_ascii_control()),
                "{rendered:?} holds control characters"
            );
            assert_eq!(
                rendered.parse(),
                Ok(set),
                "{rendered:?} is read as another cookie"
            );
        }
    }
    if let Ok(set) = text.parse::<SetCookie>() {
        let _ = set.weaknesses();
        let rendered = set.to_string();
        assert!(
            !rendered.contains(['\r', '\n']),
            "{rendered:?} holds a line break"
        );
        assert_eq!(
            rendered.parse(),
            Ok(set),
            "{rendered:?} is read as another cookie"
        );
    }
}
