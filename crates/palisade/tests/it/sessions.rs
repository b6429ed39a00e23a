//! Sessions through the whole stack: how long they last, what the cookie says, and what is written when.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::Path;
use axum::routing::get;
use http::StatusCode;
use palisade::clock::Clock;
use palisade::core::session::SessionExpiry;
use palisade::session::{Session, SessionError, SessionStore, SqliteSessions};
use palisade::sqlite::{Sqlite, params};
use palisade::{Palisade, Protected, Router, SecretKey, Settings};

use crate::client::{Client, KEY, settings};
use crate::flaky::Flaky;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// 2023-11-14 22:13:20 UTC.
fn then() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

struct Site {
    clock: Clock,
    app: Protected,
}

fn site_on(settings: Settings, store: impl SessionStore) -> Site {
    let clock = Clock::fixed(then());
    let palisade = Palisade::new(settings)
        .with_clock(clock.clone())
        .with_sessions(store);
    Site {
        app: palisade.protect(routes()),
        clock,
    }
}

fn site(settings: Settings) -> Site {
    site_on(settings, Flaky::default())
}

fn routes() -> Router {
    Router::new()
        .route("/quiet", get(async || "quiet"))
        .route("/set/{value}", get(set))
        .route("/show", get(show))
        .route("/take", get(take))
        .route("/count", get(count))
        .route("/flush", get(flush))
        .route("/expire/{how}", get(expire))
        .route("/vary/{names}", get(vary))
        .route("/panic-after-set", get(panic_after_set))
        .route("/fail/{what}", get(fail))
}

async fn set(session: Session, Path(value): Path<String>) -> Result<&'static str, SessionError> {
    session.insert("cart", &value).await?;
    Ok("set")
}

async fn show(session: Session) -> Result<String, SessionError> {
    Ok(session.get::<String>("cart").await?.unwrap_or_default())
}

async fn take(session: Session) -> Result<String, SessionError> {
    Ok(session.take::<String>("cart").await?.unwrap_or_default())
}

async fn count(session: Session) -> Result<String, SessionError> {
    let count = |n: &mut u32| {
        *n += 1;
        *n
    };
    Ok(session.update("n", count).await?.to_string())
}

async fn flush(session: Session) -> Result<&'static str, SessionError> {
    session.flush().await?;
    Ok("flushed")
}

async fn expire(session: Session, Path(how): Path<String>) -> Result<&'static str, SessionError> {
    let expiry = match how.as_str() {
        "default" => SessionExpiry::Default,
        "close" => SessionExpiry::AtBrowserClose,
        "sliding" => SessionExpiry::Sliding(3600),
        "at" => SessionExpiry::At(then() + DAY),
        "past" => SessionExpiry::At(then() - DAY),
        _ => SessionExpiry::In(HOUR * 2),
    };
    session.set_expiry(expiry).await?;
    Ok("set")
}

