//! Keeps the users of the peers' site in SQLite or PostgreSQL and answers axum-login's questions about them.

use std::fmt;

use axum_login::{AuthUser, AuthnBackend, UserId};
use sqlx::{FromRow, PgPool, SqlitePool};

/// The one account that the load client logs in with.
const USERNAME: &str = "alice";
const PASSWORD: &str = "correct horse battery staple";

const BY_NAME: &str = "select id, name, password from users where name = $1";
const BY_ID: &str = "select id, name, password from users where id = $1";

#[derive(Clone, FromRow)]
pub struct User {
    pub id: i64,
    pub name: String,
    pub password: String,
}

impl fmt::Debug for User {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("User")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl AuthUser for User {
    type Id = i64;

    fn id(&self) -> i64 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.password.as_bytes()
    }
}

#[derive(Clone)]
pub struct Credentials {
    pub username: String,
    pub password: String,
}

#[derive(Clone)]
pub enum Users {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Users {
    /// Makes the table and the benchmark's account in SQLite when they are missing.
    pub async fn in_sqlite(pool: SqlitePool) -> Result<Self, sqlx::Error> {
        sqlx::query(
            "create table if not exists users (id integer primary key, name text unique not null, password text not null)",
        )
        .execute(&pool)
        .await?;
        sqlx::query("insert into users (name, password) values ($1, $2) on conflict do nothing")
            .bind(USERNAME)
            .bind(password_auth::generate_hash(PASSWORD))
            .execute(&pool)
            .await?;
        Ok(Self::Sqlite(pool))
    }

    /// The same in PostgreSQL.
    pub async fn in_postgres(pool: PgPool) -> Result<Self, sqlx::Error> {
        sqlx::query(
            "create table if not exists users (id bigserial primary key, name text unique not null, password text not null)",
        )
        .execute(&pool)
        .await?;
        sqlx::query("insert into users (name, password) values ($1, $2) on conflict do nothing")
            .bind(USERNAME)
            .bind(password_auth::generate_hash(PASSWORD))
            .execute(&pool)
            .await?;
        Ok(Self::Postgres(pool))
    }
}

impl AuthnBackend for Users {
    type User = User;
    type Credentials = Credentials;
    type Error = sqlx::Error;

    async fn authenticate(&self, credentials: Credentials) -> Result<Option<User>, sqlx::Error> {
        let name = &credentials.username;
        let user: Option<User> = match self {
            Self::Sqlite(pool) => sqlx::query_as(BY_NAME).bind(name).fetch_optional(pool).await?,
            Self::Postgres(pool) => sqlx::query_as(BY_NAME).bind(name).fetch_optional(pool).await?,
        };
        Ok(user.filter(|user| password_auth::verify_password(&credentials.password, &user.password).is_ok()))
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, sqlx::Error> {
        match self {
            Self::Sqlite(pool) => sqlx::query_as(BY_ID).bind(id).fetch_optional(pool).await,
            Self::Postgres(pool) => sqlx::query_as(BY_ID).bind(id).fetch_optional(pool).await,
        }
    }
}
