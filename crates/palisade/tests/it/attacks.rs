//! What a hostile review of the whole stack tried, each as a test that fails where the answer is taken out.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::response::Redirect;
use axum::routing::{get, post};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::header::{CONTENT_TYPE, COOKIE, HOST, ORIGIN, REFERER};
use http::{HeaderValue, Request, StatusCode};
use palisade::auth::Next;
use palisade::csrf::CsrfToken;
use palisade::redact::SensitiveNames;
use palisade::serve::{Peer, PlainDoor};
use palisade::session::{Session, SessionError, SqliteSessions};
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Protected, Router};
use tracing_subscriber::fmt::MakeWriter;

use crate::client::{Client, settings};

fn palisade(database: &Sqlite) -> Palisade {
    Palisade::new(settings())
        .with_sessions(SqliteSessions::new(database.clone()).unwrap())
        .with_sensitive_names(SensitiveNames::default().with_names(["pin"]))
}

fn app(database: &Sqlite) -> Protected {
    let next = async |next: Next| Redirect::to(&next.or_default(None, "/"));
    palisade(database)
        .protect(
            Router::new()
                .route("/", get(async |_: CsrfToken| "form").post(async || "done"))
                .route("/next", get(next))
                .route("/count", get(count))
                .public(),
        )
        .unwrap()
}

async fn count(session: Session) -> Result<String, SessionError> {
    let visits = session.update("visits", |visits: &mut u32| *visits += 1);
    visits.await?;
    Ok(session
        .get::<u32>("visits")
        .await?
        .unwrap_or_default()
        .to_string())
}

fn with_foreign_cookie(client: &Client, request: http::request::Builder) -> Request<Body> {
    let mut cookies = b"theme=d\xc3\xa4mmerig; name=\xe9; \xc2\xa0sessionid=planted1".to_vec();
    for name in ["csrftoken", "sessionid"] {
        if let Some(value) = client.cookie(name) {
            let at = format!("{name}={value}; ").into_bytes();
            cookies.splice(0..0, at);
        }
    }
    let cookies = HeaderValue::from_bytes(&cookies).unwrap();
    request.header(COOKIE, cookies).body(Body::empty()).unwrap()
}

/// One cookie of another page or a sibling domain must not hide those of this site.
#[tokio::test]
async fn cookie_that_is_not_ascii_hides_no_other_cookie() {
    let app = app(&Sqlite::in_memory().unwrap());
    let client = Client::new(&app);
    client.get("/").await;
    assert_eq!(client.get("/count").await.text, "1");
    let counting = with_foreign_cookie(&client, Request::get("/count"));
    assert_eq!(Client::new(&app).send(counting).await.text, "2");
    let posting = Request::post("/")
        .header(ORIGIN, "https://example.com")
        .header("x-csrftoken", client.cookie("csrftoken").unwrap());
    let posting = with_foreign_cookie(&client, posting);
    assert_eq!(Client::new(&app).send(posting).await.text, "done");
}

#[tokio::test]
async fn session_sent_in_clear_beside_a_cookie_that_is_not_ascii_is_revoked_all_the_same() {
    let database = Sqlite::in_memory().unwrap();
    let app = app(&database);
    let client = Client::new(&app);
    assert_eq!(client.get("/count").await.text, "1");
    let mut plain = with_foreign_cookie(&client, Request::get("/count").header(HOST, "example.com"));
    plain.extensions_mut().insert(Peer {
        addr: SocketAddr::from(([192, 0, 2, 7], 4711)),
        tls: false,
    });
    plain.extensions_mut().insert(PlainDoor { https_port: 443 });
    assert_eq!(Client::new(&app).send(plain).await.status, StatusCode::FORBIDDEN);
    while sessions(&database) > 0 {
        tokio::task::yield_now().await;
    }
}

fn sessions(database: &Sqlite) -> u32 {
    let count =
        database.read(|reader| reader.one("SELECT count(*) FROM django_session", [], |row| row.get(0)));
    count.unwrap().unwrap()
}

/// A login that ends in a 500 is no login: whoever wrote the link would keep people out.
#[tokio::test]
async fn next_with_control_characters_leads_there_quoted() {
    let client = Client::new(&app(&Sqlite::in_memory().unwrap()));
    for (asked, location) in [
        ("/a%0Ab", "/a%0Ab"),
        ("/a%0D%0AX-Evil:1", "/a%0D%0AX-Evil:1"),
        ("/%00", "/%00"),
        ("/a%7Fb", "/a%7Fb"),
        ("/%C3%A9", "/%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("/%09/evil.example", "/"),
    ] {
        let answer = client.get(&format!("/next?next={asked}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{asked}");
        assert_eq!(answer.header("location"), location, "{asked}");
    }
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn what_is_refused_as_a_secret_is_not_logged_as_one() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let client = Client::new(&app(&Sqlite::in_memory().unwrap()));
    let _listening = tracing::subscriber::set_default(subscriber);
    for query in [
        "pwd=t0psecret",
        "credentials=t0psecret",
        "pin=t0psecret",
        "PIN=t0psecret",
    ] {
        assert_eq!(
            client.get(&format!("/?{query}")).await.status,
            StatusCode::BAD_REQUEST,
            "{query}"
        );
    }
    let from_a_reset_link = Request::post("/")
        .header(REFERER, "https://elsewhere.example/reset?token=t0psecret&page=2")
        .body(Body::empty());
    let refused = client.send(from_a_reset_link.unwrap()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("pwd=") && logged.contains("elsewhere.example"),
        "{logged}"
    );
    assert!(!logged.contains("t0psecret"), "{logged}");
}

/// Memory that is given back when it is dropped, and tells so.
struct Piece(#[expect(dead_code, reason = "it is counted")] Arc<()>);

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        b"a"
    }
}

/// Each frame holds on to what came from the network with it: a form in a million of them took a hundred times its length.
#[tokio::test]
async fn form_in_many_tiny_frames_is_not_kept_in_frames() {
    let database = Sqlite::in_memory().unwrap();
    let router = Router::new()
        .route("/", get(async |_: CsrfToken| "form"))
        .route("/form", post(async |body: Bytes| body.len().to_string()));
    let client = Client::new(&palisade(&database).protect(router.public()).unwrap());
    client.get("/").await;
    let frames = Arc::new(());
    let most = Arc::new(AtomicUsize::new(0));
    let pieces = stream::iter(0..1000).map({
        let most = Arc::clone(&most);
        move |_| {
            most.fetch_max(Arc::strong_count(&frames), Ordering::Relaxed);
            Ok::<_, io::Error>(Bytes::from_owner(Piece(Arc::clone(&frames))))
        }
    });
    let request = Request::post("/form")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ORIGIN, "https://example.com")
        .header("x-csrftoken", client.cookie("csrftoken").unwrap())
        .body(Body::from_stream(pieces));
    assert_eq!(client.send(request.unwrap()).await.text, "1000");
    assert!(most.load(Ordering::Relaxed) < 10, "{most:?} frames at a time");
}
