//! The defects found in peers (D1–D12), each as a test that fails where the defence is taken out.

use std::sync::Arc;

use axum::body::Body;
use axum::routing::{get, post};
use http::{Request, StatusCode};
use palisade::auth::{Auth, LoggedIn, LoginStep, NewUser, SqliteUsers};
use palisade::core::settings::ProxyHeader;
use palisade::session::{Session, SessionError, SessionStore, SqliteSessions};
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Policies, Protected, Rejection, Router, Sensitive, Settings};
use tokio::sync::Barrier;

use crate::client::{Client, settings};
use crate::flaky::Flaky;
use crate::log::Log;

/// An application whose handlers do what the peers' defects need, on real SQLite.
struct App {
    palisade: Palisade,
    meeting: Arc<Barrier>,
}

impl App {
    fn on(store: impl SessionStore) -> Self {
        let users = SqliteUsers::new(Sqlite::in_memory().unwrap()).unwrap();
        let palisade = Palisade::new(settings()).with_sessions(store).with_users(users);
        Self {
            palisade,
            meeting: Arc::new(Barrier::new(2)),
        }
    }

    fn new() -> Self {
        Self::on(SqliteSessions::new(Sqlite::in_memory().unwrap()).unwrap())
    }

    fn protected(&self) -> Protected {
        let meeting = Arc::clone(&self.meeting);
        let slow_set =
            move |session: Session,
                  axum::extract::Path((key, value)): axum::extract::Path<(String, String)>| {
                let meeting = Arc::clone(&meeting);
                async move {
                    // Both requests have read the session before either writes it.
                    session.get::<String>("anything").await?;
                    meeting.wait().await;
                    meeting.wait().await;
                    session.insert(&key, &value).await?;
                    Ok::<_, SessionError>("set")
                }
            };
        let router = Router::new()
            .route("/set/{key}/{value}", get(set))
            .route("/slow-set/{key}/{value}", get(slow_set))
            .route("/show", get(show))
            .route("/count", get(count))
            .route("/log-out", get(log_out))
            .route("/log-in/{name}", get(log_in))
            .route("/log-in-and-fail/{name}", get(log_in_and_fail))
            .route("/who", get(who))
            .route(
                "/form",
                get(async |csrf: palisade::csrf::CsrfToken| csrf.masked()),
            )
            .route(
                "/upload",
                post(async |body: axum::body::Bytes| format!("{} bytes", body.len())),
            )
            .route(
                "/hook",
                post(async || "thanks").csrf_exempt("a test of exemption"),
            );
        self.palisade.protect(router.public()).unwrap()
    }
}

async fn set(
    session: Session,
    axum::extract::Path((key, value)): axum::extract::Path<(String, String)>,
) -> Result<&'static str, SessionError> {
    session.insert(&key, &value).await?;
    Ok("set")
}

async fn show(session: Session) -> Result<String, SessionError> {
    let mut lines = Vec::new();
    for key in session
        .keys()
        .await?
        .into_iter()
        .filter(|key| !key.starts_with('_'))
    {
        lines.push(format!(
            "{key}={}",
            session.get::<String>(&key).await?.unwrap_or_default()
        ));
    }
    lines.sort();
    Ok(lines.join(" "))
}

async fn count(session: Session) -> Result<String, SessionError> {
    Ok(session
        .update("n", |n: &mut u32| {
            *n += 1;
            *n
        })
        .await?
        .to_string())
}

async fn log_in(
    auth: Auth,
    axum::extract::Path(name): axum::extract::Path<String>,
) -> Result<&'static str, Rejection> {
    let internal = |error: &dyn std::error::Error| Rejection::internal(error.to_string());
    let found = auth.users().store().by_username(&name).await;
    let user = if let Some(user) = found.map_err(|error| internal(&error))? {
        user
    } else {
        let new = NewUser {
            username: name,
            ..NewUser::default()
        };
        let password = Sensitive::new("a fine long passphrase".to_owned());
        let signed_up = auth.sign_up(new, &password).await;
        signed_up.map_err(|error| internal(&error))?
    };
    assert_eq!(auth.login(&user).await?, LoginStep::Done);
    Ok("in")
}

