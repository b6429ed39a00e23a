//! What is set is what is read: `Set-Cookie` as a value, and a cookie's value on its way to the browser and back.

use std::time::{Duration, SystemTime};

use palisade_core::cookie::{self, CookieAttributes, Expires, SameSite, SetCookie};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn attributes() -> impl Strategy<Value = CookieAttributes> {
    let expires = prop_oneof![
        (0..1u64 << 40)
            .prop_map(|seconds| Expires::at(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))),
        "[ -:<-~]{1,12}".prop_map(|text| Expires::from_text(&text).unwrap()),
    ];
    let same_site = select(vec![SameSite::Lax, SameSite::None, SameSite::Strict]);
    (
        option::of("[^;\\p{C}]{0,12}"),
        option::of(expires),
        any::<bool>(),
        any::<Option<i64>>(),
        option::of("/[^;\\p{C}]{0,12}"),
        option::of(same_site),
        any::<bool>(),
    )
        .prop_map(
            |(domain, expires, http_only, max_age, path, same_site, secure)| CookieAttributes {
                domain,
                expires,
                http_only,
                max_age,
                path,
                same_site,
                secure,
            },
        )
}

fn name() -> impl Strategy<Value = String> {
    "x[A-Za-z0-9!#$%&'*+.^_`|~:-]{0,12}"
}

proptest! {
    #[test]
    fn a_set_cookie_survives(name in name(), value in any::<String>(), attributes in attributes()) {
        let cookie = SetCookie::new(name, value).unwrap().with_attributes(attributes).unwrap();
        let text = cookie.to_string();
        prop_assert!(!text.contains(['\r', '\n']));
        prop_assert_eq!(text.parse(), Ok(cookie));
    }

    #[test]
    fn a_spelling_of_same_site_survives(text in "[Ll][Aa][Xx]|[Nn][Oo][Nn][Ee]|[Ss][Tt][Rr][Ii][Cc][Tt]") {
        let cookie = SetCookie::new("c", "v").unwrap().with_same_site_text(&text).unwrap();
        prop_assert_eq!(cookie.to_string().parse(), Ok(cookie));
    }

    #[test]
    fn a_value_comes_back_from_the_browser(name in name(), value in any::<String>(), other in name()) {
        let sent = SetCookie::new(&name, &value).unwrap().to_string();
        let pair = sent.split(';').next().unwrap();
        let header = format!("{other}=1; {pair}; tail");
        let found = cookie::value(&header, &name);
        prop_assert_eq!(found.as_deref(), Some(value.as_str()));
    }

    #[test]
    fn one_value_and_all_values_agree(header in "([a-c ]{0,2}|[=;\"\\\\ 07]){0,12}") {
        for (name, value) in cookie::parse(&header) {
            prop_assert_eq!(cookie::value(&header, &name), Some(value));
        }
        for name in ["", "a", "b", "zz"] {
            let all = cookie::parse(&header).into_iter().find(|(key, _)| key == name).map(|(_, value)| value);
            prop_assert_eq!(cookie::value(&header, name), all);
        }
    }

    #[test]
    fn any_header_settles_or_does_not_parse(text in ".{0,60}") {
        if let Ok(cookie) = text.parse::<SetCookie>() {
            prop_assert_eq!(cookie.to_string().parse(), Ok(cookie));
        }
    }
}
