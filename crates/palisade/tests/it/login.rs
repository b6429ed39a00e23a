//! Logging in and out through the whole stack: what ends, what stays, and what nobody learns.

use std::collections::HashMap;

use axum::Form;
use axum::body::Body;
use axum::routing::{get, post};
use futures_util::FutureExt;
use http::{Request, StatusCode};
use palisade::auth::{Auth, LoggedIn, NewUser, Next, SignUpError, SqliteUsers, User, UserStore};
use palisade::clock::Clock;
use palisade::core::password::{Algorithm, Parameters};
use palisade::csrf::CsrfToken;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::serve::Peer;
use palisade::session::SessionStore;
use palisade::sqlite::{Sqlite, params};
use palisade::{Palisade, Protected, Rejection, Router, SecretKey, Sensitive, Settings};

use crate::client::{Answer, Client, KEY, settings};
use crate::flaky::Flaky;

const PASSWORD: &str = "a fine long passphrase";

/// A site with accounts, and what stands behind it.
struct Site {
    app: Protected,
    database: Sqlite,
    sessions: Flaky,
    users: SqliteUsers,
}

type Fields = Form<HashMap<String, String>>;

fn field(fields: &Fields, name: &str) -> Sensitive<String> {
    Sensitive::new(fields.0.get(name).cloned().unwrap_or_default())
}

impl Site {
    fn new() -> Self {
        Self::with(settings(), Hashers::dangerous_cheap())
    }

    fn with(settings: Settings, hashers: Hashers) -> Self {
        Self::on(settings, hashers, Sqlite::in_memory().unwrap(), Flaky::default())
    }

    fn on(settings: Settings, hashers: Hashers, database: Sqlite, sessions: Flaky) -> Self {
        let users = SqliteUsers::new(database.clone()).unwrap();
        let palisade = Palisade::new(settings)
            .with_clock(Clock::system())
            .with_sessions(sessions.clone())
            .with_users_and(users.clone(), hashers, PasswordPolicy::default());
        let nested = Router::new().route("/inside", get(async |user: LoggedIn| user.username.clone()));
        let router = Router::new()
            .route("/login/", get(async |csrf: CsrfToken| csrf.masked()).post(log_in))
            .route("/logout/", post(log_out))
            .route("/logout-and-fail/", post(log_out_and_fail))
            .route("/sign-up/", post(sign_up))
            .route("/change/", post(change))
            .route("/everywhere-else/", post(everywhere_else))
            .route("/who", get(who))
            .route("/remember", get(remember))
            .route("/private", get(async |user: LoggedIn| user.username.clone()))
            .nest("/nest", nested);
        Self {
            app: palisade.protect(router),
            database,
            sessions,
            users,
        }
    }

    /// A browser that has seen the login page.
    async fn visitor(&self) -> Client {
        let client = Client::new(&self.app);
        client.get("/login/").await;
        client
    }

    async fn member(&self, name: &str) -> Client {
        let client = self.visitor().await;
        if self.user(name).await.is_none() {
            let answer = client.post("/sign-up/", &form(name, PASSWORD)).await;
            assert_eq!(answer.text, "made");
        }
        assert_eq!(client.post("/login/", &form(name, PASSWORD)).await.text, "in");
        client
    }

    async fn user(&self, name: &str) -> Option<User> {
        self.users.by_username(name).await.unwrap()
    }

    async fn store_password(&self, name: &'static str, encoded: String) {
        self.database
            .write(move |writer| {
                writer.execute(
                    "UPDATE auth_user SET password = ?2 WHERE username = ?1",
                    params![name, encoded],
                )
            })
            .await
            .unwrap();
    }
}

fn form(name: &str, password: &str) -> String {
    format!("username={name}&password={}", password.replace(' ', "+"))
}

