//! Who may reach a route: the rules of routes, and what becomes of a route without one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use axum::routing::{MethodRouter, any, get, post};
use futures_util::future::BoxFuture;
use http::{Request, StatusCode};
use palisade::auth::{
    Auth, Can, LoggedIn, LoginStep, NewUser, Permitted, Profile, SqliteUsers, Staff, User, UserStore,
    UserStoreError,
};
use palisade::clock::Clock;
use palisade::core::permission::{PermissionName, Permissions};
use palisade::csrf::CsrfToken;
use palisade::password::{Hashers, PasswordPolicy};
use palisade::rows::SqliteRows;
use palisade::session::MemorySessions;
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Policies, Protected, Rejection, Router, Sensitive};

use crate::client::{Client, settings};
use crate::login_site::PASSWORD;
use crate::rows_site::{Note, RowsDatabase as _};

struct ChangeNote;

impl Permitted for ChangeNote {
    const NAME: PermissionName = PermissionName::new("notes", "change_note");
}

/// A site with ann, who is logged in by `/in` and has note 1, with note 2 of bob, and how often its handlers ran.
struct Site {
    app: Protected,
    database: Sqlite,
    client: Client,
    clock: Clock,
    ran: Arc<AtomicUsize>,
}

async fn log_in(auth: Auth) -> Result<&'static str, Rejection> {
    let user = auth
        .authenticate("ann", &Sensitive::new(PASSWORD.to_owned()))
        .await?;
    assert_eq!(auth.login(&user.unwrap()).await?, LoginStep::Done);
    Ok("in")
}

async fn add(users: &SqliteUsers, username: &str) {
    let encoded = Hashers::dangerous_cheap()
        .hash(&Sensitive::new(PASSWORD.to_owned()))
        .await
        .unwrap();
    let new = NewUser {
        username: username.to_owned(),
        ..NewUser::default()
    };
    users
        .create(new, Sensitive::new(encoded), SystemTime::now())
        .await
        .unwrap();
}

async fn run(database: &Sqlite, sql: &'static str) {
    database
        .write(move |writer| writer.execute(sql, []))
        .await
        .unwrap();
}

/// Each rule with a recent login beside it, said before, after or around.
fn recent(handler: &impl Fn() -> MethodRouter) -> Router {
    let nested = Router::new().route("/deep", handler()).staff().recent();
    Router::new()
        .route("/recent/me", handler().logged_in().recent())
        .route("/recent/staff", handler().recent().staff())
        .route("/recent/edit", handler().can::<ChangeNote>().recent())
        .route("/recent/notes/{id}", handler().owned::<Note>().recent())
        .nest("/recent/nest", nested)
}

impl Site {
    /// The handlers themselves ask nobody: what refuses is the rule.
    async fn new() -> Self {
        let database = Sqlite::in_memory().unwrap();
        let users = SqliteUsers::new(database.clone()).unwrap();
        add(&users, "ann").await;
        add(&users, "bob").await;
        run(&database, Sqlite::TABLES[0]).await;
        run(
            &database,
            "INSERT INTO it_note (owner, title, body, starred, written) VALUES (1, '', '', 0, 0), (2, '', '', 0, 0)",
        )
        .await;
        let ran = Arc::new(AtomicUsize::new(0));
        let forgetful = || {
            let ran = Arc::clone(&ran);
            any(async move || ran.fetch_add(1, Ordering::Relaxed).to_string())
        };
        let nested = Router::new()
            .route("/open", forgetful().public())
            .route("/shut", forgetful());
        let plain = axum::Router::new()
            .route("/plain", forgetful())
            .fallback(async || "lost");
        let router = Router::new()
            .route("/in", get(log_in).public())
            .route("/token", get(async |csrf: CsrfToken| csrf.masked()).public())
            .route("/me", forgetful().logged_in())
            .route("/staff", forgetful().staff())
            .route("/edit", forgetful().can::<ChangeNote>())
            .route("/last-word", forgetful().public().staff())
            .nest("/nest", nested.staff())
            .merge(recent(&forgetful))
            .nest("/other", Router::from(plain).logged_in())
            .fallback(async || "lost");
        let clock = Clock::fixed(SystemTime::UNIX_EPOCH + Duration::from_hours(500_000));
        let app = Palisade::new(settings())
            .with_clock(clock.clone())
            .with_sessions(MemorySessions::new())
            .with_users_and(users, Hashers::dangerous_cheap(), PasswordPolicy::default())
            .with_rows(SqliteRows::new(database.clone()).unwrap())
            .protect(router)
            .unwrap();
        Self {
            app: app.clone(),
            database,
            clock,
            client: Client::new(&app),
            ran,
        }
    }

