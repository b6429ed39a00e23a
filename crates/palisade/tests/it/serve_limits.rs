//! Clients that take too much: each is cut, and without its limit each test waits in vain.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::routing::{get, post};
use futures_util::stream;
use palisade::serve::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use crate::log::Log;
use crate::serve_site::{
    END_HEADERS, END_STREAM, GOAWAY, HEADERS, Http2, PING, RST_STREAM, Running, SETTINGS, frame, head, rest,
    to_the_end, until, within,
};

const SHORT: Duration = Duration::from_millis(100);
const HELLO: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn site() -> Router {
    let upload = |body: Result<Bytes, axum::extract::rejection::BytesRejection>| async move {
        match body {
            Ok(body) => body.len().to_string(),
            Err(error) => {
                let mut text = String::new();
                let mut error: Option<&dyn std::error::Error> = Some(&error);
                while let Some(cause) = error {
                    text.extend([cause.to_string().as_str(), "; "]);
                    error = cause.source();
                }
                text
            }
        }
    };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/never", get(std::future::pending::<()>))
        .route("/upload", post(upload))
}

#[tokio::test]
async fn a_client_that_does_not_shake_hands_is_cut() {
    let site = Running::tls(site(), Limits::default().with_handshake(SHORT)).await;
    let mut silent = site.tcp().await;
    assert_eq!(rest(&mut silent).await, "");
    let mut half = site.tcp().await;
    half.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
        .await
        .unwrap();
    rest(&mut half).await;
}

#[tokio::test]
async fn a_stalled_handshake_holds_up_nobody_else() {
    let site = Running::tls(site(), Limits::default()).await;
    let _silent = [site.tcp().await, site.tcp().await, site.tcp().await];
    until(&mut within(site.https()).await, HELLO, "hello").await;
}