async fn log_in_and_fail(auth: Auth, name: axum::extract::Path<String>) -> Result<&'static str, Rejection> {
    log_in(auth, name).await?;
    Err(Rejection::internal("the handler failed after the login"))
}

async fn log_out(auth: Auth) -> Result<&'static str, Rejection> {
    auth.logout().await?;
    Ok("out")
}

async fn who(user: Option<LoggedIn>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.username.clone())
}

#[tokio::test]
async fn d1_concurrent_requests_that_set_different_keys_both_keep_theirs() {
    let app = App::new().protected();
    let client = Client::new(&app);
    client.get("/set/begin/yes").await;
    let (cart, theme) = tokio::join!(
        client.get("/slow-set/cart/apple"),
        client.get("/slow-set/theme/dark")
    );
    assert_eq!((cart.status, theme.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(client.get("/show").await.text, "begin=yes cart=apple theme=dark");
}

#[tokio::test(flavor = "multi_thread")]
async fn d1_concurrent_counts_are_all_counted() {
    let app = App::new().protected();
    let client = Client::new(&app);
    client.get("/count").await;
    let requests = (0..200).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.get("/count").await.status })
    });
    for status in futures_util::future::join_all(requests).await {
        assert_eq!(status.unwrap(), StatusCode::OK);
    }
    assert_eq!(client.get("/count").await.text, "202");
}

#[tokio::test]
async fn d2_d5_d8_a_request_in_flight_during_logout_neither_resurrects_the_session_nor_pretends_to_have_saved()
 {
    let app = App::new();
    let client = Client::new(&app.protected());
    client.get("/set/begin/yes").await;
    let thief = client.thief();
    let other = client.thief();
    let slow = tokio::spawn(async move { other.get("/slow-set/cart/apple").await });
    app.meeting.wait().await; // the slow request has read the session
    assert_eq!(client.get("/log-out").await.text, "out");
    app.meeting.wait().await; // and now writes it
    let interrupted = slow.await.unwrap();
    assert_eq!(
        interrupted.status,
        StatusCode::BAD_REQUEST,
        "the request is told that its session is gone"
    );
    assert!(
        !interrupted.header("set-cookie").contains("sessionid=")
            || interrupted.header("set-cookie").contains("Max-Age=0")
    );
    assert_eq!(thief.get("/show").await.text, "", "the old key is worth nothing");
}