async fn log_in(auth: Auth, next: Next, fields: Fields) -> Result<(StatusCode, String), Rejection> {
    let name = fields.0.get("username").cloned().unwrap_or_default();
    match auth.authenticate(&name, &field(&fields, "password")).await? {
        Some(user) => {
            auth.login(&user).await?;
            let place = next.or_default(fields.0.get("next").map(String::as_str), "in");
            Ok((StatusCode::OK, place))
        }
        None => Ok((StatusCode::OK, "wrong name or password".to_owned())),
    }
}

async fn log_out(auth: Auth) -> Result<&'static str, Rejection> {
    auth.logout().await?;
    Ok("out")
}

async fn log_out_and_fail(auth: Auth) -> Result<&'static str, Rejection> {
    auth.logout().await?;
    Err(Rejection::internal("after the logout"))
}

async fn sign_up(auth: Auth, fields: Fields) -> Result<String, Rejection> {
    let new = NewUser {
        username: fields.0.get("username").cloned().unwrap_or_default(),
        ..NewUser::default()
    };
    match auth.sign_up(new, &field(&fields, "password")).await {
        Ok(_) => Ok("made".to_owned()),
        Err(SignUpError::Auth(error)) => Err(error.into()),
        Err(SignUpError::Password(problems)) => Ok(problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")),
        Err(error) => Ok(error.to_string()),
    }
}

async fn change(auth: Auth, user: LoggedIn, fields: Fields) -> Result<String, Rejection> {
    use palisade::auth::PasswordChangeError;
    match auth
        .change_password(&user, &field(&fields, "old"), &field(&fields, "new"))
        .await
    {
        Ok(()) => Ok("changed".to_owned()),
        Err(PasswordChangeError::Auth(error)) => Err(error.into()),
        Err(error) => Ok(error.to_string()),
    }
}

async fn everywhere_else(auth: Auth, user: LoggedIn) -> Result<String, Rejection> {
    Ok(auth.log_out_everywhere_else(&user).await?.to_string())
}

async fn who(user: Option<LoggedIn>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.username.clone())
}

async fn remember(session: palisade::session::Session) -> Result<&'static str, Rejection> {
    session.insert("cart", "apple").await?;
    Ok("remembered")
}

