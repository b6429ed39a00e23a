//! A small site with a form, and what a browser on it would send.

use std::time::{Duration, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use http::Request;
use palisade::clock::Clock;
use palisade::csrf::CsrfToken;
use palisade::session::{MemorySessions, Session};
use palisade::{Palisade, Policies, Protected, Rejection, Router, Settings};

use crate::client::{Answer, Client, settings};

pub(crate) const OURS: (&str, &str) = ("origin", "https://example.com");
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

pub(crate) fn site(settings: Settings) -> Protected {
    let form = get(async |csrf: CsrfToken| csrf.masked())
        .post(async || "done")
        .put(async || "done")
        .delete(async || "done");
    let router = Router::new()
        .route("/form", form)
        .route("/quiet", get(async || "quiet"))
        .route("/echo", post(async |body: Bytes| body))
        .route("/short", post(async |body: Bytes| body).body_limit(100))
        .route(
            "/hook",
            post(async || "thanks").csrf_exempt("a test of exemption"),
        )
        .route("/keep", get(keep));
    Palisade::new(settings)
        .with_clock(Clock::fixed(UNIX_EPOCH + Duration::from_secs(1_700_000_000)))
        .with_sessions(MemorySessions::new())
        .protect(router.public())
        .unwrap()
}

pub(crate) async fn keep(session: Session) -> Result<&'static str, Rejection> {
    session.insert("cart", "apple").await?;
    Ok("kept")
}

/// Settings that show the reason.
pub(crate) fn open() -> Settings {
    let mut settings = settings();
    settings.debug = true;
    settings
}

pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("accept", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

/// `ok`, or the reason for the refusal.
pub(crate) fn verdict(answer: &Answer) -> String {
    if answer.status.is_success() {
        return "ok".to_owned();
    }
    let json: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
    format!("{} {}", answer.status.as_u16(), json["reason"].as_str().unwrap())
}

/// A browser that has the form, and its token.
pub(crate) async fn visitor(app: &Protected) -> (Client, String) {
    let client = Client::new(app);
    let token = client.get("/form").await.text;
    assert_eq!(token.len(), 64);
    (client, token)
}