#[tokio::test]
async fn d3_a_login_whose_handler_fails_loses_nothing() {
    let app = App::new().protected();
    let client = Client::new(&app);
    client.get("/set/cart/apple").await;
    let before = client.cookie("sessionid");
    assert_eq!(
        client.get("/log-in-and-fail/ada").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(client.cookie("sessionid"), before);
    assert_eq!(client.get("/show").await.text, "cart=apple");
    assert_eq!(client.get("/who").await.text, "nobody");
}

#[tokio::test]
async fn d4_another_users_login_begins_a_new_session_without_the_first_ones_data() {
    let app = App::new().protected();
    let client = Client::new(&app);
    client.get("/set/cart/apple").await;
    let anonymous = client.cookie("sessionid");
    client.get("/log-in/ada").await;
    let adas = client.cookie("sessionid");
    assert_ne!(anonymous, adas, "a login moves the session to a new key");
    assert_eq!(
        client.get("/show").await.text,
        "cart=apple",
        "what a visitor put in stays"
    );
    let thief = client.thief();
    client.get("/log-in/bob").await;
    assert_ne!(adas, client.cookie("sessionid"));
    assert_eq!(client.get("/who").await.text, "bob");
    assert_eq!(client.get("/show").await.text, "", "ada's cart is not bob's");
    assert_eq!(
        thief.get("/who").await.text,
        "nobody",
        "ada's key ended with her session"
    );
}

#[tokio::test]
async fn d6_a_planted_session_key_is_never_adopted() {
    let app = App::new().protected();
    let client = Client::new(&app);
    let planted = "attackerchosenkey0123456789abcdef";
    client.plant("sessionid", planted);
    client.get("/set/cart/apple").await;
    assert_ne!(client.cookie("sessionid").as_deref(), Some(planted));
    client.plant("sessionid", planted);
    client.get("/log-in/ada").await;
    assert_ne!(client.cookie("sessionid").as_deref(), Some(planted));
    let attacker = Client::new(&app);
    attacker.plant("sessionid", planted);
    assert_eq!(attacker.get("/who").await.text, "nobody");
}

#[tokio::test]
async fn d7_a_store_outage_is_a_503_and_never_an_empty_session() {
    let store = Flaky::default();
    let app = App::on(store.clone()).protected();
    let client = Client::new(&app);
    client.get("/set/cart/apple").await;
    let key = client.cookie("sessionid");
    store.set_down(true);
    for path in ["/show", "/set/cart/pear", "/who"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.header("retry-after"), "5");
        assert_eq!(
            answer.header("set-cookie"),
            "",
            "{path}: the cookie stays as it is"
        );
    }
    store.set_down(false);
    assert_eq!(client.cookie("sessionid"), key);
    assert_eq!(
        client.get("/show").await.text,
        "cart=apple",
        "nothing is lost, and no restart is needed"
    );
    assert_eq!(store.count(), 1);
}

#[tokio::test]
async fn d9_there_is_no_default_key() {
    let error = Settings::load(None, []).unwrap_err().to_string();
    assert!(error.contains("secret_key"), "{error}");
    let error = Settings::load(Some("secret_key = \"\"\nallowed_hosts = [\"example.com\"]"), [])
        .unwrap_err()
        .to_string();
    assert!(error.contains("secret_key"), "{error}");
}

#[tokio::test]
async fn d10_the_client_address_is_not_the_left_most_that_anybody_wrote() {
    let app = App::new();
    let router = Router::new().route(
        "/",
        get(async |connection: palisade::transport::Connection| connection.client.to_string()),
    );
    let client = Client::new(&app.palisade.protect(router.public()).unwrap());
    let request = Request::get("/")
        .header("x-forwarded-for", "6.6.6.6")
        .body(Body::empty())
        .unwrap();
    assert_eq!(client.send(request).await.text, "192.0.2.7");
}

fn multipart(token: &str) -> Request<Body> {
    let body = format!(
        "--XX\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\n{token}\r\n\
         --XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.bin\"\r\n\r\n{}\r\n--XX--\r\n",
        "x".repeat(300_000)
    );
    Request::post("/upload")
        .header("content-type", "multipart/form-data; boundary=XX")
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test]
async fn d11_a_multipart_form_carries_the_token_and_reaches_the_handler_whole() {
    let client = Client::new(&App::new().protected());
    let token = client.get("/form").await.text;
    let mut request = multipart(&token);
    request
        .headers_mut()
        .insert("origin", "https://example.com".parse().unwrap());
    let length = http_body::Body::size_hint(request.body()).exact().unwrap();
    assert_eq!(client.send(request).await.text, format!("{length} bytes"));
}

#[tokio::test]
async fn d11_without_origin_the_referer_is_checked_and_without_a_token_nothing_passes() {
    let client = Client::new(&App::new().protected());
    let token = client.get("/form").await.text;
    assert_eq!(
        client.send(multipart(&token)).await.status,
        StatusCode::FORBIDDEN,
        "no Origin and no Referer"
    );
    let mut request = multipart("");
    request
        .headers_mut()
        .insert("origin", "https://example.com".parse().unwrap());
    assert_eq!(
        client.send(request).await.status,
        StatusCode::FORBIDDEN,
        "no token"
    );
    let mut request = multipart(&token);
    request
        .headers_mut()
        .insert("origin", "https://evil.example".parse().unwrap());
    assert_eq!(
        client.send(request).await.status,
        StatusCode::FORBIDDEN,
        "a foreign origin"
    );
    let mut request = multipart(&token);
    request
        .headers_mut()
        .insert("referer", "https://example.com/form".parse().unwrap());
    assert_eq!(
        client.send(request).await.status,
        StatusCode::OK,
        "our own Referer"
    );
}