#[tokio::test]
async fn whoever_may_not_log_in_learns_nothing_of_why() {
    let site = Site::new();
    for name in ["ada", "inactive", "unusable", "malformed"] {
        site.member(name).await;
    }
    site.store_password("unusable", palisade::core::password::unusable())
        .await;
    site.store_password("malformed", "argon2$what".to_owned()).await;
    let inactive = "UPDATE auth_user SET is_active = 0 WHERE username = 'inactive'";
    site.database
        .write(|writer| writer.execute(inactive, []))
        .await
        .unwrap();
    let too_long = "x".repeat(100_000);
    let mut answers = Vec::new();
    for (name, password) in [
        ("nobody", PASSWORD),
        ("ada", "wrong"),
        ("ada", ""),
        ("", ""),
        ("ada", &too_long),
        ("nobody", &too_long),
        ("inactive", PASSWORD),
        ("unusable", PASSWORD),
        ("malformed", PASSWORD),
        ("ADA", PASSWORD),
        ("ada%00", PASSWORD),
    ] {
        let client = site.visitor().await;
        let Answer {
            status,
            mut headers,
            text,
        } = client.post("/login/", &form(name, password)).await;
        assert_eq!(client.get("/who").await.text, "nobody", "{name}");
        headers.remove("x-request-id");
        answers.push((status, headers, text));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
    assert_eq!(answers[0].2, "wrong name or password");
}

#[tokio::test]
async fn an_old_hash_is_replaced_at_login_and_sessions_begun_with_it_end() {
    let site = Site::new();
    let early = site.member("ada").await;
    let old = Hashers::new([Algorithm::Pbkdf2Sha256])
        .unwrap()
        .with_parameters(Parameters {
            pbkdf2_iterations: 1000,
            ..Parameters::default()
        });
    let old = old.hash(&Sensitive::new(PASSWORD.to_owned())).await.unwrap();
    assert!(old.starts_with("pbkdf2_sha256$1000$"));
    site.store_password("ada", old).await;
    assert_eq!(
        early.get("/who").await.text,
        "nobody",
        "the password column has changed"
    );
    let late = site.member("ada").await;
    let stored = site.user("ada").await.unwrap().password;
    assert!(
        stored.expose().starts_with("argon2$argon2id$"),
        "replaced while it was at hand"
    );
    assert_eq!(late.get("/who").await.text, "ada");
    site.member("ada").await;
    assert_eq!(
        site.user("ada").await.unwrap().password.expose(),
        stored.expose(),
        "once"
    );
    assert_eq!(late.get("/who").await.text, "ada");
}

#[tokio::test]
async fn two_logins_that_upgrade_the_same_hash_at_once_both_stay_logged_in() {
    let site = Site::new();
    site.member("ada").await;
    let old = Hashers::new([Algorithm::Pbkdf2Sha256])
        .unwrap()
        .with_parameters(Parameters {
            pbkdf2_iterations: 1,
            ..Parameters::default()
        });
    for _ in 0..5 {
        let old = old.hash(&Sensitive::new(PASSWORD.to_owned())).await.unwrap();
        site.store_password("ada", old).await;
        let (one, two) = (site.visitor().await, site.visitor().await);
        let body = form("ada", PASSWORD);
        let (first, second) = tokio::join!(one.post("/login/", &body), two.post("/login/", &body));
        assert_eq!((first.text.as_str(), second.text.as_str()), ("in", "in"));
        assert_eq!(
            (one.get("/who").await.text, two.get("/who").await.text),
            ("ada".into(), "ada".into())
        );
    }
}

#[tokio::test]
async fn a_hash_that_cannot_be_upgraded_keeps_nobody_out() {
    let bcrypt = Hashers::new([Algorithm::Bcrypt, Algorithm::Argon2])
        .unwrap()
        .with_parameters(Parameters {
            bcrypt_work_factor: 4,
            ..Parameters::default()
        });
    let site = Site::with(settings(), bcrypt);
    site.member("ada").await;
    let long = "correct horse battery staple ".repeat(4);
    let argon = Hashers::dangerous_cheap()
        .hash(&Sensitive::new(long.clone()))
        .await
        .unwrap();
    site.store_password("ada", argon.clone()).await;
    let client = site.visitor().await;
    let answer = client.post("/login/", &form("ada", &long)).await;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (StatusCode::OK, "in"),
        "bcrypt reads 72 bytes only"
    );
    assert_eq!(site.user("ada").await.unwrap().password.expose(), &argon);
    assert_eq!(client.get("/who").await.text, "ada");
}

#[tokio::test]
async fn a_password_change_ends_the_other_sessions_and_keeps_this_one() {
    let site = Site::new();
    let (here, there) = (site.member("ada").await, site.member("ada").await);
    let thief = here.thief();
    let other = site.member("bob").await;
    let rows = site.sessions.count();
    let answer = here
        .post(
            "/change/",
            &format!("old=wrong&new={}", "another fine passphrase".replace(' ', "+")),
        )
        .await;
    assert_eq!(
        answer.text,
        "Your old password was entered incorrectly. Please enter it again."
    );
    assert_eq!(there.get("/who").await.text, "ada");
    let old = PASSWORD.replace(' ', "+");
    let weak = here.post("/change/", &format!("old={old}&new=12345")).await;
    assert_eq!(weak.text, "the password is too weak");
    let too_long = here
        .post(
            "/change/",
            &format!("old={}&new=another+fine+passphrase", "x".repeat(100_000)),
        )
        .await;
    assert_eq!(
        too_long.text,
        "Your old password was entered incorrectly. Please enter it again."
    );
    let answer = here
        .post("/change/", &format!("old={old}&new=another+fine+passphrase"))
        .await;
    assert_eq!(answer.text, "changed");
    assert_eq!(here.get("/who").await.text, "ada", "this one stays");
    assert_eq!(there.get("/who").await.text, "nobody", "the other one ends");
    assert_eq!(
        thief.get("/who").await.text,
        "nobody",
        "and so does a stolen copy of this one's old key"
    );
    assert_eq!(other.get("/who").await.text, "bob");
    assert_eq!(site.sessions.count(), rows - 1, "the rows of the others are gone");
    let client = site.visitor().await;
    assert_eq!(
        client.post("/login/", &form("ada", PASSWORD)).await.text,
        "wrong name or password"
    );
    assert_eq!(
        client
            .post("/login/", &form("ada", "another fine passphrase"))
            .await
            .text,
        "in"
    );
}