    async fn run(&self, sql: &'static str) {
        run(&self.database, sql).await;
    }

    async fn status(&self, path: &str) -> u16 {
        self.client.get(path).await.status.as_u16()
    }

    fn ran(&self) -> usize {
        self.ran.load(Ordering::Relaxed)
    }
}

const GUARDED: [&str; 11] = [
    "/me",
    "/staff",
    "/edit",
    "/last-word",
    "/nest/shut",
    "/other/plain",
    "/recent/me",
    "/recent/staff",
    "/recent/edit",
    "/recent/notes/1",
    "/recent/nest/deep",
];

#[tokio::test]
async fn nobody_reaches_what_is_not_public_though_the_handler_asks_nobody() {
    let site = Site::new().await;
    for path in GUARDED.into_iter().chain(["/other/nowhere"]) {
        assert_eq!(site.status(path).await, 401, "{path}");
        let browser = Request::get(path).header("accept", "text/html").body("".into());
        let answer = site.client.send(browser.unwrap()).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{path}");
        assert_eq!(answer.header("location"), format!("/login/?next={path}"));
    }
    for method in ["HEAD", "OPTIONS", "PROPFIND"] {
        let request = Request::builder().method(method).uri("/me").body("".into());
        let status = site.client.send(request.unwrap()).await.status;
        assert!(status.is_client_error(), "{method} {status}");
    }
    assert_eq!(site.ran(), 0);
    assert_eq!(site.status("/nest/open").await, 200, "a route's own rule stays");
    assert_eq!(site.ran(), 1);
}

#[tokio::test]
async fn each_rule_lets_in_whom_it_names() {
    let site = Site::new().await;
    site.client.get("/in").await;
    let expect = async |staff: u16, edit: u16, why: &str| {
        assert_eq!(site.status("/me").await, 200, "{why}");
        assert_eq!(site.status("/other/plain").await, 200, "{why}");
        for path in ["/staff", "/last-word", "/nest/shut"] {
            assert_eq!(site.status(path).await, staff, "{path}: {why}");
        }
        assert_eq!(site.status("/edit").await, edit, "{why}");
    };
    expect(403, 403, "a user like any other").await;
    site.run("UPDATE auth_user SET is_superuser = 1").await;
    expect(403, 200, "a superuser may everything, but is no staff").await;
    site.run("UPDATE auth_user SET is_superuser = 0, is_staff = 1")
        .await;
    expect(200, 403, "staff has no permissions by itself").await;
    site.run("UPDATE auth_user SET is_active = 0").await;
    let ran = site.ran();
    for path in GUARDED {
        assert_eq!(site.status(path).await, 401, "{path}: inactive");
    }
    assert_eq!(site.ran(), ran);
}

#[tokio::test]
async fn each_rule_can_ask_for_a_recent_login_besides() {
    let site = Site::new().await;
    site.client.get("/in").await;
    let expect = async |expected: [(&str, u16); 6], why: &str| {
        for (path, status) in expected {
            assert_eq!(site.status(path).await, status, "{path}: {why}");
        }
    };
    let as_member = |me, note| {
        [
            ("/recent/me", me),
            ("/recent/notes/1", note),
            ("/recent/notes/2", 404),
            ("/recent/staff", 403),
            ("/recent/nest/deep", 403),
            ("/recent/edit", 403),
        ]
    };
    expect(as_member(200, 200), "just logged in").await;
    site.clock.advance(Duration::from_mins(15));
    expect(as_member(200, 200), "the last second").await;
    site.clock.advance(Duration::from_secs(1));
    let ran = site.ran();
    expect(as_member(401, 401), "whoever may not is not asked for a password").await;
    assert_eq!(site.status("/me").await, 200, "and is logged in all the same");

    site.run("UPDATE auth_user SET is_superuser = 1, is_staff = 1")
        .await;
    for path in ["/recent/staff", "/recent/nest/deep", "/recent/edit"] {
        let refused = site.client.get(path).await;
        assert_eq!(refused.status, 401, "{path}");
        assert_eq!(
            refused.header("www-authenticate"),
            "Session error=\"reauthenticate\""
        );
        let browser = Request::get(path).header("accept", "text/html").body("".into());
        let answer = site.client.send(browser.unwrap()).await;
        assert_eq!(answer.header("location"), format!("/login/confirm/?next={path}"));
    }
    assert_eq!(site.ran(), ran + 1, "only /me");
    site.client.get("/in").await;
    for path in ["/recent/staff", "/recent/nest/deep", "/recent/edit"] {
        assert_eq!(site.status(path).await, 200, "{path}: logged in anew");
    }
}

