//! Private servers, one for all tests that run at the same time, and a database of its own for each test.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use palisade::mysql::{MySql, MySqlOptions};
use palisade::postgres::{Postgres, PostgresOptions};

static POSTGRES: Mutex<Weak<testkit::Postgres>> = Mutex::new(Weak::new());
static MARIADB: Mutex<Weak<testkit::MariaDb>> = Mutex::new(Weak::new());

/// A PostgreSQL that ends with the last test that uses it.
pub(crate) fn postgres() -> Arc<testkit::Postgres> {
    let mut shared = POSTGRES.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(testkit::Postgres::start().unwrap());
        *shared = Arc::downgrade(&server);
        server
    })
}

/// Makes a database and opens it.
pub(crate) async fn postgres_database(server: &testkit::Postgres, name: &str) -> Postgres {
    let all = Postgres::open(&server.url()).await.unwrap();
    let create = format!("CREATE DATABASE {name}").leak();
    all.execute(create, &[]).await.unwrap();
    patient().open(&server.url_of(name)).await.unwrap()
}

/// Waits long: what is tested is not the speed of a busy machine.
pub(crate) fn patient() -> PostgresOptions {
    PostgresOptions::new()
        .connection_deadline(Duration::from_mins(5))
        .statement_deadline(Duration::from_mins(2))
}

/// A MariaDB that ends with the last test that uses it.
pub(crate) fn mariadb() -> Arc<testkit::MariaDb> {
    let mut shared = MARIADB.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(testkit::MariaDb::start().unwrap());
        *shared = Arc::downgrade(&server);
        server
    })
}

/// Makes a database, with a collation of its own if one is named, and opens it.
pub(crate) async fn mariadb_database(
    server: &testkit::MariaDb,
    name: &str,
    collation: Option<&str>,
) -> MySql {
    let all = MySql::open(&server.url()).await.unwrap();
    let collation = collation.map_or_else(String::new, |name| format!(" COLLATE {name}"));
    let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4{collation}").leak();
    all.execute(create, Vec::new()).await.unwrap();
    patient_mysql().open(&server.url_of(name)).await.unwrap()
}

/// As [`patient`].
pub(crate) fn patient_mysql() -> MySqlOptions {
    MySqlOptions::new()
        .connection_deadline(Duration::from_mins(5))
        .statement_deadline(Duration::from_mins(2))
}