#[tokio::test]
async fn logging_out_elsewhere_ends_the_others_at_once() {
    let site = Site::new();
    let (here, there, third) = (
        site.member("ada").await,
        site.member("ada").await,
        site.member("ada").await,
    );
    let bob = site.member("bob").await;
    assert_eq!(here.post("/everywhere-else/", "").await.text, "2");
    assert_eq!(here.get("/who").await.text, "ada");
    for ended in [there, third] {
        assert_eq!(ended.get("/who").await.text, "nobody");
    }
    assert_eq!(bob.get("/who").await.text, "bob");
}

#[tokio::test]
async fn after_logout_a_replayed_cookie_is_nobody() {
    let site = Site::new();
    let client = site.member("ada").await;
    let thief = client.thief();
    assert_eq!(thief.get("/who").await.text, "ada");
    let answer = client.post("/logout/", "").await;
    assert_eq!(answer.text, "out");
    assert_eq!(client.cookie("sessionid"), None);
    assert_eq!(thief.get("/who").await.text, "nobody");
    assert_eq!(site.sessions.count(), 0, "the row is gone");
    assert_eq!(
        client.post("/logout/", "").await.text,
        "out",
        "nobody may log out, too"
    );
}

#[tokio::test]
async fn a_logout_whose_handler_fails_is_a_logout() {
    for in_session in [false, true] {
        let mut settings = settings();
        settings.csrf_use_sessions = in_session;
        let site = Site::with(settings, Hashers::dangerous_cheap());
        let client = Client::new(&site.app);
        let login = |token: String| {
            let body = format!("csrfmiddlewaretoken={token}&{}", form("ada", PASSWORD));
            move |path: &str| {
                Request::post(path)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("origin", "https://example.com")
                    .body(Body::from(body.clone()))
                    .unwrap()
            }
        };
        let page = login(client.get("/login/").await.text);
        client.send(page("/sign-up/")).await;
        assert_eq!(client.send(page("/login/")).await.text, "in");
        let thief = client.thief();
        assert_eq!(thief.get("/who").await.text, "ada");
        let page = login(client.get("/login/").await.text);
        assert_eq!(
            client.send(page("/logout-and-fail/")).await.status,
            StatusCode::INTERNAL_SERVER_ERROR
        );
        assert_eq!(
            thief.get("/who").await.text,
            "nobody",
            "csrf_use_sessions: {in_session}"
        );
    }
}

#[tokio::test]
async fn whoever_logs_in_twice_gets_a_new_key_and_keeps_the_data() {
    let site = Site::new();
    let client = site.member("ada").await;
    client.get("/remember").await;
    let (before, thief) = (client.cookie("sessionid"), client.thief());
    assert_eq!(client.post("/login/", &form("ada", PASSWORD)).await.text, "in");
    assert_ne!(client.cookie("sessionid"), before);
    assert_eq!(client.get("/who").await.text, "ada");
    assert_eq!(
        thief.get("/who").await.text,
        "nobody",
        "the old key is worth nothing"
    );
    assert_eq!(site.sessions.count(), 1);
    let id = site.user("ada").await.unwrap().id.to_string();
    assert_eq!(
        site.sessions
            .list(&id, std::time::SystemTime::now())
            .await
            .unwrap()
            .len(),
        1
    );
}

