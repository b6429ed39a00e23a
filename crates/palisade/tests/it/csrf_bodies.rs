//! The CSRF check and the body it looks into: found where it stands, replayed as it came.

use axum::body::{Body, Bytes};
use futures_util::stream;
use http::header::{CONTENT_TYPE, ORIGIN, REFERER};
use http::{Request, StatusCode};
use palisade::csrf::SCAN_LIMIT;
use proptest::prelude::*;

use crate::csrf_site::{FORM, OURS, open, request, site, verdict, visitor};

fn part(disposition: &str, content: &str) -> String {
    format!("--XX\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
}

fn multipart(path: &str, body: impl Into<Body>) -> Request<Body> {
    let kind = ("content-type", "multipart/form-data; boundary=XX");
    request("POST", path, &[OURS, kind], body)
}

#[tokio::test]
async fn the_token_of_a_multipart_form_stands_before_its_large_files() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    let field = part("name=\"csrfmiddlewaretoken\"", &token);
    let file = |size: usize| part("name=\"f\"; filename=\"a.bin\"", &"x".repeat(size));
    let end = "--XX--\r\n";
    for (body, reason) in [
        (format!("{field}{}{end}", file(500_000)), "ok"),
        (format!("{}{field}{end}", file(1000)), "ok"),
        (
            format!("{}{field}{end}", file(SCAN_LIMIT + 1)),
            "403 CSRF token missing.",
        ),
        (format!("{}{end}", file(10)), "403 CSRF token missing."),
        (
            format!(
                "{}{end}",
                part("name=\"csrfmiddlewaretoken\"; filename=\"t\"", &token)
            ),
            "403 CSRF token missing.",
        ),
        (
            format!("{}{end}", part("name=\"csrfmiddlewaretoken\"", "")),
            "403 CSRF token missing.",
        ),
        (field.replace("--XX\r\n", "--YY\r\n"), "403 CSRF token missing."),
        (field.trim_end().to_owned(), "403 CSRF token missing."),
        (String::new(), "403 CSRF token missing."),
    ] {
        let answer = client.send(multipart("/echo", body.clone())).await;
        assert_eq!(verdict(&answer), reason, "{} bytes", body.len());
        if reason == "ok" {
            assert_eq!(answer.text, body);
        }
    }
}

#[tokio::test]
async fn the_token_of_a_form_may_be_written_with_percent_signs_and_the_last_counts() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    let encoded = token
        .bytes()
        .fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02X}"));
    let kind = ("content-type", "application/x-www-form-urlencoded");
    for (body, reason) in [
        (format!("csrfmiddlewaretoken={encoded}"), "ok"),
        (format!("%63srfmiddlewaretoken={token}"), "ok"),
        (
            format!("csrfmiddlewaretoken=no&csrfmiddlewaretoken={token}&a=1"),
            "ok",
        ),
        (
            format!("csrfmiddlewaretoken={token}&csrfmiddlewaretoken"),
            "403 CSRF token missing.",
        ),
        (
            format!("csrfmiddlewaretoken=+{}", &token[1..]),
            "403 CSRF token from POST has invalid characters.",
        ),
    ] {
        let answer = client
            .send(request("POST", "/echo", &[OURS, kind], body.clone()))
            .await;
        assert_eq!(verdict(&answer), reason, "{body}");
    }
}

#[tokio::test]
async fn a_form_that_is_too_big_is_refused_before_it_is_kept() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    let reason = "Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE.";
    let body = format!("csrfmiddlewaretoken={token}&x={}", "x".repeat(2_621_440));
    let declared = client
        .send(request("POST", "/form", &[OURS, FORM], body.clone()))
        .await;
    assert_eq!(
        verdict(&declared),
        format!("413 {reason}"),
        "declared: refused unread"
    );
    let pieces: Vec<_> = body
        .as_bytes()
        .chunks(65_536)
        .map(|piece| Ok::<_, axum::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    let found = request(
        "POST",
        "/form",
        &[OURS, FORM],
        Body::from_stream(stream::iter(pieces)),
    );
    assert_eq!(
        verdict(&client.send(found).await),
        format!("400 {reason}"),
        "found, as in Django"
    );
    let lied = [OURS, FORM, ("content-length", "99999999")];
    let lied = client
        .send(request(
            "POST",
            "/form",
            &lied,
            Body::from_stream(stream::empty::<Result<Bytes, axum::Error>>()),
        ))
        .await;
    assert_eq!(verdict(&lied), format!("400 {reason}"));
    let piece = Ok::<_, axum::Error>(Bytes::from(format!(
        "csrfmiddlewaretoken={token}&x={}",
        "x".repeat(100)
    )));
    let over = request(
        "POST",
        "/short",
        &[OURS, FORM],
        Body::from_stream(stream::iter([piece])),
    );
    assert_eq!(
        verdict(&client.send(over).await),
        format!("400 {reason}"),
        "the route's own limit"
    );
    let long = format!(
        "{}{}--XX--\r\n",
        part("name=\"a\"", &"x".repeat(200)),
        part("name=\"csrfmiddlewaretoken\"", &token)
    );
    let over = multipart(
        "/short",
        Body::from_stream(stream::iter([Ok::<_, axum::Error>(Bytes::from(long))])),
    );
    assert_eq!(verdict(&client.send(over).await), format!("400 {reason}"));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_400_and_no_pass() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    for kind in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=XX",
    ] {
        let pieces = [
            Ok(Bytes::from(format!("csrfmiddlewaretoken={token}"))),
            Err(std::io::Error::other("reset by peer")),
        ];
        let broken = request(
            "POST",
            "/form",
            &[OURS, ("content-type", kind)],
            Body::from_stream(stream::iter(pieces)),
        );
        assert_eq!(
            verdict(&client.send(broken).await),
            "400 the request's body broke off"
        );
    }
}

