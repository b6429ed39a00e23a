//! What is made for somebody who is logged in is kept by nobody, and a logout takes what the browser has kept.

use axum::response::Redirect;
use axum::routing::{get, post};
use http::header::CACHE_CONTROL;
use palisade::auth::{LoggedIn, SqliteUsers};
use palisade::password::{Hashers, PasswordPolicy};
use palisade::session::SqliteSessions;
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Policies as _, Protected, Router, Settings};

use crate::client::{Client, settings};
use crate::login_site::{PASSWORD, form, log_in, log_out, log_out_and_fail, sign_up};

fn app(settings: Settings) -> Protected {
    let database = Sqlite::in_memory().unwrap();
    let palisade = Palisade::new(settings)
        .with_sessions(SqliteSessions::new(database.clone()).unwrap())
        .with_users_and(
            SqliteUsers::new(database).unwrap(),
            Hashers::dangerous_cheap(),
            PasswordPolicy::default(),
        );
    let name = async |user: Option<LoggedIn>| user.map_or_else(String::new, |user| user.username.clone());
    let router = Router::new()
        .route(
            "/login/",
            get(async |csrf: palisade::csrf::CsrfToken| csrf.masked()).post(log_in),
        )
        .route("/sign-up/", post(sign_up))
        .route("/logout/", post(log_out))
        .route("/logout-and-fail/", post(log_out_and_fail))
        .route("/name", get(name))
        .route("/ruled", get(async || "for who is logged in").logged_in())
        .route("/plain", get(async || "for everybody"))
        .route(
            "/own",
            get(async |_: Option<LoggedIn>| ([(CACHE_CONTROL, "private, max-age=60")], "mine")),
        )
        .route("/kept", get(name).cacheable("the logo of whoever asks"))
        .route(
            "/kept/for-staff",
            get(name).staff().cacheable("the picture of the day, for staff"),
        )
        .route(
            "/kept/elsewhere",
            get(async |user: LoggedIn| Redirect::to(&format!("/of/{}", user.username)))
                .cacheable("where one's own picture is"),
        );
    palisade.protect(router.public()).unwrap()
}

async fn member(app: &Protected) -> Client {
    let client = Client::new(app);
    client.get("/login/").await;
    client.post("/sign-up/", &form("ann", PASSWORD)).await;
    let answer = client.post("/login/", &form("ann", PASSWORD)).await;
    assert_eq!(answer.text, "in");
    assert_eq!(answer.header("cache-control"), "no-store");
    client
}

#[tokio::test]
async fn page_of_somebody_who_is_logged_in_is_kept_by_nobody_unless_said_otherwise() {
    let app = app(settings());
    let (member, stranger) = (member(&app).await, Client::new(&app));
    for (path, theirs, nobodys) in [
        ("/name", "no-store", ""),
        ("/own", "private, max-age=60", "private, max-age=60"),
        ("/kept", "", ""),
        ("/plain", "", ""),
        ("/ruled", "no-store", "no-store"),
    ] {
        let answer = member.get(path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), theirs, "{path}");
        assert_eq!(
            stranger.get(path).await.header("cache-control"),
            nobodys,
            "{path}"
        );
    }
    assert_eq!(member.get("/name").await.header("vary"), "Cookie");
}

#[tokio::test]
async fn refusal_that_is_made_for_somebody_is_kept_by_nobody_also_where_the_route_may_be() {
    let app = app(settings());
    let member = member(&app).await;
    for (path, status) in [("/kept/for-staff", 403), ("/kept/elsewhere", 303)] {
        let answer = member.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn logout_tells_the_browser_to_forget_what_was_seen_and_nothing_else_does() {
    let app = app(settings());
    for path in ["/logout/", "/logout-and-fail/"] {
        let member = member(&app).await;
        for path in ["/name", "/plain", "/login/"] {
            assert_eq!(member.get(path).await.header("clear-site-data"), "", "{path}");
        }
        let answer = member.post(path, "").await;
        assert_eq!(answer.header("clear-site-data"), "\"cache\", \"storage\"");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn logout_clears_what_the_settings_say() {
    let mut settings = settings();
    settings.logout_clear_site_data = None;
    let member = member(&app(settings.clone())).await;
    assert_eq!(member.post("/logout/", "").await.header("clear-site-data"), "");
    let toml = "logout_clear_site_data = [\"cache\", \"cookies\"]";
    let changed = settings.overlaid(Some(toml), []).unwrap();
    let told: Vec<String> = changed
        .weaknesses()
        .iter()
        .map(|weakness| weakness.what.to_string())
        .collect();
    assert!(
        told.iter().any(|what| what.contains("storage is left out")),
        "{told:?}"
    );
    let member = crate::private_pages::member(&app(changed)).await;
    assert_eq!(
        member.post("/logout/", "").await.header("clear-site-data"),
        "\"cache\", \"cookies\""
    );
}
