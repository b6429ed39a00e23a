//! Cookies byte for byte, and what may not stand in one.

use super::*;

/// 2023-11-14 22:13:20 UTC.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn bare(name: &str, value: &str) -> SetCookie {
    let path = CookieAttributes {
        path: Some("/".into()),
        ..CookieAttributes::none()
    };
    SetCookie::new(name, value)
        .unwrap()
        .with_attributes(path)
        .unwrap()
}

#[test]
fn attributes_come_in_pythons_order() {
    let cookie = SetCookie::new("sessionid", "a b\"c;\u{e9}")
        .unwrap()
        .with_max_age(10)
        .with_domain(".example.com")
        .unwrap();
    assert_eq!(
        cookie.render_at(now()),
        "sessionid=\"a b\\\"c\\073\\351\"; Domain=.example.com; expires=Tue, 14 Nov 2023 22:13:30 GMT; HttpOnly; Max-Age=10; \
         Path=/; SameSite=Lax; Secure"
    );
}

#[test]
fn a_cookie_without_age_is_a_session_cookie() {
    assert_eq!(bare("a", "b").render_at(now()), "a=b; Path=/");
}

#[test]
fn a_fractional_age_is_truncated_and_its_date_is_not_rounded_up() {
    let cookie = bare("c", "v").with_age_from(now(), Duration::from_millis(10_600));
    assert_eq!(
        cookie.to_string(),
        "c=v; expires=Tue, 14 Nov 2023 22:13:30 GMT; Max-Age=10; Path=/"
    );
    let late =
        bare("c", "v").with_age_from(now() + Duration::from_millis(500), Duration::from_millis(10_600));
    assert_eq!(
        late.to_string(),
        "c=v; expires=Tue, 14 Nov 2023 22:13:31 GMT; Max-Age=10; Path=/"
    );
}

#[test]
fn a_point_in_time_becomes_an_age_with_one_second_added() {
    let cookie = bare("c", "").with_domain(".example.com").unwrap();
    let cookie = cookie
        .with_expires_at(now() + Duration::from_secs(10), now())
        .unwrap();
    assert_eq!(
        cookie.to_string(),
        "c=\"\"; Domain=.example.com; expires=Tue, 14 Nov 2023 22:13:31 GMT; Max-Age=11; Path=/"
    );
}

#[test]
fn a_point_in_the_past_is_an_age_of_zero() {
    let cookie = bare("c", "v")
        .with_expires_at(now() - Duration::from_secs(100), now())
        .unwrap();
    assert_eq!(
        cookie.to_string(),
        "c=v; expires=Tue, 14 Nov 2023 22:13:20 GMT; Max-Age=0; Path=/"
    );
}

#[test]
fn a_point_in_time_and_an_age_exclude_each_other() {
    let refused = bare("c", "v")
        .with_max_age(1)
        .with_expires_at(now(), now())
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "'expires' and 'max_age' can't be used together."
    );
}

#[test]
fn a_date_given_as_text_is_copied_and_stays_beside_an_age() {
    let cookie = bare("c", "v")
        .with_expires_text("whenever")
        .unwrap()
        .with_max_age(5);
    assert_eq!(
        cookie.render_at(now()),
        "c=v; expires=whenever; Max-Age=5; Path=/"
    );
    let cookie = bare("c", "v")
        .with_expires_text("whenever")
        .unwrap()
        .with_age_from(now(), Duration::from_secs(5));
    assert_eq!(cookie.to_string(), "c=v; expires=whenever; Max-Age=5; Path=/");
}

#[test]
fn a_negative_age_lies_in_the_past() {
    let cookie = bare("c", "v").with_max_age(-20);
    assert_eq!(
        cookie.render_at(now()),
        "c=v; expires=Tue, 14 Nov 2023 22:13:00 GMT; Max-Age=-20; Path=/"
    );
    assert!(
        bare("c", "v")
            .with_max_age(i64::MIN)
            .render_at(now())
            .contains("expires=Thu, 01 Jan 1970")
    );
    assert!(
        bare("c", "v")
            .with_max_age(i64::MAX)
            .render_at(now())
            .contains("expires=Fri, 31 Dec 9999")
    );
}

#[test]
fn same_site_is_checked_in_any_case_and_sent_as_given() {
    for text in ["lax", "Lax", "LAX", "none", "STRICT"] {
        let cookie = bare("c", "v").with_same_site_text(text).unwrap();
        assert_eq!(cookie.to_string(), format!("c=v; Path=/; SameSite={text}"));
    }
    for text in ["", "invalid", "lax "] {
        assert_eq!(
            bare("c", "v").with_same_site_text(text),
            Err(InvalidCookie::SameSite)
        );
    }
}

#[test]
fn an_empty_attribute_is_left_out() {
    assert_eq!(
        bare("a", "b")
            .with_domain("")
            .unwrap()
            .with_path("")
            .unwrap()
            .to_string(),
        "a=b"
    );
}