#[tokio::test]
async fn d11_a_raw_header_does_not_make_a_request_secure() {
    let client = Client::new(&App::new().protected());
    let mut request = Request::get("/show")
        .header("x-forwarded-proto", "https")
        .body(Body::empty())
        .unwrap();
    let plain = palisade::serve::Peer {
        addr: "192.0.2.7:1".parse().unwrap(),
        tls: false,
    };
    request.extensions_mut().insert(plain);
    assert_eq!(client.send(request).await.status, StatusCode::MOVED_PERMANENTLY);
}

/// All else that is seen of it is a browser that is redirected for ever. Anybody can be named so, and none fills the log.
#[tokio::test]
async fn a_proxy_that_is_not_listed_is_named_in_the_log_once() {
    let mut settings = settings();
    settings.secure_proxy_ssl_header = Some(ProxyHeader {
        name: "X-Forwarded-Proto".parse().unwrap(),
        value: "https".to_owned(),
    });
    settings.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let app = Palisade::new(settings)
        .protect(Router::new().route("/", get(async || "hello")).public())
        .unwrap();
    let client = Client::new(&app);
    let ask = async |peer: String, said: &str| {
        let mut request = Request::get("/")
            .header("x-forwarded-proto", said)
            .body(Body::empty())
            .unwrap();
        let peer = palisade::serve::Peer {
            addr: peer.parse().unwrap(),
            tls: false,
        };
        request.extensions_mut().insert(peer);
        client.send(request).await.status
    };
    let (log, _guard) = Log::begin();
    assert_eq!(ask("10.0.0.1:1".to_owned(), "https").await, StatusCode::OK);
    assert_eq!(
        ask("127.0.0.1:1".to_owned(), "http").await,
        StatusCode::MOVED_PERMANENTLY
    );
    let named = || log.lines("palisade::transport");
    assert!(named().is_empty(), "{:?}", named());
    for port in 1..4 {
        let status = ask(format!("127.0.0.1:{port}"), "https").await;
        assert_eq!(status, StatusCode::MOVED_PERMANENTLY);
    }
    let told = "x-forwarded-proto from 127.0.0.1 is not believed: it is not in trusted_proxies";
    assert!(
        matches!(named().as_slice(), [line] if line.contains(told)),
        "{:?}",
        named()
    );
    for client in 1..100 {
        ask(format!("192.0.2.{client}:1"), "https").await;
    }
    assert_eq!(named().len(), 8);
}

#[tokio::test]
async fn a_request_that_does_not_ask_for_its_session_costs_no_look_up_and_no_vary() {
    let store = Flaky::default();
    let app = App::on(store.clone())
        .palisade
        .protect(
            Router::new()
                .route("/", get(async || "hello"))
                .route("/set/{key}/{value}", get(set))
                .public(),
        )
        .unwrap();
    let client = Client::new(&app);
    client.get("/set/cart/apple").await;
    let (loads, writes) = (store.loads(), store.writes());
    let answer = client.get("/").await;
    assert_eq!((store.loads(), store.writes()), (loads, writes));
    assert_eq!(answer.header("vary"), "");
    assert_eq!(answer.header("set-cookie"), "");
}

#[tokio::test]
async fn reading_a_session_writes_nothing_and_says_that_the_answer_varies() {
    let store = Flaky::default();
    let client = Client::new(&App::on(store.clone()).protected());
    client.get("/set/cart/apple").await;
    let writes = store.writes();
    let answer = client.get("/show").await;
    assert_eq!(store.writes(), writes);
    assert_eq!(answer.header("vary"), "Cookie");
    assert_eq!(answer.header("set-cookie"), "");
}
