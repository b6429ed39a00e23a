//! Keeps the users of the peers' site in SQLite and answers axum-login's questions about them.

use std::fmt;

use axum_login::{AuthUser, AuthnBackend, UserId};
use sqlx::{FromRow, SqlitePool};

/// The one account that the load client logs in with.
const USERNAME: &str = "alice";
const PASSWORD: &str = "correct horse battery staple";

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
pub struct Users {
    pool: SqlitePool,
}

impl Users {
    /// Makes the table and the benchmark's account when they are missing.
    pub async fn open(pool: SqlitePool) -> Result<Self, sqlx::Error> {
        sqlx::query(
            "create table if not exists users (id integer primary key, name text unique not null, password text not null)",
        )
        .execute(&pool)
        .await?;
        sqlx::query("insert or ignore into users (name, password) values (?, ?)")
            .bind(USERNAME)
            .bind(password_auth::generate_hash(PASSWORD))
            .execute(&pool)
            .await?;
        Ok(Self { pool })
    }
}

impl AuthnBackend for Users {
    type User = User;
    type Credentials = Credentials;
    type Error = sqlx::Error;

    async fn authenticate(&self, credentials: Credentials) -> Result<Option<User>, sqlx::Error> {
        let user: Option<User> = sqlx::query_as("select id, name, password from users where name = ?")
            .bind(&credentials.username)
            .fetch_optional(&self.pool)
            .await?;
        Ok(user.filter(|user| password_auth::verify_password(&credentials.password, &user.password).is_ok()))
    }

    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, sqlx::Error> {
        sqlx::query_as("select id, name, password from users where id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
    }
}