/// The body, in frames that end at these places.
fn in_frames(body: &str, ends: &[prop::sample::Index]) -> Body {
    let mut ends: Vec<usize> = ends.iter().map(|end| end.index(body.len() + 1)).collect();
    ends.push(body.len());
    ends.sort_unstable();
    let mut begin = 0;
    let frames: Vec<_> = ends
        .into_iter()
        .map(|end| {
            let frame = Bytes::copy_from_slice(&body.as_bytes()[begin..end]);
            begin = end;
            Ok::<_, axum::Error>(frame)
        })
        .collect();
    Body::from_stream(stream::iter(frames))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn however_a_multipart_body_is_cut_into_frames_the_verdict_and_the_bytes_are_the_same(
        before in prop::collection::vec("[ -~\r\n]{0,60}", 0..4),
        filler in prop_oneof![Just(0_usize), Just(1000), SCAN_LIMIT - 300..SCAN_LIMIT + 300],
        with_token: bool,
        after in "[ -~\r\n]{0,400}",
        cut_short in prop::option::of(any::<prop::sample::Index>()),
        ends in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = site(open());
            let (client, token) = visitor(&app).await;
            let mut body: String = before.iter().map(|content| part("name=\"a\"", content)).collect();
            body.push_str(&part("name=\"filler\"", &"y".repeat(filler)));
            if with_token {
                body.push_str(&part("name=\"csrfmiddlewaretoken\"", &token));
            }
            body.push_str(&part("name=\"f\"; filename=\"x\"", &after));
            body.push_str("--XX--\r\n");
            if let Some(cut) = cut_short {
                body.truncate(cut.index(body.len()));
            }
            let whole = client.send(multipart("/echo", body.clone())).await;
            let framed = client.send(multipart("/echo", in_frames(&body, &ends))).await;
            assert_eq!(verdict(&framed), verdict(&whole));
            for answer in [whole, framed] {
                match verdict(&answer).as_str() {
                    "ok" => assert_eq!(answer.text, body),
                    reason => assert_eq!(reason, "403 CSRF token missing."),
                }
            }
        });
    }
}

#[tokio::test]
async fn two_origins_or_an_origin_that_is_not_text_are_refused() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    let mut odd = request("POST", "/form", &[FORM], format!("csrfmiddlewaretoken={token}"));
    odd.headers_mut().insert(
        ORIGIN,
        http::HeaderValue::from_bytes(b"https://ex\xe4mple.com").unwrap(),
    );
    assert_eq!(client.send(odd).await.status, StatusCode::FORBIDDEN);
    let mut odd = request("POST", "/form", &[FORM], format!("csrfmiddlewaretoken={token}"));
    odd.headers_mut().insert(
        REFERER,
        http::HeaderValue::from_bytes(b"https://ex\xe4mple.com/").unwrap(),
    );
    assert_eq!(
        verdict(&client.send(odd).await),
        "403 Referer checking failed - Referer is malformed."
    );
    for origins in [
        ["https://evil.example", "https://example.com"],
        ["https://example.com", "https://evil.example"],
    ] {
        let mut two = request("POST", "/form", &[FORM], format!("csrfmiddlewaretoken={token}"));
        for origin in origins {
            two.headers_mut().append(ORIGIN, origin.parse().unwrap());
        }
        assert_eq!(
            client.send(two).await.status,
            StatusCode::FORBIDDEN,
            "{origins:?}"
        );
    }
}

#[tokio::test]
async fn two_content_types_do_not_hide_a_form() {
    let app = site(open());
    let (client, token) = visitor(&app).await;
    let mut two = request(
        "POST",
        "/form",
        &[OURS, FORM],
        format!("csrfmiddlewaretoken={token}"),
    );
    two.headers_mut()
        .append(CONTENT_TYPE, "application/json".parse().unwrap());
    assert_eq!(
        verdict(&client.send(two).await),
        "ok",
        "the first is read, and the token has to be right"
    );
}