#[tokio::test]
async fn a_head_that_trickles_is_cut_although_bytes_keep_coming() {
    let site = Running::tls(site(), Limits::default().with_header(SHORT)).await;
    for warm in [false, true] {
        let mut stream = site.https().await;
        if warm {
            until(&mut stream, HELLO, "hello").await;
        }
        let (mut reader, mut writer) = tokio::io::split(stream);
        let trickle = tokio::spawn(async move {
            let _ = writer
                .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
                .await;
            let mut clock = tokio::time::interval(Duration::from_millis(10));
            while writer.write_all(b"a").await.is_ok() && writer.flush().await.is_ok() {
                clock.tick().await;
            }
        });
        assert_eq!(rest(&mut reader).await, "");
        trickle.abort();
    }
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let site = Running::tls(site(), Limits::default().with_idle(SHORT)).await;
    let mut stream = site.https().await;
    until(&mut stream, HELLO, "hello").await;
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn pings_do_not_keep_an_http2_connection() {
    let site = Running::tls(site(), Limits::default().with_idle(SHORT)).await;
    let Http2 { stream } = site.http2().await;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let pings = tokio::spawn(async move {
        let mut clock = tokio::time::interval(Duration::from_millis(10));
        let ping = frame(PING, 0, 0, &[0; 8]);
        while writer.write_all(&ping).await.is_ok() && writer.flush().await.is_ok() {
            clock.tick().await;
        }
    });
    let mut bytes = Vec::new();
    let _ = within(reader.read_to_end(&mut bytes)).await;
    pings.abort();
}

#[tokio::test]
async fn an_http2_client_that_never_begins_is_cut() {
    let site = Running::tls(site(), Limits::default().with_header(SHORT)).await;
    let mut client = site.http2().await.stream;
    // The preface alone is a beginning; half of one is not.
    client.shutdown().await.unwrap();
    let roots = site.roots();
    let mut half = crate::serve_site::connect(site.address, roots, &[b"h2"], &[&rustls::version::TLS13])
        .await
        .unwrap();
    half.write_all(b"PRI * HTTP").await.unwrap();
    rest(&mut half).await;
}

#[tokio::test]
async fn an_http2_head_that_trickles_is_cut() {
    let site = Running::tls(site(), Limits::default().with_header(SHORT)).await;
    let mut client = site.http2().await;
    client.request(1, "/never", &[]).await;
    let (mut reader, mut writer) = tokio::io::split(client.stream);
    let trickle = tokio::spawn(async move {
        let mut clock = tokio::time::interval(Duration::from_millis(10));
        // The head of a HEADERS frame of 16,000 bytes, and then a byte at a time: h2 itself only counts frames.
        let _ = writer
            .write_all(&frame(HEADERS, END_HEADERS | END_STREAM, 3, &[0; 16_000])[..9])
            .await;
        while writer.write_all(&[0x82]).await.is_ok() && writer.flush().await.is_ok() {
            clock.tick().await;
        }
    });
    let _ = within(reader.read_to_end(&mut Vec::new())).await;
    trickle.abort();
}

#[tokio::test]
async fn floods_of_frames_without_requests_end_the_connection() {
    let site = Running::tls(site(), Limits::default()).await;
    let floods = [
        frame(PING, 0, 0, &[0; 8]),
        frame(SETTINGS, 0, 0, &[]),
        frame(2, 0, 1, &[0, 0, 0, 0, 1]),
    ];
    for flood in floods {
        let Http2 { stream } = site.http2().await;
        let (mut reader, mut writer) = tokio::io::split(stream);
        let flood = flood.repeat(100);
        let sending = tokio::spawn(async move {
            while writer.write_all(&flood).await.is_ok() && writer.flush().await.is_ok() {}
        });
        let _ = within(reader.read_to_end(&mut Vec::new())).await;
        sending.abort();
    }
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_given_up() {
    let limits = Limits::default().with_body_rate(1000, SHORT);
    let site = Running::tls(site(), limits).await;
    let mut stream = site.https().await;
    let head = "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n0123456789";
    let response = to_the_end(&mut stream, head).await;
    assert!(response.contains("came too slowly"), "{response}");

    let mut client = site.http2().await;
    client
        .send(
            HEADERS,
            END_HEADERS,
            1,
            &crate::serve_site::head("POST", "/upload", &[]),
        )
        .await
        .unwrap();
    assert!(client.response(1).await.1.contains("came too slowly"));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_or_broken_off() {
    let site = Running::plain(site(), Limits::default().with_body_bytes(100)).await;
    let declared = "POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 101\r\n\r\n";
    let response = to_the_end(&mut site.tcp().await, declared).await;
    assert!(response.starts_with("HTTP/1.1 413"), "{response}");
    let body = "a".repeat(101);
    let found = format!(
        "POST /upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n{body}\r\n0\r\n\r\n"
    );
    let response = to_the_end(&mut site.tcp().await, &found).await;
    assert!(response.contains("larger than 100 bytes"), "{response}");
    let fits = found.replace("65\r\na", "64\r\n");
    assert!(
        to_the_end(&mut site.tcp().await, &fits)
            .await
            .ends_with("\r\n\r\n100")
    );
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let site = Running::tls(site(), Limits::default().with_header_bytes(4096)).await;
    let large = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: {}\r\n\r\n",
        "a".repeat(5000)
    );
    let response = to_the_end(&mut site.https().await, &large).await;
    assert!(response.starts_with("HTTP/1.1 431"), "{response}");
    let many = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
        "X-A: 1\r\n".repeat(120)
    );
    let response = to_the_end(&mut site.https().await, &many).await;
    assert!(response.starts_with("HTTP/1.1 431"), "{response}");
    let mut client = site.http2().await;
    client.request(1, "/", &[("x-a", "1"); 120]).await;
    assert!(!client.response(1).await.0);
}

#[tokio::test]
async fn a_handler_that_never_answers_is_given_up() {
    let site = Running::tls(site(), Limits::default().with_request(SHORT)).await;
    let response = to_the_end(
        &mut site.https().await,
        "GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n",
    )
    .await;
    assert!(response.starts_with("HTTP/1.1 503"), "{response}");
    let mut client = site.http2().await;
    client.request(1, "/never", &[]).await;
    assert!(!client.response(1).await.0);
    client.request(3, "/", &[]).await;
    assert!(client.response(3).await.0);
}

#[tokio::test]
async fn a_request_that_is_given_up_is_one_line_in_the_log_with_the_status_and_the_id_that_were_sent() {
    let site = Running::tls(site(), Limits::default().with_request(SHORT)).await;
    let (log, _guard) = Log::begin();
    let response = to_the_end(
        &mut site.https().await,
        "GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n",
    )
    .await;
    let (_, rest) = response.split_once("x-request-id: ").unwrap();
    let id = rest.lines().next().unwrap();
    let lines = log.lines("palisade::access");
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [
        "status=503",
        "path=/never",
        &format!("id={id}"),
        "no answer within",
    ] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    assert!(!log.text().contains("499"), "{}", log.text());
}

/// Notifies when a response's body is dropped.
struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// How many chunks of 16 KiB a response has at most: far more than all buffers between server and client.
const CHUNKS: usize = 4000;

#[derive(Clone, Default)]
struct Source {
    taken: Arc<AtomicUsize>,
    dropped: Arc<Notify>,
}

fn large(source: &Source) -> Router {
    let large = |State(source): State<Source>| async move {
        let guard = Dropped(source.dropped);
        let chunks = (0..CHUNKS).map(move |_| {
            let _held = &guard;
            source.taken.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 16 * 1024]))
        });
        Body::from_stream(stream::iter(chunks))
    };
    Router::new()
        .route("/large", get(large))
        .with_state(source.clone())
}