/// A site whose key has changed, the old one a fallback.
fn rotated(site: &Site) -> Site {
    let mut settings = Settings::new(
        SecretKey::new("fresh-key-Yw8v3nF1xK5vB7mC2dL9sR4tY6uJ0pHaGeWiQoXc-2027"),
        ["example.com"],
    );
    settings.secret_key_fallbacks = vec![SecretKey::new(KEY)];
    Site::on(
        settings,
        Hashers::dangerous_cheap(),
        site.database.clone(),
        site.sessions.clone(),
    )
}

fn moved(client: &Client, to: &Site) -> Client {
    let moved = Client::new(&to.app);
    moved.plant("sessionid", &client.cookie("sessionid").unwrap());
    moved
}

#[tokio::test]
async fn a_login_signed_with_an_older_key_goes_on_under_a_new_session_key() {
    let before = Site::new();
    let member = before.member("ada").await;
    let after = rotated(&before);
    let client = moved(&member, &after);
    let key = client.cookie("sessionid");
    assert_eq!(client.get("/who").await.text, "ada");
    let cycled = client.cookie("sessionid");
    assert_ne!(cycled, key, "moved");
    assert_eq!(client.get("/who").await.text, "ada");
    assert_eq!(client.cookie("sessionid"), cycled, "once");
    assert_eq!(member.get("/who").await.text, "nobody");
    let mut dropped = Settings::new(
        SecretKey::new("fresh-key-Yw8v3nF1xK5vB7mC2dL9sR4tY6uJ0pHaGeWiQoXc-2027"),
        ["example.com"],
    );
    dropped.secret_key_fallbacks = Vec::new();
    let dropped = Site::on(
        dropped,
        Hashers::dangerous_cheap(),
        after.database.clone(),
        after.sessions.clone(),
    );
    assert_eq!(
        moved(&client, &dropped).get("/who").await.text,
        "ada",
        "the hash is the new key's"
    );
}

#[tokio::test]
async fn requests_that_race_after_a_key_change_are_not_told_that_they_were_logged_out() {
    let before = Site::new();
    let member = before.member("ada").await;
    let after = rotated(&before);
    let one = moved(&member, &after);
    let requests: Vec<_> = (0..8).map(|_| one.thief()).collect();
    let answers = requests.iter().map(|client| client.get("/who"));
    let answers = futures_util::future::join_all(answers).await;
    for answer in &answers {
        assert_ne!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    }
    assert_eq!(before.sessions.count(), 1);
}

