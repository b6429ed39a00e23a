//! What the server makes of requests, the honest and the crafted.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::routing::{any, get, post};
use http::{HeaderMap, Uri};
use palisade::serve::{Limits, Peer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

use crate::serve_site::{END_HEADERS, END_STREAM, HEADERS, Running, head, to_the_end, until, within};

const CLOSE: &str = "Host: localhost\r\nConnection: close\r\n\r\n";

fn mirror() -> Router {
    let show = |uri: Uri, headers: HeaderMap, Extension(peer): Extension<Peer>| async move {
        let mut text = format!(
            "uri={uri} tls={} loopback={}\n",
            peer.tls,
            peer.addr.ip().is_loopback()
        );
        for (name, value) in &headers {
            text.extend([name.as_str(), ": ", value.to_str().unwrap(), "\n"]);
        }
        text
    };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/mirror", any(show))
        .route(
            "/length",
            post(|body: String| async move { body.len().to_string() }),
        )
        .route("/panic", get(|| async { panic!("a handler's fault") as &str }))
}

async fn plain(request: &str) -> String {
    let site = Running::plain(mirror(), Limits::default()).await;
    to_the_end(&mut site.tcp().await, request).await
}

#[tokio::test]
async fn both_protocols_are_spoken_and_chosen_in_the_handshake() {
    let site = Running::tls(mirror(), Limits::default()).await;
    let mut first = site.https().await;
    assert_eq!(first.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let response = to_the_end(&mut first, &format!("GET / HTTP/1.1\r\n{CLOSE}")).await;
    assert!(
        response.starts_with("HTTP/1.1 200") && response.ends_with("hello"),
        "{response}"
    );

    let mut second = site.http2().await;
    for stream in [1, 3, 5] {
        second.request(stream, "/", &[]).await;
        assert_eq!(second.response(stream).await, (true, "hello".into()));
    }
}

#[tokio::test]
async fn a_connection_answers_many_requests_and_pipelined_ones() {
    let site = Running::tls(mirror(), Limits::default()).await;
    let mut stream = site.https().await;
    let one = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for _ in 0..3 {
        until(&mut stream, one, "hello").await;
    }
    let post = "POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345";
    let response = to_the_end(&mut stream, &format!("{one}{post}GET / HTTP/1.1\r\n{CLOSE}")).await;
    assert_eq!(response.matches("HTTP/1.1 200").count(), 3, "{response}");
}

#[tokio::test]
async fn an_http2_request_looks_like_an_http1_request() {
    let site = Running::tls(mirror(), Limits::default()).await;
    let mut client = site.http2().await;
    client
        .request(
            1,
            "/mirror?q",
            &[("cookie", "a=1"), ("cookie", "b=2"), ("x_sly", "1")],
        )
        .await;
    let (_, seen) = client.response(1).await;
    assert!(
        seen.starts_with("uri=/mirror?q tls=true loopback=true\n"),
        "{seen}"
    );
    assert!(
        seen.contains("host: localhost\n") && seen.contains("cookie: a=1; b=2\n"),
        "{seen}"
    );
    assert!(!seen.contains("x_sly"), "{seen}");
}

#[tokio::test]
async fn a_request_with_two_lengths_is_refused_and_the_connection_closed() {
    let smuggled = "GET /mirror HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for lines in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Transfer-Encoding: chunked\t\r\n",
        "Content-Length: 4\r\nContent-Length: 4\r\n",
    ] {
        let request = format!("POST /length HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n0\r\n\r\n{smuggled}");
        let response = plain(&request).await;
        assert!(response.starts_with("HTTP/1.1 400"), "{lines:?}: {response}");
        assert!(!response.contains("uri="), "{lines:?}: {response}");
    }
}

#[tokio::test]
async fn a_request_with_two_lengths_behind_a_good_one_is_refused() {
    let good = "POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
    let bad = "POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let response = plain(&format!("{good}{bad}")).await;
    assert!(response.contains("\r\n\r\n3HTTP/1.1 400"), "{response}");
}

#[tokio::test]
async fn nothing_is_read_behind_a_chunked_body() {
    let chunked =
        "POST /length HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let response = plain(&format!(
        "{chunked}GET /mirror HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ))
    .await;
    assert!(
        response.contains("200 OK") && response.ends_with("\r\n\r\n3"),
        "{response}"
    );
}

#[tokio::test]
async fn requests_without_one_clear_host_are_refused() {
    for request in [
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n",
    ] {
        let response = plain(request).await;
        assert!(
            response.starts_with("HTTP/1.1 400") || response.starts_with("HTTP/1.0 400"),
            "{request:?}: {response}"
        );
    }
}

#[tokio::test]
async fn an_http2_host_that_contradicts_the_authority_is_refused() {
    let site = Running::tls(mirror(), Limits::default()).await;
    let mut client = site.http2().await;
    client.request(1, "/", &[("host", "evil.example")]).await;
    assert!(!client.response(1).await.0);
}

#[tokio::test]
async fn trace_and_connect_are_refused() {
    let response = plain(&format!("TRACE /mirror HTTP/1.1\r\nCookie: secret=1\r\n{CLOSE}")).await;
    assert!(
        response.starts_with("HTTP/1.1 405") && !response.contains("secret"),
        "{response}"
    );
    let response = plain("CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 501"), "{response}");
}