#[test]
fn deleting_keeps_the_place_and_drops_the_flags() {
    let gone = |name, attributes| SetCookie::delete(name, &attributes).unwrap().to_string();
    let good = CookieAttributes::default;
    let none = CookieAttributes {
        same_site: Some(SameSite::None),
        domain: Some("a.example".into()),
        ..good()
    };
    let unset = CookieAttributes {
        same_site: None,
        path: Some("/x".into()),
        ..good()
    };
    assert_eq!(
        gone("c", good()),
        "c=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax"
    );
    assert_eq!(
        gone("c", none),
        "c=\"\"; Domain=a.example; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=None; Secure"
    );
    assert_eq!(
        gone("c", unset),
        "c=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/x"
    );
    for name in ["__Host-x", "__Secure-x"] {
        let expected =
            format!("{name}=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; Secure");
        assert_eq!(
            gone(
                name,
                CookieAttributes {
                    same_site: None,
                    ..good()
                }
            ),
            expected
        );
    }
}

#[test]
fn setting_a_name_again_keeps_what_the_second_call_omits_except_the_date() {
    let first = SetCookie::new("c", "1")
        .unwrap()
        .with_domain("a.example")
        .unwrap()
        .with_age_from(now(), Duration::from_secs(5));
    let second = bare("c", "2").over(&first);
    assert_eq!(
        second.to_string(),
        "c=2; Domain=a.example; HttpOnly; Max-Age=5; Path=/; SameSite=Lax; Secure"
    );
    let gone = SetCookie::delete("c", &CookieAttributes::default())
        .unwrap()
        .over(&first);
    assert!(
        gone.to_string()
            .contains("expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Max-Age=0")
    );
}

#[test]
fn names_that_python_refuses_are_refused() {
    for name in ["", "a b", "a;b", "a=b", "a,b", "\u{e9}", "a\r\nb", "a\"b", "a/b"] {
        assert_eq!(
            SetCookie::new(name, ""),
            Err(InvalidCookie::IllegalName(name.to_owned()))
        );
    }
    for name in ["path", "Path", "EXPIRES", "max-age", "samesite", "version"] {
        assert_eq!(
            SetCookie::new(name, ""),
            Err(InvalidCookie::ReservedName(name.to_owned()))
        );
    }
    assert_eq!(
        SetCookie::new("a b", "").unwrap_err().to_string(),
        "Illegal key 'a b'"
    );
    assert_eq!(
        SetCookie::new("path", "").unwrap_err().to_string(),
        "Attempt to set a reserved key 'path'"
    );
}

#[test]
fn line_breaks_and_semicolons_cannot_leave_their_place() {
    let refused = bare("a", "b").with_path("/\r\nSet-Cookie: x=y").unwrap_err();
    assert_eq!(
        refused.to_string(),
        r"Header values can't contain newlines (got '/\r\nSet-Cookie: x=y')"
    );
    assert!(bare("a", "b").with_domain("x; Path=/").is_err());
    assert!(bare("a", "b").with_expires_text("x\u{0}").is_err());
    assert_eq!(
        bare("a", "b\r\nSet-Cookie: x=y").to_string(),
        r#"a="b\015\012Set-Cookie\072 x=y"; Path=/"#.replace(r"\072", ":")
    );
}

#[test]
fn a_prefixed_name_cannot_be_set_against_its_rules() {
    let host = || SetCookie::new("__Host-a", "b").unwrap();
    assert!(host().with_path("/").is_ok());
    assert!(host().with_path("/x").is_err());
    assert!(host().with_domain("a.example").is_err());
    assert!(host().dangerous_over_plain_http().is_err());
    assert!(host().dangerous_readable_by_scripts().is_ok());
    assert!(
        SetCookie::new("__Secure-a", "b")
            .unwrap()
            .with_domain("a.example")
            .is_ok()
    );
    assert!(
        SetCookie::new("__secure-a", "b")
            .unwrap()
            .with_attributes(CookieAttributes::none())
            .is_err()
    );
    assert_eq!(
        host().with_path("/x").unwrap_err().to_string(),
        "a __Host- cookie must have the path /"
    );
}

#[test]
fn a_header_is_read_as_browsers_read_it() {
    let read: SetCookie =
        " a[b] = c d ;SECURE; Path=/x; path=/y ; Max-Age=x; samesite=sometimes; Partitioned; Domain=; HttpOnly=no".parse().unwrap();
    assert_eq!((read.name(), read.value()), ("a[b]", "c d"));
    let expected = CookieAttributes {
        secure: true,
        http_only: true,
        path: Some("/y".into()),
        ..CookieAttributes::none()
    };
    assert_eq!(read.attributes(), &expected);
}

#[test]
fn a_header_that_breaks_its_prefix_is_read_and_judged() {
    let read: SetCookie = "__Host-a=b; Secure; HttpOnly; SameSite=Lax; Path=/x"
        .parse()
        .unwrap();
    assert_eq!(read.weaknesses().len(), 1);
}

#[test]
fn a_header_without_a_name_is_not_a_cookie() {
    for text in ["", "a", "=b", " =b", "; Path=/"] {
        assert_eq!(text.parse::<SetCookie>(), Err(InvalidCookie::Nameless), "{text}");
    }
}