#[tokio::test]
async fn a_forged_request_is_refused_before_anybody_is_asked_for() {
    let site = Site::new().await;
    site.client.get("/in").await;
    site.client.get("/token").await;
    let forged = Request::post("/me")
        .header("origin", "https://evil.example")
        .body("x".into());
    assert_eq!(
        site.client.send(forged.unwrap()).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(site.ran(), 0);
    assert_eq!(site.client.post("/me", "").await.status, StatusCode::OK);
}

/// Users who count what is asked of them in a request.
#[derive(Clone, Debug)]
struct Counted {
    store: SqliteUsers,
    questions: Arc<AtomicUsize>,
}

impl Counted {
    fn since(&self) -> usize {
        self.questions.swap(0, Ordering::Relaxed)
    }

    fn ask(&self) -> &SqliteUsers {
        self.questions.fetch_add(1, Ordering::Relaxed);
        &self.store
    }
}

type Answered<'a, T> = BoxFuture<'a, Result<T, UserStoreError>>;

impl UserStore for Counted {
    fn by_id(&self, id: i64) -> Answered<'_, Option<User>> {
        self.ask().by_id(id)
    }

    fn by_username<'a>(&'a self, username: &'a str) -> Answered<'a, Option<User>> {
        self.ask().by_username(username)
    }

    fn create(&self, new: NewUser, password: Sensitive<String>, now: SystemTime) -> Answered<'_, User> {
        self.ask().create(new, password, now)
    }

    fn replace_password<'a>(
        &'a self,
        id: i64,
        old: &'a Sensitive<String>,
        new: Sensitive<String>,
    ) -> Answered<'a, bool> {
        self.ask().replace_password(id, old, new)
    }

    fn logged_in(&self, id: i64, now: SystemTime) -> Answered<'_, ()> {
        self.ask().logged_in(id, now)
    }

    fn save_profile(&self, id: i64, profile: Profile) -> Answered<'_, ()> {
        self.ask().save_profile(id, profile)
    }

    fn permissions<'a>(&'a self, user: &'a User) -> Answered<'a, Permissions> {
        self.ask().permissions(user)
    }
}

#[tokio::test]
async fn a_rule_and_the_extractors_after_it_ask_the_users_once() {
    let database = Sqlite::in_memory().unwrap();
    let users = Counted {
        store: SqliteUsers::new(database.clone()).unwrap(),
        questions: Arc::default(),
    };
    add(&users.store, "ann").await;
    let everything = async |_: LoggedIn, _: Staff, _: Option<LoggedIn>| "all of them";
    let router = Router::new()
        .route("/in", get(log_in).public())
        .route("/staff", get(everything).staff())
        .route(
            "/edit",
            get(async |_: Can<ChangeNote>| "edited").can::<ChangeNote>(),
        );
    let app = Palisade::new(settings())
        .with_sessions(MemorySessions::new())
        .with_users_and(
            users.clone(),
            Hashers::dangerous_cheap(),
            PasswordPolicy::default(),
        )
        .protect(router)
        .unwrap();
    let client = Client::new(&app);
    client.get("/in").await;
    run(
        &database,
        "UPDATE auth_user SET is_staff = 1, is_superuser = 1 WHERE username = 'ann'",
    )
    .await;
    users.since();
    assert_eq!(client.get("/staff").await.text, "all of them");
    assert_eq!(users.since(), 1);
    assert_eq!(client.get("/edit").await.text, "edited");
    assert_eq!(users.since(), 2, "the user, and the permissions");
}

#[tokio::test]
async fn every_route_without_a_rule_is_named_and_none_is_served() {
    let plain = axum::Router::new().route("/", get(async || "hello"));
    let router = Router::new()
        .route("/said", get(async || "hello").public())
        .route("/unsaid", get(async || "hello"))
        .nest(
            "/deep",
            Router::new().route("/too", post(async || "hello").csrf_exempt("a test")),
        )
        .merge(plain)
        .fallback(async || "lost");
    let refused = Palisade::new(settings()).protect(router).unwrap_err();
    assert_eq!(
        refused.without_rule,
        ["/unsaid", "/deep/too", "(routes of an axum::Router)"]
    );
    let text = refused.to_string();
    for path in &refused.without_rule {
        assert!(text.contains(path) && text.contains(".logged_in()"), "{text}");
    }
}

