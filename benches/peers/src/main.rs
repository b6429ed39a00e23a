//! Serves the benchmark's views with the stack a Rust programmer assembles from peers: axum,
//! tower-sessions with its stores, axum-login, tower-helmet and axum_csrf.
//!
//! Everything is set as those crates' own examples set it, in the order they ask for. A logged-in request costs exactly
//! one session read and one user read: both in one SQLite file in WAL mode behind one pool, or both in PostgreSQL if
//! `BENCH_POSTGRES` says where it is, or the session in Redis if `BENCH_REDIS` does.
//!
//! Called as `bench-peers DATA-FOLDER PORT`; the user it needs is made at the first start.

mod users;

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use axum_csrf::{CsrfConfig, CsrfToken};
use axum_login::tower_sessions::cookie::time::Duration;
use axum_login::tower_sessions::{Expiry, Session, SessionManagerLayer, SessionStore};
use axum_login::{AuthManagerLayerBuilder, login_required};
use serde::Deserialize;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tower_helmet::HelmetLayer;
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};
use tower_sessions_sqlx_store::{PostgresStore, SqliteStore};
use users::{Credentials, Users};

type AuthSession = axum_login::AuthSession<Users>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(data), Some(port)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bench-peers DATA-FOLDER PORT".into());
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
    let app = match (address("BENCH_POSTGRES"), address("BENCH_REDIS")) {
        (None, _) => {
            let options = SqliteConnectOptions::new()
                .filename(std::path::Path::new(&data).join("peers.sqlite3"))
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal);
            let pool = SqlitePoolOptions::new()
                .max_connections(4)
                .connect_with(options)
                .await?;
            let sessions = SqliteStore::new(pool.clone());
            sessions.migrate().await?;
            app(sessions, Users::in_sqlite(pool).await?)
        }
        (Some(postgres), redis) => {
            let pool = PgPoolOptions::new().max_connections(8).connect(&postgres).await?;
            let users = Users::in_postgres(pool.clone()).await?;
            if let Some(redis) = redis {
                let redis = Pool::new(Config::from_url(&redis)?, None, None, None, 4)?;
                redis.init().await?;
                app(RedisStore::new(redis), users)
            } else {
                let sessions = PostgresStore::new(pool);
                sessions.migrate().await?;
                app(sessions, users)
            }
        }
    };
    axum::serve(listener, app).await?;
    Ok(())
}

/// Where a database server is that the data should be kept in, if there is one.
fn address(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn app(sessions: impl SessionStore + Clone, users: Users) -> Router {
    let session_layer = SessionManagerLayer::new(sessions)
        .with_secure(true)
        .with_expiry(Expiry::OnInactivity(Duration::days(14)));
    let auth_layer = AuthManagerLayerBuilder::new(users, session_layer).build();
    Router::new()
        .route("/me", get(me))
        .route("/form", get(form).post(submit))
        .route("/count", post(count))
        .route_layer(login_required!(Users, login_url = "/login"))
        .route("/hello", get(|| async { "hello, world" }))
        .route("/login", get(form).post(login))
        .layer(auth_layer)
        .layer(HelmetLayer::with_defaults())
        .with_state(CsrfConfig::new().with_secure(true))
}

async fn me(auth: AuthSession) -> Result<String, StatusCode> {
    let user = auth.user.ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(format!("hello, {}", user.name))
}

/// Shows the page whose token the posts carry.
async fn form(token: CsrfToken) -> Result<Response, StatusCode> {
    let value = token
        .authenticity_token()
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let page = format!(r#"<form><input type="hidden" name="authenticity_token" value="{value}"></form>"#);
    Ok((token, Html(page)).into_response())
}

#[derive(Deserialize)]
struct Note {
    authenticity_token: String,
    note: String,
}

async fn submit(token: CsrfToken, auth: AuthSession, Form(form): Form<Note>) -> Result<String, StatusCode> {
    token
        .verify(&form.authenticity_token)
        .map_err(|_| StatusCode::FORBIDDEN)?;
    let user = auth.user.ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(format!("{} read {} bytes", user.name, form.note.len()))
}

async fn count(token: CsrfToken, session: Session, Form(form): Form<Note>) -> Result<String, StatusCode> {
    token
        .verify(&form.authenticity_token)
        .map_err(|_| StatusCode::FORBIDDEN)?;
    let fault = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let count: u64 = session.get("count").await.map_err(fault)?.unwrap_or(0) + 1;
    session.insert("count", count).await.map_err(fault)?;
    Ok(format!("count={count}"))
}

#[derive(Deserialize)]
struct Login {
    authenticity_token: String,
    username: String,
    password: String,
}

async fn login(
    token: CsrfToken,
    mut auth: AuthSession,
    Form(form): Form<Login>,
) -> Result<Redirect, StatusCode> {
    token
        .verify(&form.authenticity_token)
        .map_err(|_| StatusCode::FORBIDDEN)?;
    let credentials = Credentials {
        username: form.username,
        password: form.password,
    };
    let fault = |_| StatusCode::INTERNAL_SERVER_ERROR;
    let user = auth
        .authenticate(credentials)
        .await
        .map_err(fault)?
        .ok_or(StatusCode::UNAUTHORIZED)?;
    auth.login(&user).await.map_err(fault)?;
    Ok(Redirect::to("/me"))
}