#[tokio::test]
async fn a_header_name_with_an_underscore_does_not_arrive() {
    let response = plain(&format!(
        "GET /mirror HTTP/1.1\r\nX_Forwarded_Proto: https\r\nX-Ok: 1\r\n{CLOSE}"
    ))
    .await;
    assert!(
        response.contains("x-ok: 1") && !response.contains("forwarded"),
        "{response}"
    );
}

#[tokio::test]
async fn a_panicking_handler_does_not_take_the_server_along() {
    let site = Running::tls(mirror(), Limits::default()).await;
    let request = format!("GET /panic HTTP/1.1\r\n{CLOSE}");
    let response = to_the_end(&mut site.https().await, &request).await;
    assert!(response.starts_with("HTTP/1.1 500"), "{response}");
    assert!(
        !response.contains("panic"),
        "the page says nothing of the fault: {response}"
    );
    let response = to_the_end(&mut site.https().await, &format!("GET / HTTP/1.1\r\n{CLOSE}")).await;
    assert!(response.ends_with("hello"), "{response}");

    // Over HTTP/2 not even the connection is lost.
    let mut client = site.http2().await;
    client.request(1, "/panic", &[]).await;
    client.request(3, "/", &[]).await;
    assert_eq!(client.response(3).await, (true, "hello".into()));
}

#[tokio::test]
async fn uploads_arrive_over_both_protocols() {
    let site = Running::tls(mirror(), Limits::default()).await;
    let body = "x".repeat(300_000);
    let request = format!(
        "POST /length HTTP/1.1\r\nContent-Length: {}\r\n{CLOSE}{body}",
        body.len()
    );
    assert!(
        to_the_end(&mut site.https().await, &request)
            .await
            .ends_with("300000")
    );

    let mut client = site.http2().await;
    client
        .send(HEADERS, END_HEADERS, 1, &head("POST", "/length", &[]))
        .await
        .unwrap();
    client.send(0, 0, 1, &[b'x'; 16_000]).await.unwrap();
    client.send(0, END_STREAM, 1, &[b'x'; 8]).await.unwrap();
    assert_eq!(client.response(1).await, (true, "16008".into()));
}

#[tokio::test]
async fn a_client_that_expects_to_be_asked_for_its_body_is_asked() {
    let site = Running::plain(mirror(), Limits::default()).await;
    let mut stream = site.tcp().await;
    let head =
        "POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    until(&mut stream, head, "100 Continue").await;
    until(&mut stream, "abc", "\r\n\r\n3").await;
}

#[tokio::test]
async fn plain_http_is_only_redirected() {
    let site = Running::tls(mirror(), Limits::default()).await;
    let address = site.redirect.unwrap();
    let ask =
        async |request: String| to_the_end(&mut TcpStream::connect(address).await.unwrap(), &request).await;

    let response = ask("GET /mirror?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n".into()).await;
    assert!(response.starts_with("HTTP/1.1 301"), "{response}");
    let location = format!(
        "location: https://localhost:{}/mirror?a=b\r\n",
        site.address.port()
    );
    assert!(response.contains(&location), "{response}");

    let post = "POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody";
    assert!(
        ask(post.into()).await.starts_with("HTTP/1.1 403"),
        "what was sent in clear is not sent on"
    );
    assert!(
        ask("GET / HTTP/1.1\r\nHost: evil.invalid\r\n\r\n".into())
            .await
            .starts_with("HTTP/1.1 400")
    );
    let with_session = "GET / HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid=1\r\n\r\n";
    assert!(ask(with_session.into()).await.starts_with("HTTP/1.1 403"));
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_is_not_missed() {
    let site = Running::plain(mirror(), Limits::default()).await;
    let mut stream = site.tcp().await;
    stream
        .write_all(b"POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc")
        .await
        .unwrap();
    drop(stream);
    let mut next = site.tcp().await;
    next.write_all(format!("GET / HTTP/1.1\r\n{CLOSE}").as_bytes())
        .await
        .unwrap();
    let mut text = String::new();
    within(next.read_to_string(&mut text)).await.unwrap();
    assert!(text.ends_with("hello"));
}

/// Tells how a handler ended.
struct Told {
    events: mpsc::UnboundedSender<&'static str>,
    end: &'static str,
}

impl Drop for Told {
    fn drop(&mut self) {
        let _nobody_listens = self.events.send(self.end);
    }
}

#[tokio::test]
async fn a_change_is_made_to_its_end_though_its_client_is_gone_and_a_page_is_not() {
    let (events, mut told) = mpsc::unbounded_channel();
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let handler = move || {
        let (events, opened) = (events.clone(), Arc::clone(&opened));
        async move {
            let mut told = Told {
                events,
                end: "dropped",
            };
            told.events.send("begun").unwrap();
            opened.notified().await;
            told.end = "done";
        }
    };
    let site = Running::plain(Router::new().route("/", any(handler)), Limits::default()).await;
    for (method, first) in [("GET", "dropped"), ("POST", "done"), ("DELETE", "done")] {
        let mut client = site.tcp().await;
        let request = format!("{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(within(told.recv()).await, Some("begun"));
        drop(client);
        if first == "done" {
            // Whoever is dropped with the connection is dropped now, before the gate opens.
            let dropped = tokio::time::timeout(Duration::from_millis(500), told.recv()).await;
            assert!(dropped.is_err(), "{method} ended with its client: {dropped:?}");
            gate.notify_one();
        }
        assert_eq!(within(told.recv()).await, Some(first), "{method}");
    }
}
