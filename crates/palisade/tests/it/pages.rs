//! What a person, a program and the log learn when something goes wrong.

use axum::body::Body;
use axum::routing::{get, post};
use http::{Request, StatusCode};
use palisade::errors::ErrorPage;
use palisade::redact::SensitiveNames;
use palisade::{Palisade, Rejection, Router};

use crate::client::{Client, settings};
use crate::log::Log;

fn routes() -> Router {
    Router::new()
        .route("/", get(async || "hello"))
        .route(
            "/panic",
            get(async || -> &'static str { panic!("the vault's combination is 4711") }),
        )
        .route(
            "/panic/text",
            get(async || -> &'static str { std::panic::panic_any(String::from("combination 4711")) }),
        )
        .route(
            "/panic/other",
            get(async || -> &'static str { std::panic::panic_any(4711_u32) }),
        )
        .route(
            "/refused",
            get(async || Rejection::forbidden("<b>not</b> on my watch").with_hint("Ask <Ada>.")),
        )
        .route("/own", get(async || (StatusCode::NOT_FOUND, "my own words")))
        .route("/own-empty", get(async || (StatusCode::NOT_FOUND, "")))
        .route("/silent", get(async || StatusCode::IM_A_TEAPOT))
        .route("/moved", get(async || axum::response::Redirect::to("/")))
        .route("/form", post(async || "done"))
}

fn site() -> Client {
    Client::new(&Palisade::new(settings()).protect(routes().public()).unwrap())
}

fn debugging() -> Client {
    let mut settings = settings();
    settings.debug = true;
    Client::new(&Palisade::new(settings).protect(routes().public()).unwrap())
}

fn asks(path: &str, accept: &str) -> Request<Body> {
    Request::get(path)
        .header("accept", accept)
        .body(Body::empty())
        .unwrap()
}

const BROWSER: &str = "text/html,application/xhtml+xml,application/json;q=0.1,*/*;q=0.1";

#[tokio::test]
async fn a_panic_tells_the_client_a_number_and_the_log_the_rest() {
    for (path, told) in [("/panic", true), ("/panic/text", true), ("/panic/other", false)] {
        let (log, _guard) = Log::begin();
        let answer = site().get(path).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        let id = answer.header("x-request-id");
        assert_eq!(id.len(), 16);
        assert!(answer.text.contains(id), "{}", answer.text);
        assert!(
            !answer.text.contains("4711") && !answer.text.contains("panic"),
            "{}",
            answer.text
        );
        let lines = log.lines("palisade::access");
        assert_eq!(lines.len(), 1, "{}", log.text());
        assert!(
            lines[0].contains(&format!("id={id} ")) && lines[0].contains("status=500"),
            "{lines:?}"
        );
        assert_eq!(log.text().contains("4711"), told, "{}", log.text());
    }
    let next = site();
    next.get("/panic").await;
    assert_eq!(
        next.get("/").await.text,
        "hello",
        "one request's end, not the server's"
    );
}

#[tokio::test]
async fn a_client_that_hangs_up_is_in_the_log() {
    let (log, _guard) = Log::begin();
    let app = Palisade::new(settings())
        .protect(
            Router::new()
                .route("/slow", get(std::future::pending::<()>))
                .public(),
        )
        .unwrap();
    let client = Client::new(&app);
    let mut answer = Box::pin(client.send(Request::get("/slow").body(Body::empty()).unwrap()));
    assert!(futures_util::FutureExt::now_or_never(&mut answer).is_none());
    assert_eq!(log.lines("palisade::access"), [""; 0]);
    drop(answer);
    let lines = log.lines("palisade::access");
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [
        "status=499",
        "path=/slow",
        "client=192.0.2.7",
        "the client went away",
    ] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
}

#[tokio::test]
async fn a_refusal_is_logged_with_the_id_that_its_answer_has() {
    let client = site();
    let (log, _guard) = Log::begin();
    let (one, two) = (client.get("/refused").await, client.get("/refused").await);
    let lines = log.lines("palisade::rejection");
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (answer, line) in [one, two].iter().zip(&lines) {
        assert!(
            line.contains(&format!("id={}", answer.header("x-request-id"))),
            "{line}"
        );
    }
    drop(axum::response::IntoResponse::into_response(
        palisade::Rejection::forbidden("nobody's"),
    ));
    let lines = log.lines("palisade::rejection");
    assert!(!lines[2].contains("id="), "of no request: {}", lines[2]);
}

#[tokio::test]
async fn programs_get_json_and_browsers_a_page() {
    let client = site();
    for path in ["/refused", "/silent", "/nowhere", "/panic"] {
        for accept in [
            "application/json",
            "application/json, */*",
            "application/problem+json, application/json",
            "*/*",
            "image/avif,image/webp,*/*;q=0.8",
        ] {
            let answer = client.send(asks(path, accept)).await;
            assert_eq!(
                answer.header("content-type"),
                "application/problem+json",
                "{path} {accept}"
            );
            let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
            assert_eq!(json["title"], answer.status.canonical_reason().unwrap());
            assert_eq!(json["status"], answer.status.as_u16());
            assert_eq!(json["id"], answer.header("x-request-id"));
            assert_eq!(json["reason"], serde_json::Value::Null);
        }
        let line = client.send(asks(path, "text/plain")).await;
        assert_eq!(line.header("content-type"), "text/plain; charset=utf-8", "{path}");
        assert!(
            line.text.contains(line.header("x-request-id")) && !line.text.contains("<html"),
            "{}",
            line.text
        );
        for accept in [BROWSER, ""] {
            let answer = client.send(asks(path, accept)).await;
            assert_eq!(
                answer.header("content-type"),
                "text/html; charset=utf-8",
                "{path} {accept}"
            );
            assert!(answer.text.starts_with("<!doctype html>"));
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
}

#[tokio::test]
async fn reasons_are_shown_in_development_only_and_escaped() {
    let answer = site().get("/refused").await;
    assert!(!answer.text.contains("watch"), "{}", answer.text);
    assert!(answer.text.contains("Ask &lt;Ada&gt;."), "{}", answer.text);
    let client = debugging();
    let answer = client.get("/refused").await;
    assert!(
        answer.text.contains("&lt;b&gt;not&lt;/b&gt; on my watch"),
        "{}",
        answer.text
    );
    let answer = client.send(asks("/refused", "application/json")).await;
    let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(json["reason"], "<b>not</b> on my watch");
}

#[tokio::test]
async fn what_a_handler_says_itself_is_left_alone() {
    for client in [site(), debugging()] {
        assert_eq!(client.get("/own").await.text, "my own words");
        let silent = client.get("/own-empty").await;
        assert_eq!((silent.status, silent.text.as_str()), (StatusCode::NOT_FOUND, ""));
        let moved = client.get("/moved").await;
        assert_eq!((moved.status, moved.text.as_str()), (StatusCode::SEE_OTHER, ""));
    }
}

#[tokio::test]
async fn an_error_without_a_word_becomes_a_page() {
    let client = site();
    let answer = client.get("/nowhere/%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.text.contains("404 Not Found") && answer.text.contains(answer.header("x-request-id")));
    assert!(
        !answer.text.contains("script"),
        "nothing of the address stands on the page (CVE-2019-3498)"
    );
    let answer = client.get("/form").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "POST");
    assert!(answer.text.contains("405 Method Not Allowed"), "{}", answer.text);
}

#[tokio::test]
async fn a_site_may_have_its_own_page() {
    let page = ErrorPage::new(|trouble| format!("<main>Oh no: {} ({})</main>", trouble.title(), trouble.id));
    let client = Client::new(
        &Palisade::new(settings())
            .with_error_page(page)
            .protect(routes().public())
            .unwrap(),
    );
    let answer = client.get("/nowhere").await;
    assert_eq!(
        answer.text,
        format!(
            "<main>Oh no: Not Found ({})</main>",
            answer.header("x-request-id")
        )
    );
}

#[tokio::test]
async fn every_request_has_an_id_of_ours_and_one_line_in_the_log() {
    let (log, _guard) = Log::begin();
    let client = site();
    let mut ids = std::collections::HashSet::new();
    for path in [
        "/",
        "/nowhere",
        "/panic",
        "/refused",
        "/own",
        "/moved",
        "/?password=x",
    ] {
        let mut request = asks(path, "*/*");
        request
            .headers_mut()
            .insert("x-request-id", "chosen-by-the-client".parse().unwrap());
        let answer = client.send(request).await;
        let id = answer.header("x-request-id").to_owned();
        assert!(
            id.len() == 16 && id.bytes().all(|digit| digit.is_ascii_hexdigit()),
            "{id}"
        );
        let lines = log.lines("palisade::access");
        assert_eq!(lines.iter().filter(|line| line.contains(&id)).count(), 1);
        ids.insert(id);
    }
    assert_eq!((ids.len(), log.lines("palisade::access").len()), (7, 7));
    assert!(!log.text().contains("chosen-by-the-client"));
}

#[tokio::test]
async fn a_secret_in_the_query_is_refused_and_stands_nowhere() {
    let (log, _guard) = Log::begin();
    let names = SensitiveNames::default().with_names(["pin"]);
    for debug in [true, false] {
        let mut settings = settings();
        settings.debug = debug;
        let client = Client::new(
            &Palisade::new(settings)
                .with_sensitive_names(names.clone())
                .protect(routes().public())
                .unwrap(),
        );
        for query in [
            "password=OPENSESAME",
            "a=1&new_password2=OPENSESAME&b=2",
            "p%61ssword=OPENSESAME",
            "apiKey=OPENSESAME",
            "token=OPENSESAME",
            "pwd=OPENSESAME",
            "credentials=OPENSESAME",
            "pin=OPENSESAME",
            "PIN=OPENSESAME",
            "user%5Bpassword%5D=OPENSESAME",
        ] {
            let answer = client.get(&format!("/?{query}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
            assert!(
                !format!("{:?}{}", answer.headers, answer.text).contains("OPENSESAME"),
                "{query}"
            );
            assert!(!log.text().contains("OPENSESAME"), "{query}: {}", log.text());
        }
        assert_eq!(client.get("/?page=2&author=kim&q=password").await.text, "hello");
    }
}

#[tokio::test]
async fn nobody_writes_lines_of_their_own_into_the_log() {
    let (log, _guard) = Log::begin();
    let client = site();
    client
        .get("/a%0A2026-01-01 INFO forged%1B[2J".replace(' ', "%20").as_str())
        .await;
    let mut request = asks("/", "*/*");
    request
        .headers_mut()
        .insert("host", http::HeaderValue::from_bytes(b"evil\tforged").unwrap());
    assert_eq!(client.send(request).await.status, StatusCode::BAD_REQUEST);
    let request = Request::post("/form")
        .header("origin", "https://evil.example/\u{9b}forged")
        .body(Body::empty())
        .unwrap();
    assert_eq!(client.send(request).await.status, StatusCode::FORBIDDEN);
    assert!(
        log.text().lines().all(|line| line.contains("palisade::")),
        "{}",
        log.text()
    );
    assert!(
        log.text()
            .chars()
            .all(|letter| letter == '\n' || (' '..='~').contains(&letter)),
        "{}",
        log.text()
    );
}
