//! Private servers, one for all tests that run at the same time, and a database of its own for each test.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use palisade::mysql::MySql;
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

/// Makes a database by `create`, and opens the one called `name`.
pub(crate) async fn postgres_database(
    server: &testkit::Postgres,
    name: &str,
    create: &'static str,
) -> Postgres {
    let all = Postgres::open(&server.url()).await.unwrap();
    let mut writer = all.writer().await.unwrap();
    writer.execute(create, &[]).await.unwrap();
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

/// Makes a database by `create`.
pub(crate) async fn mariadb_database(server: &testkit::MariaDb, create: &'static str) {
    let all = MySql::open(&server.url()).await.unwrap();
    all.execute(create, Vec::new()).await.unwrap();
}
