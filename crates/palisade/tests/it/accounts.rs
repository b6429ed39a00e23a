//! Who is let in where: the way to the login page and back, new accounts, and those that are no more.

use axum::body::Body;
use futures_util::FutureExt;
use http::{Request, StatusCode};
use palisade::Sensitive;
use palisade::core::password::Parameters;
use palisade::password::Hashers;
use palisade::serve::Peer;

use crate::client::settings;
use crate::log::Log;
use crate::login_site::{PASSWORD, Site, form};

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
async fn names_that_differ_in_case_only_are_one() {
    let site = Site::new();
    let visitor = site.visitor().await;
    assert_eq!(
        visitor.post("/sign-up/", &form("ada", PASSWORD)).await.text,
        "made"
    );
    for name in ["ADA", "Ada", "aDa"] {
        let answer = visitor.post("/sign-up/", &form(name, PASSWORD)).await;
        assert_eq!(answer.text, "A user with that username already exists.", "{name}");
    }
    assert!(
        site.user("ADA").await.is_none(),
        "looking up is exact, as Django's is"
    );
}

#[tokio::test]
async fn who_guesses_is_named_in_the_log_and_what_was_guessed_is_not() {
    let site = Site::new();
    site.member("ada").await;
    let (log, _guard) = Log::begin();
    let guesser = site.visitor().await;
    guesser.post("/login/", &form("ada", "a guess at it")).await;
    guesser
        .post(
            "/login/",
            &form("no%0Abody+client%3D198.51.100.7", "a guess at it"),
        )
        .await;
    guesser.post("/login/", &form("ada", PASSWORD)).await;
    let lines = log.lines("palisade::auth");
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, name) in lines
        .iter()
        .zip(["ada", "no\\u{a}body\\u{20}client\\u{3d}198.51.100.7"])
    {
        assert!(
            line.contains("login failed")
                && line.contains("client=192.0.2.7")
                && !line.contains("client=198.51.100.7")
                && line.contains("credential-guessing")
                && line.contains(name),
            "{line}"
        );
    }
    assert!(lines[2].contains("logged in") && lines[2].contains("client=192.0.2.7"));
    assert!(!log.text().contains("guess at it") && !log.text().contains(PASSWORD));
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