#[tokio::test]
async fn a_rule_that_nobody_can_meet_is_refused() {
    let router = || Router::new().route("/me", get(async || "hello").logged_in());
    let nobody = Palisade::new(settings()).protect(router()).unwrap_err();
    assert_eq!(nobody.without_users, ["/me (logged in)"]);
    let users = SqliteUsers::new(Sqlite::in_memory().unwrap()).unwrap();
    let no_sessions = Palisade::new(settings()).with_users(users);
    assert!(
        no_sessions
            .protect(router())
            .unwrap_err()
            .to_string()
            .contains("with_sessions")
    );
    assert!(
        Palisade::new(settings()).protect(router().public()).is_err(),
        "its own rule stays"
    );
}

#[tokio::test]
async fn a_recent_login_of_everybody_is_refused_and_is_no_rule_by_itself() {
    let hello = || get(async || "hello");
    let users = SqliteUsers::new(Sqlite::in_memory().unwrap()).unwrap();
    let palisade = Palisade::new(settings())
        .with_sessions(MemorySessions::new())
        .with_users(users);
    let router = Router::new()
        .route("/one", hello().public().recent())
        .route("/other", hello().recent().public())
        .nest("/nest", Router::new().route("/", hello().public()).recent())
        .route("/alone", hello().recent())
        .route("/fine", hello().recent().logged_in())
        .fallback(async || "lost");
    let refused = palisade.protect(router).unwrap_err();
    assert_eq!(refused.public_and_recent, ["/one", "/other", "/nest"]);
    assert_eq!(refused.without_rule, ["/alone"]);
    let text = refused.to_string();
    for said in [
        "/one\n  /other\n  /nest",
        "a recent login, which not everybody has",
        ".recent()",
    ] {
        assert!(text.contains(said), "{text}");
    }
    let around = Router::new().route("/me", hello()).recent().logged_in();
    let after = around.route("/", hello().public());
    assert!(palisade.protect(after).is_ok());
}

#[tokio::test]
async fn the_report_says_who_may_reach_what_and_each_exception() {
    let site = Site::new().await;
    let report = site.app.routes_report();
    let line = |path: &str| {
        let text = report.to_string();
        let line = text.lines().find(|line| line.starts_with(&format!("{path}  ")));
        let line = line.unwrap_or_else(|| panic!("{path} is not in\n{text}"));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        line("/in"),
        "/in GET,HEAD everybody anywhere checked DENY private 2.5 MiB"
    );
    assert_eq!(
        line("/me"),
        "/me any logged in anywhere checked DENY private 2.5 MiB"
    );
    assert_eq!(
        line("/edit"),
        "/edit any notes.change_note anywhere checked DENY private 2.5 MiB"
    );
    assert_eq!(
        line("/recent/staff"),
        "/recent/staff any staff, recent login anywhere checked DENY private 2.5 MiB"
    );
    assert_eq!(
        line("/nest/open"),
        "/nest/open any everybody anywhere checked DENY private 2.5 MiB"
    );
    assert_eq!(
        line("/other/ (routes of an axum::Router)"),
        "/other/ (routes of an axum::Router) any logged in anywhere checked DENY private 2.5 MiB"
    );
    assert_eq!(
        line("(anything else)"),
        "(anything else) any everybody anywhere checked DENY private 2.5 MiB"
    );

    let json = report.to_json();
    assert_eq!(json.as_array().unwrap().len(), report.lines().len());
    assert_eq!(json[0]["path"], "/in");
    assert_eq!(json[0]["methods"], serde_json::json!(["GET", "HEAD"]));
    assert_eq!(json[0]["access"], "everybody");
    assert_eq!(json[0]["recent_login"], false);
    assert_eq!(json[0]["body_limit"], 2_621_440);
    let routes = json.as_array().unwrap();
    let staff = routes
        .iter()
        .find(|route| route["path"] == "/recent/staff")
        .unwrap();
    assert_eq!(staff["access"], "staff");
    assert_eq!(staff["recent_login"], true);
}