#[tokio::test]
async fn a_client_that_asks_and_does_not_read_is_cut() {
    let source = Source::default();
    let site = Running::tls(large(&source), Limits::default().with_stall(SHORT)).await;
    let mut stream = site.https().await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    within(source.dropped.notified()).await;
    assert!(
        source.taken.load(Ordering::Relaxed) < CHUNKS,
        "the response was buffered whole"
    );
}

#[tokio::test]
async fn an_http2_client_that_gives_no_window_is_cut() {
    let source = Source::default();
    let site = Running::tls(large(&source), Limits::default().with_stall(SHORT)).await;
    let mut client = site.http2().await;
    client.request(1, "/large", &[]).await;
    // Everything is read, only the window is never opened again.
    while client.frame().await.is_some() {}
    within(source.dropped.notified()).await;
    assert!(
        source.taken.load(Ordering::Relaxed) < CHUNKS,
        "the response was buffered whole"
    );
}

#[tokio::test]
async fn a_slow_but_steady_reader_is_served() {
    let body = || async { vec![b'x'; 3_000_000] };
    let router = Router::new().route("/large", get(body));
    let limits = Limits::default()
        .with_stall(Duration::from_millis(500))
        .with_idle(Duration::from_millis(500));
    let site = Running::tls(router, limits).await;
    let mut stream = site.https().await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let (mut total, mut buffer) = (0, vec![0; 16 * 1024]);
    let mut clock = tokio::time::interval(Duration::from_millis(5));
    loop {
        clock.tick().await;
        match within(stream.read(&mut buffer)).await.unwrap() {
            0 => break,
            bytes => total += bytes,
        }
    }
    assert!(total > 3_000_000, "{total}");
}

#[tokio::test]
async fn one_address_has_only_so_many_connections() {
    let limits = Limits::default().with_connections_per_address(2);
    let site = Running::tls(site(), limits).await;
    let mut first = site.https().await;
    let mut second = site.https().await;
    assert_eq!(rest(&mut site.tcp().await).await, "");
    until(&mut first, HELLO, "hello").await;
    until(&mut second, HELLO, "hello").await;
    drop(first);
    // The place comes back once the server has seen the connection end.
    within(async {
        while crate::serve_site::connect(
            site.address,
            site.roots(),
            &[b"http/1.1"],
            &[&rustls::version::TLS13],
        )
        .await
        .is_err()
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let site = Running::plain(site(), Limits::default().with_connections(1)).await;
    let mut first = site.tcp().await;
    until(&mut first, HELLO, "hello").await;
    let mut second = site.tcp().await;
    second.write_all(HELLO.as_bytes()).await.unwrap();
    let waits = tokio::time::timeout(SHORT, second.read_u8()).await;
    assert!(waits.is_err(), "the only place is taken");
    drop(first);
    until(&mut second, "", "hello").await;
}

#[tokio::test]
async fn requests_opened_and_taken_back_in_a_burst_end_the_connection() {
    let site = Running::tls(site(), Limits::default().with_resets(50)).await;
    let mut client = site.http2().await;
    // Each request is begun before it is taken back, which h2's own limit on unaccepted resets does not see.
    let mut open = true;
    for stream in (1..4000).step_by(2) {
        let sent = async {
            client
                .send(
                    HEADERS,
                    END_HEADERS | END_STREAM,
                    stream,
                    &head("GET", "/never", &[]),
                )
                .await?;
            client.send(PING, 0, 0, &[0; 8]).await
        };
        if sent.await.is_err() {
            open = false;
            break;
        }
        // The answer to the ping shows that the request was accepted.
        open = loop {
            match client.frame().await {
                None => break false,
                Some(frame) if frame.kind == GOAWAY => break false,
                Some(frame) if frame.kind == PING => break true,
                Some(_) => {}
            }
        };
        if !open || client.send(RST_STREAM, 0, stream, &[0, 0, 0, 8]).await.is_err() {
            open = false;
            break;
        }
    }
    assert!(!open, "2000 requests were taken back on one connection");
}

#[tokio::test]
async fn an_http2_connection_offers_only_so_many_streams() {
    let site = Running::tls(site(), Limits::default().with_streams(7)).await;
    let mut client = site.http2().await;
    let settings = loop {
        let frame = client.frame().await.unwrap();
        if frame.kind == SETTINGS && frame.flags == 0 {
            break frame.payload;
        }
    };
    // SETTINGS_MAX_CONCURRENT_STREAMS is 3.
    assert!(
        settings.chunks(6).any(|setting| setting == [0, 3, 0, 0, 0, 7]),
        "{settings:?}"
    );
}