async fn vary(
    session: Session,
    Path(names): Path<String>,
) -> Result<([(&'static str, String); 1], &'static str), SessionError> {
    session.get::<String>("cart").await?;
    Ok(([("vary", names)], "varied"))
}

async fn panic_after_set(session: Session) -> Result<&'static str, SessionError> {
    session.insert("cart", "poison").await?;
    panic!("after the set");
}

async fn fail(session: Session, Path(what): Path<String>) -> Result<StatusCode, SessionError> {
    session.insert("cart", "failed").await?;
    Ok(match what.as_str() {
        "client" => StatusCode::BAD_REQUEST,
        _ => StatusCode::BAD_GATEWAY,
    })
}

fn cookies(answer: &crate::client::Answer) -> Vec<String> {
    let lines = answer.headers.get_all("set-cookie").iter();
    lines.map(|line| line.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_cookie_is_djangos_to_the_byte() {
    let site = site(settings());
    let client = Client::new(&site.app);
    let answer = client.get("/set/apple").await;
    let key = client.cookie("sessionid").unwrap();
    assert_eq!(
        cookies(&answer),
        [format!(
            "sessionid={key}; expires=Tue, 28 Nov 2023 22:13:20 GMT; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax; \
             Secure"
        )]
    );
    let answer = client.get("/flush").await;
    assert_eq!(
        cookies(&answer),
        ["sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax"]
    );
}

#[tokio::test]
async fn the_cookies_attributes_are_the_settings() {
    let mut settings = settings();
    settings.session_cookie_name = "__Secure-s".to_owned();
    settings.session_cookie_domain = Some("example.com".to_owned());
    settings.session_cookie_path = "/app".to_owned();
    settings.session_cookie_age = HOUR;
    settings.session_cookie_samesite = palisade::core::cookie::SameSite::Strict;
    let site = site(settings);
    let client = Client::new(&site.app);
    let answer = client.get("/set/apple").await;
    let key = client.cookie("__Secure-s").unwrap();
    assert_eq!(
        cookies(&answer),
        [format!(
            "__Secure-s={key}; Domain=example.com; expires=Tue, 14 Nov 2023 23:13:20 GMT; HttpOnly; Max-Age=3600; \
             Path=/app; SameSite=Strict; Secure"
        )]
    );
    assert_eq!(
        cookies(&client.get("/flush").await),
        [
            "__Secure-s=\"\"; Domain=example.com; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/app; \
          SameSite=Strict; Secure"
        ],
        "a deletion that the browser does not match to the cookie deletes nothing"
    );
}

#[tokio::test]
async fn an_idle_session_ends_and_a_used_one_goes_on() {
    let site = site(settings());
    let (idle, used) = (Client::new(&site.app), Client::new(&site.app));
    idle.get("/set/apple").await;
    used.get("/set/pear").await;
    for _ in 0..3 {
        site.clock.advance(DAY * 7);
        assert_eq!(used.get("/show").await.text, "pear");
    }
    assert_eq!(idle.get("/show").await.text, "");
    assert_eq!(idle.cookie("sessionid"), None, "its cookie is taken away");
}

#[tokio::test]
async fn a_session_ends_exactly_at_its_idle_limit() {
    let mut settings = settings();
    settings.session_idle_age = Some(HOUR);
    let site = site(settings);
    let client = Client::new(&site.app);
    let answer = client.get("/set/apple").await;
    assert!(
        cookies(&answer)[0].contains("Max-Age=3600"),
        "{:?}",
        cookies(&answer)
    );
    site.clock.advance(Duration::from_secs(3599));
    assert_eq!(client.thief().get("/show").await.text, "apple");
    site.clock.set(then() + Duration::from_secs(7199));
    assert_eq!(
        client.thief().get("/show").await.text,
        "",
        "the touch moved the end to an hour after it, no further"
    );
}

#[tokio::test]
async fn no_use_moves_a_session_beyond_its_absolute_limit() {
    let site = site(settings());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    for day in 1..30 {
        site.clock.advance(DAY);
        assert_eq!(client.get("/show").await.text, "apple", "day {day}");
    }
    site.clock.advance(DAY);
    assert_eq!(client.get("/show").await.text, "", "day 30");
}

#[tokio::test]
async fn the_absolute_limit_caps_the_cookie_too() {
    let site = site(settings());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    site.clock.advance(DAY * 10);
    client.get("/show").await;
    site.clock.advance(DAY * 10);
    let answer = client.get("/set/pear").await;
    assert!(
        cookies(&answer)[0].contains("Max-Age=864000;"),
        "{:?}",
        cookies(&answer)
    );
}

#[tokio::test]
async fn without_an_absolute_limit_use_keeps_a_session_for_ever() {
    let mut settings = settings();
    settings.session_absolute_age = None;
    let site = site(settings);
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    for _ in 0..30 {
        site.clock.advance(DAY * 10);
        assert_eq!(client.get("/show").await.text, "apple");
    }
}

#[tokio::test]
async fn use_alone_writes_at_most_once_a_step_and_renews_the_cookie() {
    let store = Flaky::default();
    let site = site_on(settings(), store.clone());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    let before = store.writes();
    for _ in 0..4 {
        site.clock.advance(Duration::from_mins(1));
        assert_eq!(cookies(&client.get("/show").await), [""; 0]);
    }
    assert_eq!(store.writes(), before, "four minutes are not worth a write");
    site.clock.advance(Duration::from_mins(1));
    let answer = client.get("/show").await;
    assert!(cookies(&answer)[0].contains("Max-Age=1209600"));
    assert_eq!(store.writes(), before + 1);
    client.get("/show").await;
    assert_eq!(store.writes(), before + 1, "once a step");
    site.clock.advance(HOUR);
    client.get("/quiet").await;
    assert_eq!(
        store.writes(),
        before + 1,
        "a request that does not ask for the session does not use it"
    );
}

#[tokio::test]
async fn a_short_idle_limit_has_a_short_step() {
    let mut settings = settings();
    settings.session_idle_age = Some(Duration::from_mins(10));
    let store = Flaky::default();
    let site = site_on(settings, store.clone());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    let before = store.writes();
    site.clock.advance(Duration::from_secs(59));
    client.get("/show").await;
    assert_eq!(store.writes(), before);
    site.clock.advance(Duration::from_secs(1));
    client.get("/show").await;
    assert_eq!(store.writes(), before + 1, "a tenth of ten minutes");
}

#[tokio::test]
async fn a_session_that_ends_with_the_browser_has_no_age_but_its_row_has() {
    let mut settings = settings();
    settings.session_expire_at_browser_close = true;
    let site = site(settings);
    let client = Client::new(&site.app);
    let answer = client.get("/set/apple").await;
    let key = client.cookie("sessionid").unwrap();
    assert_eq!(
        cookies(&answer),
        [format!("sessionid={key}; HttpOnly; Path=/; SameSite=Lax; Secure")]
    );
    site.clock.advance(DAY * 14);
    assert_eq!(
        client.get("/show").await.text,
        "",
        "a browser that is never closed"
    );
}

#[tokio::test]
async fn each_form_of_set_expiry_does_what_djangos_does() {
    for (how, age) in [
        ("sliding", Some(3600)),
        ("at", Some(86_400)),
        ("in", Some(7200)),
        ("close", None),
        ("default", Some(1_209_600)),
    ] {
        let site = site(settings());
        let client = Client::new(&site.app);
        client.get("/set/apple").await;
        let lines = cookies(&client.get(&format!("/expire/{how}")).await);
        match age {
            Some(age) => {
                assert!(
                    lines[0].contains(&format!("; Max-Age={age};")),
                    "{how}: {lines:?}"
                );
                site.clock.advance(Duration::from_secs(age));
                assert_eq!(client.thief().get("/show").await.text, "", "{how}");
            }
            None => assert!(
                !lines[0].contains("Max-Age") && !lines[0].contains("expires"),
                "{how}: {lines:?}"
            ),
        }
    }
}

#[tokio::test]
async fn a_fixed_end_does_not_slide_and_a_sliding_one_slides_with_writes() {
    let site = site(settings());
    let (fixed, sliding) = (Client::new(&site.app), Client::new(&site.app));
    for client in [&fixed, &sliding] {
        client.get("/set/apple").await;
    }
    fixed.get("/expire/in").await;
    sliding.get("/expire/sliding").await;
    for _ in 0..2 {
        site.clock.advance(Duration::from_mins(50));
        fixed.get("/set/pear").await;
        sliding.get("/set/pear").await;
    }
    site.clock.advance(Duration::from_mins(50));
    assert_eq!(
        fixed.get("/show").await.text,
        "",
        "two hours from the call, whatever came between"
    );
    assert_eq!(sliding.get("/show").await.text, "pear");
}

#[tokio::test]
async fn an_end_in_the_past_ends_the_session_at_once() {
    let site = site(settings());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    let thief = client.thief();
    client.get("/expire/past").await;
    assert_eq!(thief.get("/show").await.text, "");
    assert_eq!(client.cookie("sessionid"), None);
}

#[tokio::test]
async fn save_every_request_saves_what_was_only_read() {
    let mut settings = settings();
    settings.session_save_every_request = true;
    let store = Flaky::default();
    let site = site_on(settings, store.clone());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    let before = store.writes();
    let answer = client.get("/show").await;
    assert_eq!(store.writes(), before + 1);
    assert!(cookies(&answer)[0].contains("Max-Age=1209600"));
    assert_eq!(answer.header("vary"), "Cookie", "CVE-2026-35192");
    let stranger = Client::new(&site.app).get("/show").await;
    assert_eq!(cookies(&stranger), [""; 0], "an empty session is not worth a row");
}

#[tokio::test]
async fn cookie_joins_a_vary_that_is_there() {
    let site = site(settings());
    let client = Client::new(&site.app);
    for (there, expected) in [
        ("Accept", "Accept, Cookie"),
        ("Cookie", "Cookie"),
        ("accept, COOKIE", "accept, COOKIE"),
        ("*", "*"),
        ("Accept, *", "Accept, *"),
        ("X-Cookie", "X-Cookie, Cookie"),
    ] {
        let answer = client.get(&format!("/vary/{}", there.replace(' ', "%20"))).await;
        let lines: Vec<_> = answer
            .headers
            .get_all("vary")
            .iter()
            .map(|line| line.to_str().unwrap())
            .collect();
        assert_eq!(lines.join(", "), expected);
    }
}

#[tokio::test]
async fn a_cookie_whose_key_nobody_knows_is_taken_away_when_the_session_is_asked_for() {
    let site = site(settings());
    for planted in [
        "unknownunknownunknownunknown1234",
        "UPPER",
        "x",
        "\"\"",
        "a%20b",
        "../../../etc/passwd",
    ] {
        let client = Client::new(&site.app);
        client.plant("sessionid", planted);
        assert_eq!(
            cookies(&client.get("/quiet").await),
            [""; 0],
            "{planted}: nobody asked"
        );
        let answer = client.get("/show").await;
        assert!(cookies(&answer)[0].contains("Max-Age=0"), "{planted}");
        assert_eq!(answer.header("vary"), "Cookie");
    }
    let stranger = Client::new(&site.app).get("/show").await;
    assert_eq!(
        cookies(&stranger),
        [""; 0],
        "there is nothing to take away from who sent nothing"
    );
}

#[tokio::test]
async fn an_emptied_session_keeps_its_key_as_djangos_does() {
    let site = site(settings());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    let key = client.cookie("sessionid");
    assert_eq!(client.get("/take").await.text, "apple");
    assert_eq!(client.get("/take").await.text, "");
    assert_eq!(client.cookie("sessionid"), key);
}

#[tokio::test]
async fn a_row_that_is_not_signed_by_us_is_no_session_and_its_key_is_not_adopted() {
    let database = Sqlite::in_memory().unwrap();
    let store = SqliteSessions::new(database.clone()).unwrap();
    let site = site_on(settings(), store.clone());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    let key = client.cookie("sessionid").unwrap();
    let signed: String = database
        .read(|reader| reader.one("SELECT session_data FROM django_session", [], |row| row.get(0)))
        .unwrap()
        .unwrap();
    let other: String = {
        let other = Sqlite::in_memory().unwrap();
        let stranger = site_on(
            Settings::new(
                SecretKey::new("another-key-Xw7v2nE0xJ4vA6mB1dK8sQ3tX5uI9pGaFeViPoWb"),
                ["example.com"],
            ),
            SqliteSessions::new(other.clone()).unwrap(),
        );
        Client::new(&stranger.app).get("/set/apple").await;
        let row =
            other.read(|reader| reader.one("SELECT session_data FROM django_session", [], |row| row.get(0)));
        row.unwrap().unwrap()
    };
    let mut flipped = signed.clone();
    flipped.replace_range(0..1, if signed.starts_with('.') { "e" } else { "." });
    for forged in [
        "",
        "garbage",
        "eyJjYXJ0IjoicGVhciJ9",
        "a:b:c",
        &flipped,
        &signed[..signed.len() - 1],
        &other,
    ] {
        let (forged_row, row_key) = (forged.to_owned(), key.clone());
        database
            .write(move |writer| {
                writer.execute(
                    "UPDATE django_session SET session_data = ?2 WHERE session_key = ?1",
                    params![row_key, forged_row],
                )
            })
            .await
            .unwrap();
        let client = Client::new(&site.app);
        client.plant("sessionid", &key);
        assert_eq!(client.thief().get("/show").await.text, "", "{forged}");
        client.get("/set/pear").await;
        assert_ne!(client.cookie("sessionid").as_ref(), Some(&key), "{forged}");
    }
}

#[tokio::test]
async fn sessions_outlive_a_change_of_the_key_while_the_old_one_is_a_fallback() {
    let store = Flaky::default();
    let before = site_on(settings(), store.clone());
    let client = Client::new(&before.app);
    client.get("/set/apple").await;
    let key = client.cookie("sessionid").unwrap();
    let fresh = "fresh-key-Yw8v3nF1xK5vB7mC2dL9sR4tY6uJ0pHaGeWiQoXc-2027";
    let mut rotated = Settings::new(SecretKey::new(fresh), ["example.com"]);
    rotated.secret_key_fallbacks = vec![SecretKey::new(KEY)];
    let during = site_on(rotated, store.clone());
    let visitor = Client::new(&during.app);
    visitor.plant("sessionid", &key);
    assert_eq!(visitor.get("/show").await.text, "apple");
    visitor.get("/set/pear").await;
    assert_eq!(visitor.cookie("sessionid").as_ref(), Some(&key));
    let after = site_on(
        Settings::new(SecretKey::new(fresh), ["example.com"]),
        store.clone(),
    );
    let visitor = Client::new(&after.app);
    visitor.plant("sessionid", &key);
    assert_eq!(
        visitor.get("/show").await.text,
        "pear",
        "what was saved since is signed with the new key"
    );
    let dropped = Client::new(&site_on(settings(), store).app);
    dropped.plant("sessionid", &key);
    assert_eq!(
        dropped.get("/show").await.text,
        "",
        "the old key no longer counts"
    );
}

#[tokio::test]
async fn without_a_store_the_error_names_what_is_missing() {
    let mut settings = settings();
    settings.debug = true;
    let client = Client::new(&Palisade::new(settings).protect(routes()));
    let answer = client.get("/show").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(answer.text.contains("with_sessions"), "{}", answer.text);
    assert_eq!(client.get("/quiet").await.text, "quiet");
}

#[tokio::test]
async fn a_panic_or_a_server_error_saves_nothing_and_a_client_error_does() {
    let site = site(settings());
    let client = Client::new(&site.app);
    client.get("/set/apple").await;
    assert_eq!(
        client.get("/panic-after-set").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(client.get("/show").await.text, "apple");
    assert_eq!(client.get("/fail/server").await.status, StatusCode::BAD_GATEWAY);
    assert_eq!(client.get("/show").await.text, "apple");
    assert_eq!(client.get("/fail/client").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(client.get("/show").await.text, "failed");
}

/// A handler that streams, and tries to change the session while it does.
async fn stream(session: Session, asked: bool) -> Result<axum::body::Body, SessionError> {
    if asked {
        session.insert("cart", "before").await?;
    }
    let late = async move {
        let outcome = session.insert("cart", "late").await;
        Ok::<_, std::convert::Infallible>(match outcome {
            Err(SessionError::Closed) => "closed",
            _ => "lost",
        })
    };
    Ok(axum::body::Body::from_stream(futures_util::stream::once(late)))
}

#[tokio::test]
async fn a_stream_that_writes_after_the_response_began_is_told_so() {
    let routes = Router::new()
        .route(
            "/asked",
            get(async |session: Session| stream(session, true).await),
        )
        .route(
            "/unasked",
            get(async |session: Session| stream(session, false).await),
        )
        .route("/show", get(show));
    let client = Client::new(
        &Palisade::new(settings())
            .with_sessions(Flaky::default())
            .protect(routes),
    );
    assert_eq!(client.get("/asked").await.text, "closed");
    assert_eq!(client.get("/show").await.text, "before");
    assert_eq!(
        client.get("/unasked").await.text,
        "closed",
        "even where the session was first asked for by the stream"
    );
}

#[tokio::test]
async fn a_value_of_another_type_is_a_fault_of_ours_and_no_silent_default() {
    let routes = Router::new().route("/set/{value}", get(set)).route(
        "/number",
        get(async |session: Session| {
            session
                .get::<u32>("cart")
                .await
                .map(|number| format!("{number:?}"))
        }),
    );
    let client = Client::new(
        &Palisade::new(settings())
            .with_sessions(Flaky::default())
            .protect(routes),
    );
    client.get("/set/apple").await;
    assert_eq!(
        client.get("/number").await.status,
        StatusCode::INTERNAL_SERVER_ERROR
    );
}

mod sqlite {
    use super::*;

    /// The table as Django 5.2 makes it.
    const DJANGO_TABLE: &str = "CREATE TABLE \"django_session\" (\"session_key\" varchar(40) NOT NULL PRIMARY KEY, \
                                \"session_data\" text NOT NULL, \"expire_date\" datetime NOT NULL)";
    const DJANGO_INDEX: &str =
        "CREATE INDEX \"django_session_expire_date_a5c62663\" ON \"django_session\" (\"expire_date\")";
    /// A row as Django 5.2 wrote it with the tests' key: `cart` is `äpfel`, and there is a login.
    const DJANGO_KEY: &str = "mi8rmxuvng23m794cuichh3pw01re8jv";
    const DJANGO_DATA: &str = ".eJxVjMsOgjAQRf-la9NMH5KWpXv_wITMdAZBSTEFVsZ_tyQsdHvOveetOtzWodsWKd3IqlVGnX4ZYXpK3gU_MN9nnea8lpH0PtGHXfR1Zpkux_YvMOAy1LdYk1wgDyFGyxDOPQT26BktYiTvLDYABhg5OtcgGgLyIuSQ0Vuq0YRlraXbBiD-1ctUWVat0fD5Am17P9w:1r31eq:rvtIwH7OrqeqaazdnOreV1DvTpRLqGrcpT74Lp0-Fbg";

    /// A schema text without the differences that mean nothing.
    fn essence(sql: &str) -> String {
        let sql = sql
            .replace('"', "")
            .replace("IF NOT EXISTS ", "")
            .replace(['(', ')'], " ")
            .replace(',', " , ");
        sql.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    async fn run(database: &Sqlite, sql: &'static str) {
        database
            .write(move |writer| writer.execute(sql, []))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn the_table_is_djangos() {
        let database = Sqlite::in_memory().unwrap();
        SqliteSessions::new(database.clone()).unwrap();
        let schema: Vec<String> = database
            .read(|reader| {
                reader.all(
                    "SELECT sql FROM sqlite_master WHERE tbl_name = 'django_session' AND sql IS NOT NULL ORDER BY type DESC",
                    [],
                    |row| row.get(0),
                )
            })
            .unwrap();
        let schema: Vec<String> = schema.iter().map(|sql| essence(sql)).collect();
        assert_eq!(schema, [essence(DJANGO_TABLE), essence(DJANGO_INDEX)]);
    }

    #[tokio::test]
    async fn a_table_that_django_made_and_filled_is_taken_over() {
        let database = Sqlite::in_memory().unwrap();
        run(&database, DJANGO_TABLE).await;
        run(&database, DJANGO_INDEX).await;
        database
            .write(|writer| {
                writer.execute(
                    "INSERT INTO django_session VALUES (?1, ?2, '2023-11-28 22:13:20')",
                    params![DJANGO_KEY, DJANGO_DATA],
                )
            })
            .await
            .unwrap();
        let site = site_on(settings(), SqliteSessions::new(database.clone()).unwrap());
        let client = Client::new(&site.app);
        client.plant("sessionid", DJANGO_KEY);
        assert_eq!(client.get("/show").await.text, "äpfel");
        client.get("/count").await;
        assert_eq!(
            client.cookie("sessionid").as_deref(),
            Some(DJANGO_KEY),
            "it stays Django's row"
        );
        let (data, expires): (String, String) = database
            .read(|reader| {
                reader.one(
                    "SELECT session_data, expire_date FROM django_session",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
            })
            .unwrap()
            .unwrap();
        assert_eq!(expires, "2023-11-28 22:13:20");
        let codec = palisade::core::session::SessionCodec::new(&settings().key_ring());
        let json = codec.decode(&data).unwrap().to_json().to_string();
        assert!(json.contains(r#""n":1"#), "{json}");
        assert!(
            json.contains(
                r#""_auth_user_id":"1","_auth_user_backend":"django.contrib.auth.backends.ModelBackend""#
            ),
            "{json}"
        );
        assert!(json.contains(r#""cart":"\u00e4pfel""#), "{json}");
    }

    #[tokio::test]
    async fn a_session_that_django_began_has_an_absolute_limit_from_its_first_write_here() {
        let database = Sqlite::in_memory().unwrap();
        let site = site_on(settings(), SqliteSessions::new(database.clone()).unwrap());
        database
            .write(|writer| {
                writer.execute(
                    "INSERT INTO django_session VALUES (?1, ?2, '2023-11-28 22:13:20')",
                    params![DJANGO_KEY, DJANGO_DATA],
                )
            })
            .await
            .unwrap();
        let client = Client::new(&site.app);
        client.plant("sessionid", DJANGO_KEY);
        for _ in 0..30 {
            assert_eq!(client.get("/show").await.text, "äpfel");
            site.clock.advance(DAY);
        }
        site.clock.advance(DAY);
        assert_eq!(client.get("/show").await.text, "");
    }

    #[tokio::test]
    async fn an_expire_date_that_nobody_can_read_is_no_session() {
        let database = Sqlite::in_memory().unwrap();
        let site = site_on(settings(), SqliteSessions::new(database.clone()).unwrap());
        let client = Client::new(&site.app);
        client.get("/set/apple").await;
        run(&database, "UPDATE django_session SET expire_date = 'tomorrow'").await;
        assert_eq!(client.get("/show").await.text, "");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn ten_thousand_concurrent_counts_of_one_session_are_all_counted() {
        let database = Sqlite::in_memory().unwrap();
        let site = site_on(settings(), SqliteSessions::new(database).unwrap());
        let client = Client::new(&site.app);
        client.get("/count").await;
        let workers = (0..100).map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..COUNTS / 100 {
                    assert_eq!(client.get("/count").await.status, StatusCode::OK);
                }
            })
        });
        for done in futures_util::future::join_all(workers).await {
            done.unwrap();
        }
        assert_eq!(client.get("/count").await.text, (COUNTS + 2).to_string());
    }

    const COUNTS: u32 = 10_000;
}
