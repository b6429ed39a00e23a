//! Serves the benchmark's views through Palisade's whole stack, every defence at its default.
//!
//! It listens in the clear behind an imagined TLS proxy on loopback, whose `X-Forwarded-Proto` it is told to
//! believe, because its peers are measured without TLS too; nothing else is relaxed.
//!
//! Called as `bench-palisade DATA-FOLDER PORT`; the user it needs is made at the first start. Sessions and users are in
//! SQLite, or in PostgreSQL if `BENCH_POSTGRES` says where it is, and sessions in Redis if `BENCH_REDIS` does.

mod documents;

use std::error::Error;
use std::path::Path;

use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use palisade::auth::{Auth, LoggedIn, LoginStep, NewUser, PostgresUsers, SqliteUsers, UserStore};
use palisade::core::token::{Alphabet, random_string};
use palisade::csrf::CsrfToken;
use palisade::form::{Checked, Form};
use palisade::password::Hashers;
use palisade::postgres::Postgres;
use palisade::redis::Redis;
use palisade::serve::Listen;
use palisade::session::{PostgresSessions, RedisSessions, Session, SqliteSessions};
use palisade::sqlite::Sqlite;
use palisade::{Palisade, Policies as _, Rejection, Router, Sensitive, Settings};

/// The one account that the load client logs in with.
const USERNAME: &str = "alice";
const PASSWORD: &str = "correct horse battery staple";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(data), Some(port)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bench-palisade DATA-FOLDER PORT".into());
    };
    let palisade = Palisade::new(settings()?);
    let mut routes = Router::new()
        .route("/hello", get(async || "hello, world"))
        .route("/me", get(me).logged_in())
        .route("/form", get(page).post(submit))
        .route("/count", post(count))
        .route("/login", get(page).post(login))
        .public();
    let palisade = match (address("BENCH_POSTGRES"), address("BENCH_REDIS")) {
        (None, _) => {
            let database = Sqlite::open(Path::new(&data).join("palisade.sqlite3"))?;
            let users = prepared(SqliteUsers::new(database.clone())?).await?;
            let sessions = SqliteSessions::new(database.clone())?;
            let owner = users.by_username(USERNAME).await?.map(|user| user.id);
            let palisade = palisade.with_sessions(sessions).with_users(users);
            let owner = owner.ok_or("the account is gone")?;
            routes = routes.merge(documents::routes());
            documents::with_documents(palisade, database, Path::new(&data), owner).await?
        }
        (Some(postgres), redis) => {
            let database = Postgres::open(&postgres).await?;
            let users = prepared(PostgresUsers::new(database.clone()).await?).await?;
            let palisade = match redis {
                Some(redis) => palisade.with_sessions(RedisSessions::new(Redis::open(&redis)?)),
                None => palisade.with_sessions(PostgresSessions::new(database).await?),
            };
            palisade.with_users(users)
        }
    };
    let app = palisade.protect(routes)?;
    palisade::serve(app, Listen::plain_behind_proxy(format_args!("127.0.0.1:{port}"))).await?;
    Ok(())
}

/// Where a database server is that the data should be kept in, if there is one.
fn address(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Makes the account if it is missing.
async fn prepared<U: UserStore>(users: U) -> Result<U, Box<dyn Error>> {
    if users.by_username(USERNAME).await?.is_none() {
        let password = Sensitive::new(PASSWORD.to_owned());
        let encoded = Sensitive::new(Hashers::default().hash(&password).await?);
        let new = NewUser {
            username: USERNAME.to_owned(),
            ..NewUser::default()
        };
        users.create(new, encoded, std::time::SystemTime::now()).await?;
    }
    Ok(users)
}

fn settings() -> Result<Settings, Box<dyn Error>> {
    let toml = r#"
        allowed_hosts = ["127.0.0.1"]
        secure_proxy_ssl_header = ["X-Forwarded-Proto", "https"]
        trusted_proxies = ["127.0.0.0/8"]
        login_redirect_url = "/me"
    "#;
    let key = (
        "PALISADE_SECRET_KEY".to_owned(),
        random_string(64, Alphabet::Base62),
    );
    Ok(Settings::load(Some(toml), [key])?)
}

async fn me(user: LoggedIn) -> String {
    format!("hello, {}", user.username)
}

/// Shows the page whose token the posts carry.
async fn page(token: CsrfToken) -> Html<String> {
    Html(format!("<form>{}</form>", token.input()))
}

#[derive(Form)]
struct Note {
    #[form(max_length = 200)]
    note: String,
}

/// Takes the valid form out, or refuses what a browser would not have sent.
fn valid<F: Form>(form: Checked<F>) -> Result<F, Rejection> {
    form.validate()
        .map(palisade::form::Valid::into_form)
        .map_err(|_| Rejection::bad_request("the form is not valid"))
}

async fn submit(user: LoggedIn, form: Checked<Note>) -> Result<String, Rejection> {
    let note = valid(form)?.note;
    Ok(format!("{} read {} bytes", user.username, note.len()))
}

async fn count(_: LoggedIn, session: Session, form: Checked<Note>) -> Result<String, Rejection> {
    valid(form)?;
    let count = session
        .update("count", |count: &mut u64| {
            *count += 1;
            *count
        })
        .await?;
    Ok(format!("count={count}"))
}

#[derive(Form)]
struct Login {
    #[form(max_length = 150)]
    username: String,
    password: Sensitive<String>,
}

async fn login(auth: Auth, form: Checked<Login>) -> Result<Redirect, Rejection> {
    let form = valid(form)?;
    let user = auth.authenticate(&form.username, &form.password).await?;
    let user = user.ok_or_else(|| Rejection::forbidden("wrong name or password"))?;
    if auth.login(&user).await? != LoginStep::Done {
        return Err(Rejection::internal("nobody here has a second factor"));
    }
    Ok(Redirect::to("/me"))
}
