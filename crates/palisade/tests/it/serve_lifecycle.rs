//! How a server goes through hard times, and how it stops.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use palisade::serve::Limits;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::serve_site::{GOAWAY, Running, rest, to_the_end, until, within};

const HELLO: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const WAIT: &str = "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A handler that says when it has begun, and ends when told.
#[derive(Clone, Default)]
struct Gate {
    begun: Arc<Notify>,
    end: Arc<Notify>,
}

fn router(gate: &Gate) -> Router {
    let wait = |State(gate): State<Gate>| async move {
        gate.begun.notify_one();
        gate.end.notified().await;
        "finished"
    };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/wait", get(wait))
        .with_state(gate.clone())
}

async fn refused(site: &Running) {
    within(async {
        while TcpStream::connect(site.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_takes_nothing_new() {
    let gate = Gate::default();
    let mut site = Running::tls(router(&gate), Limits::default()).await;
    let mut stream = site.https().await;
    stream.write_all(WAIT.as_bytes()).await.unwrap();
    within(gate.begun.notified()).await;

    site.stop();
    refused(&site).await;
    assert!(!site.done.is_finished(), "a request is in flight");
    gate.end.notify_one();
    let response = rest(&mut stream).await;
    assert!(response.ends_with("finished"), "{response}");
    within(&mut site.done).await.unwrap();
}

#[tokio::test]
async fn a_stop_tells_http2_clients_and_finishes_their_requests() {
    let gate = Gate::default();
    let mut site = Running::tls(router(&gate), Limits::default()).await;
    let mut client = site.http2().await;
    client.request(1, "/wait", &[]).await;
    within(gate.begun.notified()).await;

    site.stop();
    while client.frame().await.expect("a GOAWAY").kind != GOAWAY {}
    gate.end.notify_one();
    assert_eq!(client.response(1).await, (true, "finished".into()));
    within(&mut site.done).await.unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_idle_or_silent_clients() {
    let gate = Gate::default();
    let mut site = Running::tls(router(&gate), Limits::default()).await;
    let mut idle = site.https().await;
    until(&mut idle, HELLO, "hello").await;
    let _no_handshake = site.tcp().await;
    let _no_request = site.https().await;
    site.stop();
    assert_eq!(rest(&mut idle).await, "");
    within(&mut site.done).await.unwrap();
}

#[tokio::test]
async fn a_stop_drops_what_does_not_finish_in_time() {
    let gate = Gate::default();
    let limits = Limits::default().with_drain(Duration::from_millis(100));
    let mut site = Running::tls(router(&gate), limits).await;
    let mut stream = site.https().await;
    stream.write_all(WAIT.as_bytes()).await.unwrap();
    within(gate.begun.notified()).await;
    site.stop();
    within(&mut site.done).await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_dropped_server_leaves_no_connection_behind() {
    let gate = Gate::default();
    let site = Running::tls(router(&gate), Limits::default()).await;
    let mut stream = site.https().await;
    until(&mut stream, HELLO, "hello").await;
    site.done.abort();
    assert_eq!(rest(&mut stream).await, "");
}

/// Runs this very test again in a process that may open few files, so that no other test suffers.
#[test]
fn a_server_without_file_descriptors_goes_on_when_they_come_back() {
    const INSIDE: &str = "PALISADE_TEST_FEW_FILES";
    if std::env::var_os(INSIDE).is_none() {
        let test = "serve_lifecycle::a_server_without_file_descriptors_goes_on_when_they_come_back";
        let output = Command::new("sh")
            .args(["-c", "ulimit -n 40 && exec \"$0\" \"$1\" --exact --nocapture"])
            .arg(std::env::current_exe().unwrap())
            .arg(test)
            .env(INSIDE, "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}{:?}",
            output.stderr
        );
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let site = Running::plain(router(&Gate::default()), Limits::default()).await;
        let mut clients = Vec::new();
        // Each client takes one descriptor here and one in the server, until the server has none left.
        while let Ok(client) = TcpStream::connect(site.address).await {
            clients.push(client);
            tokio::task::yield_now().await;
        }
        assert!(clients.len() < 40);
        drop(clients);
        let response = to_the_end(
            &mut within(async {
                loop {
                    if let Ok(stream) = TcpStream::connect(site.address).await {
                        return stream;
                    }
                    tokio::task::yield_now().await;
                }
            })
            .await,
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        )
        .await;
        assert!(response.ends_with("hello"), "{response}");
    });
}