fn asks(path: &str, accept: &str) -> Request<Body> {
    Request::get(path)
        .header("accept", accept)
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn a_browser_is_sent_to_the_login_page_and_a_program_is_told_401() {
    let site = Site::new();
    let client = site.visitor().await;
    let browser = client
        .send(asks("/private?a=1&b=/x", "text/html,application/xhtml+xml"))
        .await;
    assert_eq!(browser.status, StatusCode::FOUND);
    assert_eq!(
        browser.header("location"),
        "/login/?next=/private%3Fa%3D1%26b%3D/x"
    );
    assert_eq!(browser.header("vary"), "Cookie");
    for accept in ["application/json", "*/*"] {
        let program = client.send(asks("/private", accept)).await;
        assert_eq!(program.status, StatusCode::UNAUTHORIZED);
        assert_eq!(program.header("location"), "");
    }
    let program = client.send(asks("/private", "application/json")).await;
    let json: serde_json::Value = serde_json::from_str(&program.text).unwrap();
    assert_eq!(json["status"], 401);
    assert_eq!(json["detail"], "Please log in first.");
    let member = site.member("ada").await;
    assert_eq!(member.send(asks("/private", "text/html")).await.text, "ada");
}

#[tokio::test]
async fn from_a_nested_router_the_login_page_comes_back_to_the_whole_path() {
    let site = Site::new();
    let answer = site
        .visitor()
        .await
        .send(asks("/nest/inside?a=1", "text/html"))
        .await;
    assert_eq!(answer.header("location"), "/login/?next=/nest/inside%3Fa%3D1");
}

#[tokio::test]
async fn next_is_followed_only_where_it_stays_here() {
    let mut plain = settings();
    plain.secure_ssl_redirect = false;
    plain.session_cookie_secure = false;
    plain.csrf_cookie_secure = false;
    for tls in [true, false] {
        let site = Site::with(plain.clone(), Hashers::dangerous_cheap());
        site.member("ada").await;
        for (next, safe) in [
            ("/notes/", true),
            ("/notes/?a=b", true),
            ("https://example.com/notes/", true),
            ("http://example.com/notes/", !tls),
            ("https://evil.example/", false),
            ("//evil.example/", false),
            ("///evil.example/", false),
            ("/\\evil.example", false),
            ("\\\\evil.example", false),
            ("http:evil.example", false),
            ("javascript:alert(1)", false),
            ("https://example.com@evil.example/", false),
            ("https://example.com.evil.example/", false),
            ("\u{1}/notes/", false),
        ] {
            let client = site.visitor().await;
            let encoded =
                percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC).to_string();
            for (query, posted) in [(encoded.as_str(), ""), ("/safe", encoded.as_str())] {
                let token = client.cookie("csrftoken").unwrap();
                let scheme = if tls { "https" } else { "http" };
                let mut request = Request::post(format!("/login/?next={query}"))
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("origin", format!("{scheme}://example.com"))
                    .body(Body::from(format!(
                        "csrfmiddlewaretoken={token}&next={posted}&{}",
                        form("ada", PASSWORD)
                    )))
                    .unwrap();
                request.extensions_mut().insert(Peer {
                    addr: "192.0.2.7:1".parse().unwrap(),
                    tls,
                });
                let place = client.send(request).await.text;
                let expected = if safe { next } else { "in" };
                assert_eq!(place, expected, "{next:?} over {scheme}");
            }
        }
    }
}

#[tokio::test]
async fn a_sign_up_with_a_weak_password_or_a_bad_name_is_refused() {
    let site = Site::new();
    let client = site.visitor().await;
    for (name, password, reason) in [
        (
            "ada",
            "s3cret",
            "This password is too short. It must contain at least 8 characters.",
        ),
        ("ada", "password123", "This password is too common."),
        ("ada", "90210365172", "This password is entirely numeric."),
        (
            "adalovelace",
            "adalovelace1",
            "The password is too similar to the username.",
        ),
        ("no spaces", PASSWORD, "Enter a valid username."),
        ("", PASSWORD, ""),
    ] {
        let answer = client.post("/sign-up/", &form(name, password)).await;
        assert!(
            answer.text.contains(reason) && answer.text != "made",
            "{name}/{password}: {}",
            answer.text
        );
        assert!(site.user(name).await.is_none());
    }
    let too_long = client.post("/sign-up/", &form("ada", &"x".repeat(100_000))).await;
    assert!(
        too_long.text.starts_with("This password is too long."),
        "{}",
        too_long.text
    );
}

#[tokio::test]
async fn a_sign_up_makes_nobody_an_administrator() {
    let site = Site::new();
    let client = site.visitor().await;
    let body = format!(
        "{}&is_staff=1&is_superuser=1&is_active=1&id=1",
        form("mallory", PASSWORD)
    );
    assert_eq!(client.post("/sign-up/", &body).await.text, "made");
    let user = site.user("mallory").await.unwrap();
    assert!(!user.is_staff && !user.is_superuser);
}

