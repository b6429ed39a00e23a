//! Sessions through the whole stack: what is kept, what is taken away, and what a fault leaves behind.

use axum::routing::get;
use http::StatusCode;
use palisade::session::{Session, SessionError, SqliteSessions};
use palisade::sqlite::{Sqlite, params};
use palisade::{Palisade, Router, SecretKey, Settings};

use crate::client::{Client, KEY, settings};
use crate::flaky::Flaky;
use crate::session_site::{DAY, cookies, routes, set, show, site, site_on};

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
    let client = Client::new(&Palisade::new(settings).protect(routes().public()).unwrap());
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
            .protect(routes.public())
            .unwrap(),
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
            .protect(routes.public())
            .unwrap(),
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