#[tokio::test]
async fn of_two_who_sign_up_with_one_name_at_once_one_wins() {
    let site = Site::new();
    let (one, two) = (site.visitor().await, site.visitor().await);
    for name in ["ada", "bob", "eve"] {
        let body = form(name, PASSWORD);
        let (first, second) = tokio::join!(one.post("/sign-up/", &body), two.post("/sign-up/", &body));
        let mut answers = [first.text, second.text];
        answers.sort();
        assert_eq!(answers, ["A user with that username already exists.", "made"]);
    }
    let taken = one.post("/sign-up/", &form("ada", PASSWORD)).await;
    assert_eq!(taken.text, "A user with that username already exists.");
    let lookalike = one.post("/sign-up/", &form("%EF%BD%81da", PASSWORD)).await;
    assert_eq!(
        lookalike.text, "A user with that username already exists.",
        "a full-width a is an a (NFKC)"
    );
}

#[tokio::test]
async fn the_csrf_secret_is_made_anew_at_login_and_at_logout() {
    let site = Site::new();
    let client = site.visitor().await;
    client.post("/sign-up/", &form("ada", PASSWORD)).await;
    let planted = client.cookie("csrftoken").unwrap();
    client.post("/login/", &form("ada", PASSWORD)).await;
    let logged_in = client.cookie("csrftoken").unwrap();
    assert_ne!(logged_in, planted);
    let stale = Request::post("/logout/")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "https://example.com")
        .body(Body::from(format!("csrfmiddlewaretoken={planted}")))
        .unwrap();
    assert_eq!(
        client.send(stale).await.status,
        StatusCode::FORBIDDEN,
        "a token from before the login"
    );
    client.post("/logout/", "").await;
    assert_ne!(client.cookie("csrftoken").unwrap(), logged_in);
}

#[tokio::test]
async fn when_the_hashers_are_busy_the_answer_is_a_503_that_says_when_to_come_back() {
    let hashers = Hashers::dangerous_cheap().with_limits(1, 0);
    let site = Site::with(settings(), hashers.clone());
    let client = site.visitor().await;
    // The same pool, kept busy by one expensive hash.
    let slow = hashers.with_parameters(Parameters {
        argon2_time_cost: 2,
        ..Parameters::default()
    });
    let busy = Sensitive::new(PASSWORD.to_owned());
    let mut hash = Box::pin(slow.hash(&busy));
    assert!((&mut hash).now_or_never().is_none());
    let answer = client.post("/login/", &form("ada", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "2");
    assert!(
        answer.text.contains("Many people are logging in"),
        "{}",
        answer.text
    );
    hash.await.unwrap();
    assert_eq!(
        client.post("/login/", &form("ada", PASSWORD)).await.text,
        "wrong name or password"
    );
}

#[tokio::test]
async fn a_user_who_is_deactivated_or_deleted_is_nobody_at_once() {
    let site = Site::new();
    let (ada, bob) = (site.member("ada").await, site.member("bob").await);
    let inactive = "UPDATE auth_user SET is_active = 0 WHERE username = 'ada'";
    site.database
        .write(|writer| writer.execute(inactive, []))
        .await
        .unwrap();
    let gone = "DELETE FROM auth_user WHERE username = 'bob'";
    site.database
        .write(|writer| writer.execute(gone, []))
        .await
        .unwrap();
    assert_eq!(ada.get("/who").await.text, "nobody");
    assert_eq!(bob.get("/who").await.text, "nobody");
    let reused =
        "INSERT INTO auth_user SELECT 2, 'x', NULL, 1, 'root', '', '', 1, 1, '2026-01-01 00:00:00', ''";
    site.database
        .write(|writer| writer.execute(reused, []))
        .await
        .unwrap();
    assert_eq!(
        bob.get("/who").await.text,
        "nobody",
        "whoever gets the number of a deleted user is not logged in by it"
    );
}
